import Diagnostics
import Model
import Tensors

/// A window of the sample's own size in the image padded by P on every side, its place uniform
/// among the (2P + 1)² there are: the image is shifted by up to P pixels each way.
public struct Crop: Augmentation {
  public enum Padding: String, CaseIterable, ArgumentValue { case zeros, reflect }

  public static let kind = "crop"
  public static let summary = "A random window of the padded image, as large as the image"
  static let padding = Argument<Int>(
    "padding", "Pixels added on every side.", default: 4, in: .windowSize)
  static let mode = Argument<Padding>(
    "mode", "What is added: `zeros`, the 0 of the file, or `reflect`, the image mirrored at its "
      + "outermost pixels.", default: .zeros)
  public static var arguments: [any ArgumentDeclaration] { [padding, mode] }
  public static var shorthand: String? { "padding" }
  public static var examples: [Example] {
    [
      .good("crop"), .good("crop: 2"), .good("crop: {padding: 3, mode: reflect}"),
      .bad("crop: «0»", .outOfRange), .bad("crop: {mode: «wrap»}", .wrongType),
      .bad("«crop»: {padding: 8, mode: reflect}", .dataShape),
    ]
  }

  private let padding: Int
  private let mode: Padding

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    padding = arguments[Self.padding]
    mode = arguments[Self.mode]
  }

  public func refusal(of shape: Shape) -> String? {
    if let refusal = refusalOfNonImage(shape) { return refusal }
    guard mode == .reflect, padding >= min(shape[1], shape[2]) else { return nil }
    return "an image of \(shape[1]) × \(shape[2]) cannot be mirrored \(padding) pixels deep"
  }

  public func apply(
    to sample: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ layout: SampleLayout, random: inout PhiloxGenerator
  ) {
    let (height, width) = (layout.height, layout.width)
    func shift() -> Int { Int(random.uniform() * Double(2 * padding + 1)) - padding }
    let (down, right) = (shift(), shift())
    if down == 0 && right == 0 { return }
    scratch.update(from: sample, count: layout.count)
    for channel in 0..<layout.channels {
      let source = scratch + channel * height * width
      let target = sample + channel * height * width
      let zero = layout.zeros[channel]
      for row in 0..<height {
        let line = target + row * width
        guard let from = place(row + down, height) else {
          line.update(repeating: zero, count: width)
          continue
        }
        let read = source + from * width
        // The columns whose source lies inside the image are one block.
        let first = max(0, -right)
        let end = min(width, width - right)
        if first < end { (line + first).update(from: read + first + right, count: end - first) }
        for column in 0..<min(first, width) { line[column] = value(read, column + right, width, zero) }
        for column in max(end, 0)..<width { line[column] = value(read, column + right, width, zero) }
      }
    }
  }

  private func value(
    _ line: UnsafePointer<Float>, _ column: Int, _ width: Int, _ zero: Float
  ) -> Float {
    place(column, width).map { line[$0] } ?? zero
  }

  /// Where a coordinate of the padded image comes from; nil: from the padding of zeros.
  private func place(_ index: Int, _ size: Int) -> Int? {
    if (0..<size).contains(index) { return index }
    switch mode {
    case .zeros: return nil
    case .reflect: return index < 0 ? -index : 2 * (size - 1) - index
    }
  }
}
