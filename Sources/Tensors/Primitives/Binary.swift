/// z = φ(x, y), element by element, operands of equal shape (use `broadcast` first).
public enum Binary: String, Primitive, CaseIterable {
  case add, subtract, multiply, divide, maximum, minimum, power
  /// 1 where the relation holds, else 0
  case greater, greaterOrEqual, equal
  /// x where y > 0, else 0: ReLU's derivative, which reads the result and frees the input
  case maskPositive

  public var mnemonic: String { rawValue }
  public var attributes: String { "" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 2 else { throw ShapeError("takes two operands") }
    guard operands[0] == operands[1] else {
      throw ShapeError("operands are \(operands[0].shapeText) and \(operands[1].shapeText)")
    }
    return operands[0]
  }

  /// At a tie of maximum or minimum the whole cotangent flows to the first operand.
  public func gradient(
    _ g: GraphBuilder, value z: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let (x, y) = (operands[0], operands[1])
    switch self {
    case .add: return [c, c]
    case .subtract: return [c, g.negate(c)]
    case .multiply: return [g.multiply(c, y), g.multiply(c, x)]
    case .divide: return [g.divide(c, y), g.negate(g.divide(g.multiply(c, z), y))]
    case .maximum:
      let first = g.binary(.greaterOrEqual, x, y)
      return [g.multiply(c, first), g.multiply(c, g.subtract(1, first))]
    case .minimum:
      let first = g.binary(.greaterOrEqual, y, x)
      return [g.multiply(c, first), g.multiply(c, g.subtract(1, first))]
    case .power:
      let slope = g.multiply(y, g.binary(.power, x, g.subtract(y, 1)))
      return [g.multiply(c, slope), g.multiply(c, g.multiply(z, g.unary(.log, x)))]
    case .greater, .greaterOrEqual, .equal: return [nil, nil]
    case .maskPositive: return [g.binary(.maskPositive, c, y), nil]
    }
  }
}

/// z = x where condition ≠ 0, else y; operands (condition, x, y) of equal shape.
public struct Select: Primitive {
  public init() {}
  public var mnemonic: String { "select" }
  public var attributes: String { "" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 3, operands[0] == operands[1], operands[1] == operands[2] else {
      throw ShapeError("takes three operands of equal shape")
    }
    return operands[0]
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let zero = g.constant(0, g.shape(value))
    return [nil, g.select(operands[0], c, zero), g.select(operands[0], zero, c)]
  }
}
