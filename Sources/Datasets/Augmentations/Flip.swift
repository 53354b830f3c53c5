import Diagnostics
import Model
import Tensors

/// A mirror image with a probability: x[c, i, j] ↦ x[c, i, W − 1 − j], or x[c, H − 1 − i, j].
public struct Flip: Augmentation {
  public enum Axis: String, CaseIterable, ArgumentValue { case horizontal, vertical }

  public static let kind = "flip"
  public static let summary = "The mirror image, with a probability"
  static let axis = Argument<Axis>(
    "axis", "`horizontal` swaps left and right, `vertical` top and bottom.", default: .horizontal)
  static let probability = Argument<Double>(
    "probability", "How often a sample is mirrored.", default: 0.5, in: .unit)
  public static var arguments: [any ArgumentDeclaration] { [axis, probability] }
  public static var shorthand: String? { "axis" }
  public static var examples: [Example] {
    [
      .good("flip"), .good("flip: vertical"),
      .good("flip: {axis: horizontal, probability: 0.25}"),
      .bad("flip: {probability: «1.5»}", .outOfRange),
      .bad("flip: «sideways»", .wrongType),
    ]
  }

  private let axis: Axis
  private let probability: Double

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    axis = arguments[Self.axis]
    probability = arguments[Self.probability]
  }

  public func refusal(of shape: Shape) -> String? { refusalOfNonImage(shape) }

  public func apply(
    to sample: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ layout: SampleLayout, random: inout PhiloxGenerator
  ) {
    guard random.uniform() < probability else { return }
    let (height, width) = (layout.height, layout.width)
    for channel in 0..<layout.channels {
      let plane = sample + channel * height * width
      switch axis {
      case .horizontal:
        for row in 0..<height {
          var line = UnsafeMutableBufferPointer(start: plane + row * width, count: width)
          line.reverse()
        }
      case .vertical:
        for row in 0..<height / 2 {
          for column in 0..<width {
            let (above, below) = (row * width + column, (height - 1 - row) * width + column)
            (plane[above], plane[below]) = (plane[below], plane[above])
          }
        }
      }
    }
  }
}
