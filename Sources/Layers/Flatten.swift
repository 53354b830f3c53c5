import Model
import Tensors

/// All elements of a sample in row-major order: [c, h, w] → [c·h·w].
///
/// A relabelling of elements: constant 1 in every norm.
public struct Flatten: Layer {
  public static let kind = "flatten"
  public static let summary = "one axis from all: [c, h, w] → [c·h·w]"
  public static let examples: [Example] = [
    .good("flatten", input: [4, 5, 3]),
    .good("flatten", input: [16]),
    .bad("flatten: {«axis»: 1}", input: [4, 5, 3], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    [try Self.only(inputs).elementCount]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .linear(.scaling(1)) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let shape = context.graph.shape(inputs[0])
    return context.graph.reshape(inputs[0], to: [shape[0], shape.dropFirst().reduce(1, *)])
  }
}
