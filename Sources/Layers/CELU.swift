import Model
import Tensors

/// y = x where x > 0, else α·(e^(x/α) − 1), element by element, α > 0.
///
/// Slopes 1 above zero and e^(x/α) in (0, 1] below: constant 1 in every norm.
public struct CELU: ElementwiseLayer {
  public static let kind = "celu"
  public static let summary = "y = x where x > 0, else alpha·(e^(x/alpha) − 1)"
  public static let alpha = Argument<Double>(
    "alpha", "Limit −alpha as x → −∞.", default: 1, in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [alpha]
  public static let shorthand: String? = "alpha"
  public static let examples: [Example] = [
    .good("celu", input: [16]),
    .good("celu: 0.5", input: [4, 5, 3]),
    .bad("celu: {alpha: «0»}", input: [16], .outOfRange),
    .bad("celu: «-1»", input: [16], .outOfRange),
  ]

  public let alpha: Double

  public init(_ arguments: Arguments) { alpha = arguments[Self.alpha] }

  var slopes: SlopeRange { SlopeRange(0, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let below = g.binary(.minimum, g.multiply(x, 1 / alpha), g.constant(0, g.shape(x)))
    let negative = g.multiply(g.subtract(g.unary(.exp, below), 1), alpha)
    return g.add(g.unary(.relu, x), negative)
  }
}
