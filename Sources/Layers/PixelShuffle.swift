import Model
import Tensors

/// [c·r², h, w] → [c, h·r, w·r]: channel c·r² + i·r + j becomes the positions (i, j) of every r×r
/// square of channel c, as PyTorch's `PixelShuffle`.
///
/// A relabelling of elements: constant 1 in every norm.
public struct PixelShuffle: Layer {
  public static let kind = "pixel_shuffle"
  public static let summary = "channels into squares of positions: [c·r², h, w] → [c, h·r, w·r]"
  public static let factor = Argument<Int>("factor", "r, the side of a square.", in: .windowSize)
  public static let arguments: [any ArgumentDeclaration] = [factor]
  public static let shorthand: String? = "factor"
  public static let examples: [Example] = [
    .good("pixel_shuffle: 2", input: [8, 2, 3]),
    .good("pixel_shuffle: {factor: 3}", input: [9, 1, 2]),
    .bad("pixel_shuffle: «3»", input: [8, 2, 3], .shapeMismatch),
    .bad("«pixel_shuffle»: 2", input: [8, 2], .shapeMismatch),
    .bad("pixel_shuffle: «0»", input: [8, 2, 3], .outOfRange),
  ]

  let factor: Int

  public init(_ arguments: Arguments) { factor = arguments[Self.factor] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    let sample = try SpatialShape(image: input, kind: Self.kind)
    let square = factor * factor
    guard sample.channels % square == 0 else {
      throw ShapeProblem(
        "\(sample.channels) channels do not make squares of \(factor)×\(factor)",
        argument: "factor", help: "the channels must be a multiple of \(square)")
    }
    return [sample.channels / square] + sample.extents.map { $0 * factor }
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let s = g.shape(inputs[0])
    let channels = s[1] / (factor * factor)
    let split = g.reshape(inputs[0], to: [s[0], channels, factor, factor, s[2], s[3]])
    return g.reshape(
      g.transpose(split, [0, 1, 4, 2, 5, 3]),
      to: [s[0], channels, s[2] * factor, s[3] * factor])
  }
}
