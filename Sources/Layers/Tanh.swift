import Model
import Tensors

/// y = tanh(x), element by element.
///
/// Slopes 1 − tanh² in (0, 1]: constant 1 in every norm, attained at 0.
public struct Tanh: ElementwiseLayer {
  public static let kind = "tanh"
  public static let summary = "y = tanh(x)"
  public static let examples: [Example] = [
    .good("tanh", input: [16]),
    .bad("tanh: {«beta»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value { context.graph.unary(.tanh, x) }
}
