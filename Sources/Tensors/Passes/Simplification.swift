import Glibc

extension Program {
  /// Constants folded and identities removed, rule by rule as below; over the real numbers, so a
  /// product with 0 is 0 whatever the other factor.
  public func simplified() -> Program {
    rewritten { g, node, operands in g.simplified(node, operands) ?? g.add(node.op, operands) }
  }
}

extension GraphBuilder {
  /// The number that a tensor holds at every element, if it is known.
  fileprivate func number(_ value: Value) -> Double? {
    if case .constant(let constant) = graph[value].op { return constant.number }
    return nil
  }

  /// What the value is `op` of, for a unary op.
  fileprivate func argument(_ op: Unary, _ value: Value) -> Value? {
    if case .unary(op) = graph[value].op { return graph[value].operands[0] }
    return nil
  }

  /// A simpler value that equals op(operands), nil if no rule fits.
  fileprivate func simplified(_ node: GraphNode, _ x: [Value]) -> Value? {
    switch node.op {
    case .input, .state, .constant, .iota, .random, .stopGradient: return nil
    case .unary(let op): return simplified(op, x[0])
    case .binary(let op): return simplified(op, x[0], x[1])
    case .select:
      if let condition = number(x[0]) { return condition != 0 ? x[1] : x[2] }
      return x[1] == x[2] ? x[1] : nil
    case .reduce(let op): return simplified(op, x[0], node.shape)
    case .dot:
      return number(x[0]) == 0 || number(x[1]) == 0 ? constant(0, node.shape) : nil
    case .broadcast, .reshape, .transpose, .slice, .pad, .concatenate:
      return reindexed(node, x)
    }
  }

  // MARK: element-wise

  private func simplified(_ op: Unary, _ x: Value) -> Value? {
    if let value = number(x) {
      let result = op.apply(value)
      return result.isFinite ? constant(result, shape(x)) : nil
    }
    switch op {
    case .negate: return argument(.negate, x)  // −(−x) = x
    case .square: return argument(.negate, x).map { square($0) } ?? argument(.absolute, x).map { square($0) }
    case .absolute: return argument(.negate, x).map { unary(.absolute, $0) }
    case .reciprocal: return argument(.reciprocal, x)
    default: return nil
    }
  }

  private func simplified(_ op: Binary, _ x: Value, _ y: Value) -> Value? {
    let (a, b) = (number(x), number(y))
    if let a, let b {
      let result = op.apply(a, b)
      if result.isFinite { return constant(result, shape(x)) }
    }
    switch op {
    case .add:
      if b == 0 { return x }
      if a == 0 { return y }
      if a != nil { return add(y, x) }  // constants stand right
      if let z = argument(.negate, y) { return subtract(x, z) }  // x + (−z) = x − z
      if let z = argument(.negate, x) { return subtract(y, z) }
    case .subtract:
      if b == 0 { return x }
      if a == 0 { return negate(y) }
      if let z = argument(.negate, y) { return add(x, z) }
    case .multiply:
      if b == 1 { return x }
      if a == 1 { return y }
      if a == 0 || b == 0 { return constant(0, shape(x)) }
      if b == -1 { return negate(x) }
      if a != nil { return multiply(y, x) }
      if let b, case .binary(.multiply) = graph[x].op, let c = number(graph[x].operands[1]) {
        return multiply(graph[x].operands[0], b * c)  // (z·c)·b = z·(bc)
      }
      if let z = argument(.reciprocal, y) { return divide(x, z) }
      if let z = argument(.reciprocal, x) { return divide(y, z) }
    case .divide:
      if b == 1 { return x }
      // Exact only for powers of two; a rounded reciprocal would change the result.
      if let b, b != 0, b.significand == 1, (1 / b).isFinite { return multiply(x, 1 / b) }
    case .power:
      switch b {
      case 1: return x
      case 2: return square(x)
      case 0.5: return unary(.squareRoot, x)
      case -1: return unary(.reciprocal, x)
      default: break
      }
    case .maximum, .minimum: return x == y ? x : nil
    case .maskPositive:
      if let b { return b > 0 ? x : constant(0, shape(x)) }
      if a == 0 { return x }
    case .greater, .greaterOrEqual, .equal: break
    }
    return nil
  }

  // MARK: reductions and shape

  private func simplified(_ op: Reduce, _ x: Value, _ result: Shape) -> Value? {
    let extents = op.axes.map { shape(x)[$0] }
    if let value = number(x) {
      return constant(op.kind == .sum ? value * Double(extents.elementCount) : value, result)
    }
    if extents.allSatisfy({ $0 == 1 }) { return reshape(x, to: result) }
    // Over axes that a broadcast made: n copies.
    if case .broadcast(let broadcast) = graph[x].op,
      op.axes.allSatisfy({ !broadcast.axes.contains($0) })
    {
      let remaining = broadcast.axes.map { axis in axis - op.axes.filter { $0 < axis }.count }
      let inner = self.broadcast(graph[x].operands[0], to: result, axes: remaining)
      return op.kind == .sum ? multiply(inner, Double(extents.elementCount)) : inner
    }
    return nil
  }

  private func reindexed(_ node: GraphNode, _ x: [Value]) -> Value? {
    let inner = graph[x[0]]
    if let value = number(x[0]), x.allSatisfy({ number($0) == value }) {
      if case .pad = node.op, value != 0 { return nil }
      return constant(value, node.shape)
    }
    switch node.op {
    case .broadcast(let op):
      if inner.shape == node.shape { return x[0] }
      if case .broadcast(let first) = inner.op {
        return broadcast(inner.operands[0], to: node.shape, axes: first.axes.map { op.axes[$0] })
      }
    case .reshape:
      if inner.shape == node.shape { return x[0] }
      if case .reshape = inner.op { return reshape(inner.operands[0], to: node.shape) }
    case .transpose(let op):
      if op.permutation == Array(op.permutation.indices) { return x[0] }
      if case .transpose(let first) = inner.op {
        return transpose(inner.operands[0], op.permutation.map { first.permutation[$0] })
      }
    case .slice, .pad:
      if inner.shape == node.shape { return x[0] }
    case .concatenate:
      if x.count == 1 { return x[0] }
    default: break
    }
    return nil
  }
}
