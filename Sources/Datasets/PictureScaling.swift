import Formats
import Glibc

extension Picture {
  /// Channel after channel, as samples lie: the colours, or of one channel the grey
  /// 0.299 R + 0.587 G + 0.114 B, rounded. A grey picture has three equal channels.
  func append(channels: Int, to bytes: inout [UInt8]) {
    let count = width * height
    switch (self.channels, channels) {
    case (1, _): for _ in 0..<channels { bytes += pixels }
    case (_, 1):
      for pixel in 0..<count {
        let (r, g, b) = (pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2])
        // The weights times 2¹⁶; they sum to it, so 255 stays 255.
        let sum = 19595 * Int(r) + 38470 * Int(g) + 7471 * Int(b)
        bytes.append(UInt8((sum + 0x8000) >> 16))
      }
    default:
      for channel in 0..<3 {
        for pixel in 0..<count { bytes.append(pixels[3 * pixel + channel]) }
      }
    }
  }

  /// The picture at another size: along each axis, the new pixel's centre seen in the old picture,
  /// and a triangle about it of half-width max(1, old/new), normalised over the pixels there are.
  /// Rows first, then columns, rounded once at the end.
  func resized(height newHeight: Int, width newWidth: Int) -> Picture {
    if newHeight == height, newWidth == width { return self }
    let columns = Self.weights(from: width, to: newWidth)
    let rows = Self.weights(from: height, to: newHeight)
    // Of every old row the new columns.
    var lines = [Float](repeating: 0, count: height * newWidth * channels)
    for row in 0..<height {
      for (column, (start, weights)) in columns.enumerated() {
        for channel in 0..<channels {
          var sum: Float = 0
          for (offset, weight) in weights.enumerated() {
            sum += weight * Float(pixels[(row * width + start + offset) * channels + channel])
          }
          lines[(row * newWidth + column) * channels + channel] = sum
        }
      }
    }
    var result = [UInt8](repeating: 0, count: newHeight * newWidth * channels)
    let stride = newWidth * channels
    for (row, (start, weights)) in rows.enumerated() {
      for place in 0..<stride {
        var sum: Float = 0
        for (offset, weight) in weights.enumerated() {
          sum += weight * lines[(start + offset) * stride + place]
        }
        result[row * stride + place] = UInt8(max(0, min(255, sum.rounded())))
      }
    }
    return Picture(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }

  /// For each new pixel, the first old one that counts and the weights from there on.
  static func weights(from old: Int, to new: Int) -> [(start: Int, weights: [Float])] {
    let scale = Double(old) / Double(new)
    let support = max(1, scale)
    return (0..<new).map { place in
      let centre = (Double(place) + 0.5) * scale
      let start = max(0, Int((centre - support + 0.5).rounded(.down)))
      let end = min(old, Int((centre + support + 0.5).rounded(.down)))
      let heights = (start..<end).map { pixel in
        max(0, 1 - abs(Double(pixel) + 0.5 - centre) / support)
      }
      let sum = heights.reduce(0, +)
      return (start, heights.map { Float($0 / sum) })
    }
  }
}
