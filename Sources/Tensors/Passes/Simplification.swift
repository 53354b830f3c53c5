extension Program {
  /// Constants folded and identities applied, rule by rule as below, until none fits any more.
  ///
  /// Rules hold over the real numbers: a product with 0 is 0 whatever the other factor. They keep
  /// derivatives, and rounding too except where numbers are combined (z·2·3 → z·6).
  public func simplified() -> Program {
    rewritten { g, node, operands in
      let fresh = g.graph.nodes.count
      guard var value = g.simplified(node.op, operands, node.shape) else {
        return g.keep(node, operands)
      }
      // What a rule made may be simpler still.
      while value.index >= fresh {
        let made = g.graph[value]
        guard let next = g.simplified(made.op, made.operands, made.shape) else { break }
        value = next
      }
      return value
    }
  }
}

extension GraphBuilder {
  /// A simpler value that equals op(operands), nil if no rule fits.
  fileprivate func simplified(_ op: Op, _ x: [Value], _ shape: Shape) -> Value? {
    switch op {
    case .input, .state, .constant, .iota, .random: return nil
    case .unary(let op): return simplified(op, x[0])
    case .binary(let op): return simplified(op, x[0], x[1])
    case .select:
      if let condition = number(x[0]) { return condition != 0 ? x[1] : x[2] }
      return x[1] == x[2] ? x[1] : nil
    case .exchange(let op): return simplified(op, key: x[0], x[1])
    case .stopGradient:
      if case .stopGradient = graph[x[0]].op { return x[0] }
      return number(x[0]) == nil ? nil : x[0]
    case .reduce(let op): return simplified(op, x[0], shape)
    case .dot(let op): return simplified(op, x[0], x[1], shape)
    case .broadcast, .reshape, .transpose, .slice, .pad, .concatenate:
      return reindexed(op, x, shape)
    case .take(let op): return simplified(op, x[0], shape)
    case .put(let op): return simplified(op, x[0], shape)
    case .convolution: return x.contains { number($0) == 0 } ? constant(0, shape) : nil
    case .window(let op): return simplified(op, x, shape)
    }
  }

  /// What the value is `op` of, for a unary op.
  private func argument(_ op: Unary, _ value: Value) -> Value? {
    if case .unary(op) = graph[value].op { return graph[value].operands[0] }
    return nil
  }

  /// z and the number c, for a value z∘c.
  private func parts(_ op: Binary, _ value: Value) -> (Value, Double)? {
    guard case .binary(op) = graph[value].op, let c = number(graph[value].operands[1]) else {
      return nil
    }
    return (graph[value].operands[0], c)
  }

  /// The constant, unless a float32 engine could not hold it well: a combination of numbers must
  /// not overflow or vanish where the separate steps would not.
  private func combined(_ result: Double) -> Double? {
    result == 0 || 1e-30...1e30 ~= result.magnitude ? result : nil
  }

  // MARK: unary

  private func simplified(_ op: Unary, _ x: Value) -> Value? {
    if let value = number(x) {
      let result = op.apply(value)
      return result.isFinite ? constant(result, shape(x)) : nil
    }
    switch op {
    case .negate:
      if let z = argument(.negate, x) { return z }  // −(−z) = z
      if let (z, c) = parts(.multiply, x) { return multiply(z, -c) }
      if case .binary(.subtract) = graph[x].op {  // −(a − b) = b − a
        return subtract(graph[x].operands[1], graph[x].operands[0])
      }
      return nil
    case .square:
      if let z = argument(.negate, x) ?? argument(.absolute, x) { return square(z) }
      // As z·c·γ becomes z·(cγ), so must its square: Adam's two moments stay of one tensor.
      if let (z, c) = parts(.multiply, x), let c = combined(c * c) { return multiply(square(z), c) }
      return nil
    case .absolute:
      if argument(.absolute, x) != nil || argument(.square, x) != nil { return x }
      return argument(.negate, x).map { unary(.absolute, $0) }
    case .relu: return argument(.relu, x) != nil ? x : nil
    case .reciprocal: return argument(.reciprocal, x)
    default: return nil
    }
  }

  // MARK: binary

  private func simplified(_ op: Binary, _ x: Value, _ y: Value) -> Value? {
    let (a, b) = (number(x), number(y))
    if let a, let b {
      let result = op.apply(a, b)
      return result.isFinite ? constant(result, shape(x)) : nil
    }
    switch op {
    case .add: return sum(x, a, y, b)
    case .subtract:
      if let b { return add(x, -b) }
      if a == 0 { return negate(y) }
      if x == y { return constant(0, shape(x)) }
      return argument(.negate, y).map { add(x, $0) }
    case .multiply: return product(x, a, y, b)
    case .divide:
      if b == 1 { return x }
      if a == 0 { return x }
      // Exact only for powers of two; a rounded reciprocal would change the result.
      if let b, b.significand == 1, -100...100 ~= b.exponent { return multiply(x, 1 / b) }
      return nil
    case .power: return b.flatMap { power(x, $0) }
    case .maximum, .minimum: return x == y ? x : nil
    case .maskPositive:
      if let b { return b > 0 ? x : constant(0, shape(x)) }
      if a == 0 { return x }
      if case .binary(.maskPositive) = graph[x].op, graph[x].operands[1] == y { return x }
      return nil
    case .greater, .greaterOrEqual, .equal: return nil
    }
  }

  private func sum(_ x: Value, _ a: Double?, _ y: Value, _ b: Double?) -> Value? {
    if b == 0 { return x }
    if a != nil { return add(y, x) }  // constants stand right
    if let b, let (z, c) = parts(.add, x), let sum = combined(b + c) { return add(z, sum) }
    if let z = argument(.negate, y) { return subtract(x, z) }  // x + (−z) = x − z
    return argument(.negate, x).map { subtract(y, $0) }
  }

  private func product(_ x: Value, _ a: Double?, _ y: Value, _ b: Double?) -> Value? {
    if a != nil { return multiply(y, x) }
    switch b {
    case 0: return y
    case 1: return x
    case -1: return negate(x)
    default: break
    }
    if let b {
      if let (z, c) = parts(.multiply, x), let factor = combined(b * c) {
        return multiply(z, factor)  // (z·c)·b = z·(bc)
      }
      return argument(.negate, x).map { multiply($0, -b) }
    }
    if x == y { return square(x) }
    if let z = argument(.negate, x), let w = argument(.negate, y) { return multiply(z, w) }
    if let z = argument(.reciprocal, y) { return divide(x, z) }
    return argument(.reciprocal, x).map { divide(y, $0) }
  }

  private func power(_ x: Value, _ exponent: Double) -> Value? {
    switch exponent {
    case 0: constant(1, shape(x))
    case 1: x
    case 2: square(x)
    case 0.5: unary(.squareRoot, x)
    case -0.5: unary(.reciprocalSquareRoot, x)
    case -1: unary(.reciprocal, x)
    default: nil
    }
  }

  private func simplified(_ op: Exchange, key: Value, _ x: Value) -> Value? {
    // Equal numbers, of the key or of the value, leave everything as it is.
    if number(key) != nil || number(x) != nil { return x }
    let inner = graph[x]
    return inner.op == .exchange(op) && inner.operands[0] == key ? inner.operands[1] : nil
  }

  // MARK: reductions and products

  private func simplified(_ op: Reduce, _ x: Value, _ result: Shape) -> Value? {
    let count = op.axes.map { shape(x)[$0] }.elementCount
    if let value = number(x) {
      return constant(op.kind == .sum ? value * Double(count) : value, result)
    }
    if count == 1 { return reshape(x, to: result) }
    switch graph[x].op {
    case .broadcast(let broadcast) where Set(broadcast.axes).isDisjoint(with: op.axes):
      // Only over copies: a multiple.
      let remaining = broadcast.axes.map { axis in axis - op.axes.filter { $0 < axis }.count }
      let inner = self.broadcast(graph[x].operands[0], to: result, axes: remaining)
      return op.kind == .sum ? multiply(inner, Double(count)) : inner
    case .reduce(let first) where first.kind == op.kind:
      let inner = graph[x].operands[0]
      let kept = shape(inner).indices.filter { !first.axes.contains($0) }
      return add(
        .reduce(Reduce(op.kind, axes: first.axes + op.axes.map { kept[$0] })), [inner])
    default: return nil
    }
  }

  /// A transposed operand is the dot's own business.
  private func simplified(_ op: Dot, _ a: Value, _ b: Value, _ result: Shape) -> Value? {
    if number(a) == 0 || number(b) == 0 { return constant(0, result) }
    // A column times a row is a product element by element, which loops take in where it is read.
    if shape(a)[op.transposeLeft ? 0 : 1] == 1 {
      let column = broadcast(reshape(a, to: [result[0]]), to: result, axes: [0])
      return multiply(column, broadcast(reshape(b, to: [result[1]]), to: result, axes: [1]))
    }
    func untransposed(_ x: Value) -> Value? {
      guard case .transpose(let op) = graph[x].op, op.permutation == [1, 0] else { return nil }
      return graph[x].operands[0]
    }
    let (left, right) = (untransposed(a), untransposed(b))
    if left == nil, right == nil { return nil }
    return dot(
      left ?? a, right ?? b, transposeLeft: op.transposeLeft != (left != nil),
      transposeRight: op.transposeRight != (right != nil))
  }
}
