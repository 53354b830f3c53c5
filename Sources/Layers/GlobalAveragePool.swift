import Model
import Tensors

/// The mean of each channel over all its positions: [c, h, w] → [c].
///
/// A row 1/N per channel of N elements: constants 1/N, 1/√N and 1 in l1, l2 and linf.
public struct GlobalAveragePool: Layer {
  public static let kind = "global_average_pool"
  public static let summary = "the mean of each channel: [c, h, w] → [c]"
  public static let examples: [Example] = [
    .good("global_average_pool", input: [3, 4, 5]),
    .good("global_average_pool", input: [2, 7]),
    .bad("«global_average_pool»", input: [16], .shapeMismatch),
    .bad("global_average_pool: {«keepdim»: true}", input: [3, 4, 5], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    [try SpatialShape(Self.only(inputs), kind: Self.kind).channels]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(
      .separable(
        channels: inputs[0][0],
        axes: inputs[0].dropFirst().map { extent in
          AxisMap(inputs: extent, rows: [AxisMap.Row(Array(0..<extent), over: extent)])
        }))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let extents = g.shape(inputs[0]).dropFirst(2)
    let sum = g.sum(inputs[0], Array(extents.indices))
    return g.multiply(sum, 1 / Double(extents.reduce(1, *)))
  }
}
