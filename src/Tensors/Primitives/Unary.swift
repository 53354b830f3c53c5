/// y = φ(x), element by element.
public enum Unary: String, Primitive, CaseIterable {
  case negate, exp, log, squareRoot, reciprocalSquareRoot, reciprocal, tanh, sigmoid, relu
  /// log(1 + e^x) = max(x, 0) + log1p(e^(−|x|))
  case softplus
  case absolute, square, sine, cosine, erf
  /// −1, 0 or 1
  case sign
  /// 1 where x > 0, else 0
  case step

  public var mnemonic: String { rawValue }
  public var attributes: String { "" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1 else { throw ShapeError("takes one operand") }
    return operands[0]
  }

  /// With y = φ(x) and cotangent g, the cotangent of x. Where a rule can use y instead of x it
  /// does, so that x need not be kept.
  public func gradient(
    _ g: GraphBuilder, value y: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let x = operands[0]
    switch self {
    case .negate: return [g.negate(c)]
    case .exp: return [g.multiply(c, y)]
    case .log: return [g.divide(c, x)]
    case .squareRoot: return [g.multiply(g.divide(c, y), 0.5)]
    case .reciprocalSquareRoot: return [g.multiply(g.multiply(c, g.multiply(y, g.square(y))), -0.5)]
    case .reciprocal: return [g.negate(g.multiply(c, g.square(y)))]
    case .tanh: return [g.multiply(c, g.subtract(1, g.square(y)))]
    case .sigmoid: return [g.multiply(c, g.multiply(y, g.subtract(1, y)))]
    case .relu: return [g.binary(.maskPositive, c, y)]
    case .softplus: return [g.multiply(c, g.unary(.sigmoid, x))]
    case .absolute: return [g.multiply(c, g.unary(.sign, x))]
    case .square: return [g.multiply(g.multiply(c, x), 2)]
    case .sine: return [g.multiply(c, g.unary(.cosine, x))]
    case .cosine: return [g.negate(g.multiply(c, g.unary(.sine, x)))]
    case .erf:  // d/dx erf x = 2/√π · e^(−x²)
      let slope = g.multiply(g.unary(.exp, g.negate(g.square(x))), 1.1283791670955126)
      return [g.multiply(c, slope)]
    case .sign, .step: return [nil]
    }
  }
}
