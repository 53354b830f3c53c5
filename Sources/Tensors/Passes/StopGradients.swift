extension Program {
  /// Without `stop_gradient`: only for programs that nothing differentiates any more, where it says
  /// nothing and hides equal values from each other.
  public func withoutStopGradients() -> Program {
    rewritten { g, node, operands in
      if case .stopGradient = node.op { return operands[0] }
      return g.keep(node, operands)
    }
  }
}
