extension Program {
  /// dot(x, s·W) → s·dot(x, W) for a scalar s, on either side, where the matrix that need not be
  /// scaled then is at least as large as the product.
  ///
  /// It keeps spectral normalisation from holding W/σ. It must run before differentiation: the
  /// gradient of (x·Wᵀ)/σ sums over the product, that of x·(W/σ)ᵀ over the whole of W.
  public func withScalarsOutOfDots() -> Program {
    rewritten { g, node, operands in
      guard case .dot = node.op else { return g.add(node.op, operands) }
      var factors = operands
      var scales: [Value] = []
      for side in 0...1 {
        while let (matrix, scalar, divides) = g.scaling(factors[side]),
          g.shape(matrix).elementCount >= node.shape.elementCount
        {
          factors[side] = matrix
          scales.append(divides ? g.unary(.reciprocal, scalar) : scalar)
        }
      }
      return scales.reduce(g.add(node.op, factors)) { g.multiply($0, $1) }
    }
  }
}

extension GraphBuilder {
  /// The parts of `x·broadcast(s)` or `x / broadcast(s)` with a scalar s that is no constant.
  fileprivate func scaling(_ value: Value) -> (matrix: Value, scalar: Value, divides: Bool)? {
    let node = graph[value]
    guard case .binary(let op) = node.op, op == .multiply || op == .divide else { return nil }
    func scalar(_ candidate: Value) -> Value? {
      guard case .broadcast(let broadcast) = graph[candidate].op, broadcast.axes.isEmpty else {
        return nil
      }
      return graph[candidate].operands[0]
    }
    if let s = scalar(node.operands[1]) { return (node.operands[0], s, op == .divide) }
    if op == .multiply, let s = scalar(node.operands[0]) { return (node.operands[1], s, false) }
    return nil
  }
}
