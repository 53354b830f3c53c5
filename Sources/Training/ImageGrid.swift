import Formats
import Model
import Tensors

/// Images in rows and columns of one picture, a margin of one point between them.
public struct ImageGrid {
  public let width: Int
  public let height: Int
  public let channels: Int
  public let pixels: [UInt8]

  /// - Parameters:
  ///   - samples: images [channels, height, width] one after the other, of one or three channels;
  ///     more channels: the first is shown.
  ///   - count: how many of them are shown, at most.
  ///   - columns: by default as many as make the picture square.
  ///   - range: what becomes black and white; by default the least and the greatest number shown.
  ///     What lies outside becomes the nearer of the two.
  ///
  /// nil for samples that are no images, or where none is to be shown.
  public init?(
    _ samples: [Float], shape: Shape, count: Int, columns: Int? = nil,
    range: ClosedRange<Double>? = nil
  ) {
    guard shape.count == 3, shape.elementCount > 0 else { return nil }
    let (planes, rows, row) = (shape[0], shape[1], shape[2])
    let shown = min(count, samples.count / shape.elementCount)
    guard shown > 0 else { return nil }
    let used = samples.prefix(shown * shape.elementCount)
    let finite = used.lazy.filter(\.isFinite)
    let low = range.map { Float($0.lowerBound) } ?? finite.min() ?? 0
    let high = range.map { Float($0.upperBound) } ?? finite.max() ?? 1
    let scale = high > low ? 255 / (high - low) : 0
    let channels = planes == 3 ? 3 : 1
    let across = max(1, min(columns ?? Int(Double(shown).squareRoot().rounded(.up)), shown))
    let down = (shown + across - 1) / across
    // Small images are shown larger, so that one sees them.
    let zoom = max(1, min(4, 64 / max(rows, row)))
    let (cellWidth, cellHeight) = (row * zoom + 1, rows * zoom + 1)
    let (width, height) = (across * cellWidth + 1, down * cellHeight + 1)
    var pixels = [UInt8](repeating: 96, count: width * height * channels)
    for image in 0..<shown {
      let left = image % across * cellWidth + 1
      let top = image / across * cellHeight + 1
      for y in 0..<rows * zoom {
        for x in 0..<row * zoom {
          for channel in 0..<channels {
            let value = samples[
              image * shape.elementCount + (channel * rows + y / zoom) * row + x / zoom]
            let level = value.isNaN ? 0 : min(255, max(0, (value - low) * scale))
            pixels[((top + y) * width + left + x) * channels + channel] = UInt8(level.rounded())
          }
        }
      }
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// A PNG file.
  public var png: [UInt8] {
    PNG.encode(width: width, height: height, channels: channels, pixels: pixels)
  }
}
