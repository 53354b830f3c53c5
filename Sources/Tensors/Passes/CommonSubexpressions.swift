extension Program {
  /// Equal primitives on equal operands computed once (hash-consing). The first one's origin stays.
  public func withoutCommonSubexpressions() -> Program {
    struct Key: Hashable {
      let op: Op
      let operands: [Value]
    }
    var known: [Key: Value] = [:]
    known.reserveCapacity(graph.nodes.count)
    return rewritten { g, node, operands in
      // A shape follows from op and operands. The result takes the operands as they were written;
      // only the key is sorted.
      let isSymmetric = node.op == .binary(.add) || node.op == .binary(.multiply)
      let key = Key(op: node.op, operands: isSymmetric ? operands.sorted() : operands)
      if let value = known[key] { return value }
      let value = g.keep(node, operands)
      known[key] = value
      return value
    }
  }
}
