import Model
import Tensors

/// y = sin(ω·x), element by element.
///
/// Slopes ω·cos(ω·x) in [−|ω|, |ω|]: constant |ω| in every norm, attained at 0.
public struct Sine: ElementwiseLayer {
  public static let kind = "sin"
  public static let summary = "y = sin(omega·x)"
  public static let omega = Argument<Double>("omega", "Angular frequency.", default: 1)
  public static let arguments: [any ArgumentDeclaration] = [omega]
  public static let shorthand: String? = "omega"
  public static let examples: [Example] = [
    .good("sin", input: [16]),
    .good("sin: 30", input: [4, 5, 3]),
    .bad("sin: {omega: «fast»}", input: [16], .wrongType),
  ]

  public let omega: Double

  public init(_ arguments: Arguments) { omega = arguments[Self.omega] }

  var slopes: SlopeRange { SlopeRange(-abs(omega), abs(omega)) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.unary(.sine, omega == 1 ? x : g.multiply(x, omega))
  }
}
