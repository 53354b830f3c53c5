import Model
import Tensors

/// y = x where x > 0, else α·(e^x − 1), element by element.
///
/// Slopes 1 above zero and α·e^x in (0, α] below: constant max(1, |α|) in every norm, for |α| > 1
/// approached as x → 0 from below.
public struct ELU: ElementwiseLayer {
  public static let kind = "elu"
  public static let summary = "y = x where x > 0, else alpha·(e^x − 1)"
  public static let alpha = Argument<Double>("alpha", "Limit −alpha as x → −∞.", default: 1)
  public static let arguments: [any ArgumentDeclaration] = [alpha]
  public static let shorthand: String? = "alpha"
  public static let examples: [Example] = [
    .good("elu", input: [16]),
    .good("elu: 0.5", input: [4, 5, 3]),
    .good("elu: {alpha: 2}", input: [4, 5, 3]),
    .bad("elu: {alpha: «big»}", input: [16], .wrongType),
  ]

  public let alpha: Double

  public init(_ arguments: Arguments) { alpha = arguments[Self.alpha] }

  var slopes: SlopeRange { SlopeRange(min(0, alpha), max(1, alpha)) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let negative = g.subtract(g.unary(.exp, g.binary(.minimum, x, g.constant(0, g.shape(x)))), 1)
    return g.add(g.unary(.relu, x), g.multiply(negative, alpha))
  }
}
