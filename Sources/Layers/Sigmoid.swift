import Model
import Rounding
import Tensors

/// y = 1 / (1 + e^(−x)), element by element.
///
/// Slopes y·(1 − y) in (0, 1/4]: constant 1/4 in every norm, attained at 0.
public struct Sigmoid: ElementwiseLayer {
  public static let kind = "sigmoid"
  public static let summary = "y = 1 / (1 + e^(−x))"
  public static let examples: [Example] = [
    .good("sigmoid", input: [16]),
    .bad("sigmoid: {«slope»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, 0.25) }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    [
      Caution(
        .smallSlope, "`\(name)` has the constant 1/4, so what follows it sees a quarter at most",
        help: "`tanh` is the same curve with the constant 1")
    ]
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value { context.graph.unary(.sigmoid, x) }
}
