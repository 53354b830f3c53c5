import Model
import Tensors

/// The same elements in row-major order under another shape (without the batch).
///
/// A relabelling of elements: constant 1 in every norm.
public struct ReshapeLayer: Layer {
  public static let kind = "reshape"
  public static let summary = "the same elements, row-major, under another shape"
  public static let shape = Argument<[Int]>(
    "shape", "Extents of a sample, outermost first, without the batch.", in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [shape]
  public static let shorthand: String? = "shape"
  public static let examples: [Example] = [
    .good("reshape: {shape: [1, 4, 4]}", input: [16]),
    .good("reshape: {shape: [60]}", input: [4, 5, 3]),
    .bad("reshape: {shape: «[5, 3]»}", input: [16], .shapeMismatch),
    .bad("reshape: {shape: [4, «-1»]}", input: [16], .outOfRange),
    .bad("«reshape»", input: [16], .missingKey),
  ]

  public let shape: Shape

  public init(_ arguments: Arguments) { shape = arguments[Self.shape] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard shape.countsElements(input.elementCount) else { throw .otherCount(input, shape) }
    return shape
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .linear(.scaling(1)) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    context.graph.reshape(inputs[0], to: [context.graph.shape(inputs[0])[0]] + shape)
  }
}

extension Shape {
  /// Whether the product of the extents is `count`; false, not a trap, where it overflows.
  fileprivate func countsElements(_ count: Int) -> Bool {
    var product = 1
    for extent in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      if overflow { return false }
      product = next
    }
    return product == count
  }
}

extension ShapeProblem {
  fileprivate static func otherCount(_ input: Shape, _ target: Shape) -> ShapeProblem {
    ShapeProblem(
      "an input of \(input.shapeText) does not have the elements of \(target.shapeText)",
      argument: "shape",
      help: "the extents must multiply to \(input.elementCount)")
  }
}
