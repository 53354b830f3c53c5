import Diagnostics
import Model
import Tensors

/// A square of every channel set to the file's 0, centred at a uniform pixel and cut off at the
/// image's edges (DeVries and Taylor, 2017).
public struct Cutout: Augmentation {
  public static let kind = "cutout"
  public static let summary = "A square set to 0, anywhere in the image, with a probability"
  static let size = Argument<Int>(
    "size", "The side of the square, in pixels.", default: 8, in: .windowSize)
  static let probability = Argument<Double>(
    "probability", "How often a sample gets one.", default: 1, in: .unit)
  public static var arguments: [any ArgumentDeclaration] { [size, probability] }
  public static var shorthand: String? { "size" }
  public static var examples: [Example] {
    [
      .good("cutout"), .good("cutout: 6"), .good("cutout: {size: 4, probability: 0.5}"),
      .bad("cutout: {size: «-2»}", .outOfRange),
    ]
  }

  private let size: Int
  private let probability: Double

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    size = arguments[Self.size]
    probability = arguments[Self.probability]
  }

  public func refusal(of shape: Shape) -> String? { refusalOfNonImage(shape) }

  public func apply(
    to sample: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ layout: SampleLayout, random: inout PhiloxGenerator
  ) {
    guard random.uniform() < probability else { return }
    let (height, width) = (layout.height, layout.width)
    func span(_ extent: Int) -> Range<Int> {
      let start = Int(random.uniform() * Double(extent)) - size / 2
      return max(0, start)..<min(extent, start + size)
    }
    let (rows, columns) = (span(height), span(width))
    if columns.isEmpty { return }
    for channel in 0..<layout.channels {
      for row in rows {
        (sample + (channel * height + row) * width + columns.lowerBound)
          .update(repeating: layout.zeros[channel], count: columns.count)
      }
    }
  }
}
