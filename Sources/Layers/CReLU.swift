import Model
import Tensors

/// y = (max(x, 0), max(−x, 0)): twice the channels, the positive parts first.
///
/// Of each element at most one part is not 0, so ‖y(a) − y(b)‖ ≤ ‖a − b‖: constant 1 in every norm,
/// where two branches side by side would have 2 in l1 and √2 in l2.
public struct CReLU: Layer {
  public static let kind = "crelu"
  public static let summary = "positive and negative parts side by side: twice the channels"
  public static let examples: [Example] = [
    .good("crelu", input: [6]),
    .good("crelu", input: [3, 2, 2]),
    .bad("crelu: {«slope»: 0.1}", input: [6], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    var shape = try Self.only(inputs)
    shape[0] *= 2
    return shape
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.concatenate(
      [g.unary(.relu, inputs[0]), g.unary(.relu, g.negate(inputs[0]))], axis: 1)
  }
}
