import Model
import Tensors

/// Samples as text, dark for few and bright for many: points of the plane by how many fall into
/// each cell, images by their first channel.
public enum SamplePicture {
  private static let shades = Array(" .:-=+*#%@")

  /// nil for samples that are neither points of the plane nor images.
  public static func text(_ samples: [Float], shape: Shape) -> String? {
    if shape == [2] { return points(samples) }
    if shape.count == 3 || shape.count == 2 { return images(samples, shape) }
    return nil
  }

  /// 64 by 32 cells over the samples' own extent; a cell is about twice as high as wide, as
  /// characters are.
  private static func points(_ samples: [Float]) -> String {
    let count = samples.count / 2
    func range(_ axis: Int) -> (low: Float, width: Float) {
      var (low, high) = (Float.infinity, -Float.infinity)
      for point in 0..<count {
        low = min(low, samples[2 * point + axis])
        high = max(high, samples[2 * point + axis])
      }
      return (low, max(high - low, .leastNormalMagnitude))
    }
    let (columns, rows) = (64, 32)
    let (x, y) = (range(0), range(1))
    guard count > 0, x.low.isFinite, y.low.isFinite, x.width.isFinite, y.width.isFinite else {
      return ""
    }
    func cell(_ value: Float, _ range: (low: Float, width: Float), _ cells: Int) -> Int {
      min(cells - 1, max(0, Int((value - range.low) / range.width * Float(cells))))
    }
    var hits = [Int](repeating: 0, count: columns * rows)
    for point in 0..<count {
      let column = cell(samples[2 * point], x, columns)
      let row = rows - 1 - cell(samples[2 * point + 1], y, rows)
      hits[row * columns + column] += 1
    }
    let most = Float(hits.max() ?? 1)
    return (0..<rows).map { row in
      String((0..<columns).map { column in
        let share = Float(hits[row * columns + column]) / most
        return share == 0 ? " " : shade(max(share.squareRoot(), 0.12))
      }) + "\n"
    }.joined()
  }

  /// Up to four images side by side, scaled by the extent of all of them.
  private static func images(_ samples: [Float], _ shape: Shape) -> String {
    let (rows, columns) = shape.count == 3 ? (shape[1], shape[2]) : (1, shape[1])
    let size = shape.elementCount
    let count = min(4, samples.count / size)
    let shown = samples.prefix(count * size)
    guard let low = shown.min(), let high = shown.max(), high > low, (high - low).isFinite else {
      return ""
    }
    return stride(from: 0, to: rows, by: rows > 12 ? 2 : 1).map { row in
      (0..<count).map { image in
        String((0..<columns).map { column in
          shade((samples[image * size + row * columns + column] - low) / (high - low))
        })
      }.joined(separator: "  ") + "\n"
    }.joined()
  }

  private static func shade(_ share: Float) -> Character {
    shades[min(shades.count - 1, max(0, Int(share * Float(shades.count))))]
  }
}
