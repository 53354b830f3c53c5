import Model
import Tensors

/// [c, h·r, w·r] → [c·r², h, w]: the inverse of `pixel_shuffle`, as PyTorch's `PixelUnshuffle`.
/// Downsampling that loses nothing.
///
/// A relabelling of elements: constant 1 in every norm.
public struct PixelUnshuffle: Layer {
  public static let kind = "pixel_unshuffle"
  public static let summary = "squares of positions into channels: [c, h·r, w·r] → [c·r², h, w]"
  public static let factor = Argument<Int>("factor", "r, the side of a square.", in: .windowSize)
  public static let arguments: [any ArgumentDeclaration] = [factor]
  public static let shorthand: String? = "factor"
  public static let examples: [Example] = [
    .good("pixel_unshuffle: 2", input: [2, 4, 6]),
    .good("pixel_unshuffle: {factor: 3}", input: [1, 3, 6]),
    .bad("pixel_unshuffle: «3»", input: [1, 4, 6], .shapeMismatch),
    .bad("«pixel_unshuffle»: 2", input: [8, 2], .shapeMismatch),
    .bad("«pixel_unshuffle»", input: [2, 4, 6], .missingKey),
  ]

  let factor: Int

  public init(_ arguments: Arguments) { factor = arguments[Self.factor] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    let sample = try SpatialShape(image: input, kind: Self.kind)
    guard sample.extents.allSatisfy({ $0 % factor == 0 }) else {
      throw ShapeProblem(
        "\(factor) does not divide both axes of \(input.shapeText)", argument: "factor",
        help: "pad the image, or take another factor")
    }
    // At most the elements of the input: no product of these overflows.
    return [sample.channels * factor * factor] + sample.extents.map { $0 / factor }
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let s = g.shape(inputs[0])
    let (height, width) = (s[2] / factor, s[3] / factor)
    let split = g.reshape(inputs[0], to: [s[0], s[1], height, factor, width, factor])
    return g.reshape(
      g.transpose(split, [0, 1, 3, 5, 2, 4]), to: [s[0], s[1] * factor * factor, height, width])
  }
}
