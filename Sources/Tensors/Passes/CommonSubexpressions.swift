extension Program {
  /// Equal primitives on equal operands computed once (hash-consing). The first one's origin stays.
  public func withoutCommonSubexpressions() -> Program {
    struct Key: Hashable {
      let op: Op
      let operands: [Value]
      let shape: Shape
    }
    var known: [Key: Value] = [:]
    known.reserveCapacity(graph.nodes.count)
    return rewritten { g, node, operands in
      let key = Key(op: node.op, operands: operands, shape: node.shape)
      if let value = known[key] { return value }
      let value = g.add(node.op, operands)
      known[key] = value
      return value
    }
  }
}
