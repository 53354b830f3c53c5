import Diagnostics
import Glibc
import Model
import Tensors

/// x + deviation·z, z standard normal and independent for every number of every sample.
public struct Noise: Augmentation {
  public static let kind = "noise"
  public static let summary = "Normal noise on every number of the sample"
  static let deviation = Argument<Double>(
    "deviation", "Its standard deviation, in the units of the model's input.", in: .positive)
  public static var arguments: [any ArgumentDeclaration] { [deviation] }
  public static var shorthand: String? { "deviation" }
  public static var examples: [Example] {
    [
      .good("noise: 0.05"), .good("noise: {deviation: 0.25}"),
      .bad("«noise»", .missingKey), .bad("noise: «0»", .outOfRange),
    ]
  }

  private let deviation: Float

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    deviation = Float(arguments[Self.deviation])
  }

  public func refusal(of shape: Shape) -> String? { nil }

  /// Four deviates from each block of four random words, by Box and Muller in float32: words to
  /// (0, 1] and [0, 1) by 24 bits, so no deviate is beyond √(48·ln 2) = 5.8.
  public func apply(
    to sample: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ layout: SampleLayout, random: inout PhiloxGenerator
  ) {
    func radius(_ word: UInt32) -> Float {
      (-2 * logf(Float((word >> 8) + 1) * 0x1p-24)).squareRoot() * deviation
    }
    func angle(_ word: UInt32) -> Float { Float(word >> 8) * (2 * Float.pi * 0x1p-24) }
    let count = layout.count
    for start in stride(from: 0, to: count, by: 4) {
      let words = random.nextBlock()
      let (r, a) = (radius(words.0), angle(words.1))
      let (s, b) = (radius(words.2), angle(words.3))
      let deviates = (r * cosf(a), r * sinf(a), s * cosf(b), s * sinf(b))
      sample[start] += deviates.0
      if start + 1 < count { sample[start + 1] += deviates.1 }
      if start + 2 < count { sample[start + 2] += deviates.2 }
      if start + 3 < count { sample[start + 3] += deviates.3 }
    }
  }
}
