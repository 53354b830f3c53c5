import Model
import Tensors

/// The axes of a sample in another order: axis k of the result is axis `axes[k]` of the input, as
/// PyTorch's `permute` without the batch.
///
/// A relabelling of elements: constant 1 in every norm.
public struct Permute: Layer {
  public static let kind = "permute"
  public static let summary = "the axes of a sample in another order"
  public static let axes = Argument<[Int]>(
    "axes", "For each axis of the result the input's axis, from 0.", in: .nonNegative)
  public static let arguments: [any ArgumentDeclaration] = [axes]
  public static let shorthand: String? = "axes"
  public static let examples: [Example] = [
    .good("permute: [1, 0]", input: [2, 3]),
    .good("permute: {axes: [2, 0, 1]}", input: [2, 3, 4]),
    .bad("permute: «[0, 0]»", input: [2, 3], .shapeMismatch),
    .bad("permute: {axes: «[1, 0]»}", input: [2, 3, 4], .shapeMismatch),
    .bad("permute: [0, «-1»]", input: [2, 3], .outOfRange),
    .bad("«permute»", input: [2, 3], .missingKey),
  ]

  public let axes: [Int]

  public init(_ arguments: Arguments) { axes = arguments[Self.axes] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard axes.sorted() == Array(input.indices) else {
      throw ShapeProblem(
        "the axes of \(input.shapeText) are \(Array(input.indices)), each once", argument: "axes")
    }
    return axes.map { input[$0] }
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    context.graph.transpose(inputs[0], [0] + axes.map { $0 + 1 })
  }
}
