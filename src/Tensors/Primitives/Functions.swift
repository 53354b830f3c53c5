import Glibc

extension Unary {
  /// The function on numbers, as the reference engine computes it and constants are folded.
  public func apply(_ x: Double) -> Double {
    switch self {
    case .negate: -x
    case .exp: Glibc.exp(x)
    case .log: Glibc.log(x)
    case .squareRoot: x.squareRoot()
    case .reciprocalSquareRoot: 1 / x.squareRoot()
    case .reciprocal: 1 / x
    case .tanh: Glibc.tanh(x)
    case .sigmoid: 1 / (1 + Glibc.exp(-x))
    case .relu: x < 0 ? 0 : x  // written so that NaN stays NaN
    case .softplus: Swift.max(x, 0) + Glibc.log1p(Glibc.exp(-Swift.abs(x)))
    case .absolute: Swift.abs(x)
    case .square: x * x
    case .sine: Glibc.sin(x)
    case .cosine: Glibc.cos(x)
    case .erf: Glibc.erf(x)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : 0
    case .step: x > 0 ? 1 : 0
    }
  }
}

extension Binary {
  /// The function on numbers, as the reference engine computes it and constants are folded.
  public func apply(_ x: Double, _ y: Double) -> Double {
    switch self {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .maximum: x >= y || x.isNaN ? x : y
    case .minimum: x <= y || x.isNaN ? x : y
    case .power: Glibc.pow(x, y)
    case .greater: x > y ? 1 : 0
    case .greaterOrEqual: x >= y ? 1 : 0
    case .equal: x == y ? 1 : 0
    case .maskPositive: y > 0 ? x : 0
    }
  }
}
