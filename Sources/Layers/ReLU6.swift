import Model
import Tensors

/// y = min(max(x, 0), 6), element by element.
///
/// Slopes 0 and 1: constant 1 in every norm.
public struct ReLU6: ElementwiseLayer {
  public static let kind = "relu6"
  public static let summary = "y = min(max(x, 0), 6)"
  public static let examples: [Example] = [
    .good("relu6", input: [16]),
    .bad("relu6: {«max»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(6) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.binary(.minimum, g.unary(.relu, x), g.constant(6, g.shape(x)))
  }
}
