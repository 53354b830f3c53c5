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
  ///
  /// ∂xʸ/∂x = y·xʸ⁻¹ and ∂xʸ/∂y = xʸ·ln x, which is 0 at x = 0 (y > 0). A constant exponent k is
  /// lowered as a number, k·xᵏ⁻¹ and nothing for k = 0: no derivative of any order of x², x³, …
  /// then meets 0·0⁻¹.
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
      let isZero = g.binary(.equal, x, g.constant(0, g.shape(x)))
      let logarithm = g.unary(.log, g.select(isZero, g.constant(1, g.shape(x)), x))
      return [
        slope(g, x, y).map { g.multiply(c, $0) }, g.multiply(c, g.multiply(z, logarithm)),
      ]
    case .greater, .greaterOrEqual, .equal: return [nil, nil]
    case .maskPositive: return [g.binary(.maskPositive, c, y), nil]
    }
  }

  /// The number of a constant exponent, seen through broadcasts.
  private func exponent(_ g: GraphBuilder, _ y: Value) -> Double? {
    switch g.graph[y].op {
    case .constant(let constant): constant.number
    case .broadcast: exponent(g, g.graph[y].operands[0])
    default: nil
    }
  }

  /// ∂xʸ/∂x, nil for 0.
  private func slope(_ g: GraphBuilder, _ x: Value, _ y: Value) -> Value? {
    guard let k = exponent(g, y) else {
      return g.multiply(y, g.binary(.power, x, g.subtract(y, 1)))
    }
    if k == 0 { return nil }
    if k == 1 { return g.constant(1, g.shape(x)) }
    return g.multiply(g.binary(.power, x, g.constant(k - 1, g.shape(x))), k)
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
