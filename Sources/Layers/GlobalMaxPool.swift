import Model
import Tensors

/// The largest element of each channel: [c, h, w] → [c].
///
/// One window per channel: constant 1 in every norm.
public struct GlobalMaxPool: Layer {
  public static let kind = "global_max_pool"
  public static let summary = "the largest element of each channel: [c, h, w] → [c]"
  public static let examples: [Example] = [
    .good("global_max_pool", input: [3, 4, 5]),
    .good("global_max_pool", input: [2, 7]),
    .bad("«global_max_pool»", input: [16], .shapeMismatch),
    .bad("global_max_pool: {«keepdim»: true}", input: [3, 4, 5], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    [try SpatialShape(Self.only(inputs), kind: Self.kind).channels]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.maximum(over: Array(g.shape(inputs[0]).indices.dropFirst(2)), inputs[0])
  }
}
