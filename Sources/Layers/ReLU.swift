import Model
import Tensors

/// y = max(x, 0), element by element.
///
/// Slopes 0 and 1: constant 1 in every norm, attained at x > 0. At 0 the gradient is 0.
public struct ReLU: ElementwiseLayer {
  public static let kind = "relu"
  public static let summary = "y = max(x, 0)"
  public static let examples: [Example] = [
    .good("relu", input: [16]),
    .good("relu", input: [4, 5, 3]),
    .bad("relu: {«slope»: 0.1}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value { context.graph.unary(.relu, x) }
}
