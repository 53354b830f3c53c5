import Diagnostics
import Formats

/// Points of the plane over the level lines of the critic that judges them: real points dark,
/// generated ones orange, the ground the bluer the higher the score.
///
/// The picture shows the real points with a margin (without them, all but the outermost hundredth
/// of the generated ones); points beyond lie on its edge.
public struct PlanePlot {
  /// Points on a side of the picture, points between two where the critic is asked, and level
  /// lines.
  static let size = 512
  static let spacing = 4
  static let levels = 16

  private let generated: [Float]
  private let real: [Float]
  private let x: ClosedRange<Float>
  private let y: ClosedRange<Float>

  /// - Parameter real: may be empty.
  public init(generated: [Float], real: [Float]) {
    self.generated = generated
    self.real = real
    let shown = real.isEmpty ? generated : real
    let (x, y) = (Self.extent(shown, 0), Self.extent(shown, 1))
    // One scale for both axes.
    let half = 0.62 * max(x.upperBound - x.lowerBound, y.upperBound - y.lowerBound, 1e-6)
    func around(_ range: ClosedRange<Float>) -> ClosedRange<Float> {
      let middle = (range.lowerBound + range.upperBound) / 2
      return middle - half...middle + half
    }
    self.x = around(x)
    self.y = around(y)
  }

  private static func extent(_ points: [Float], _ axis: Int) -> ClosedRange<Float> {
    let values = stride(from: axis, to: points.count, by: 2).map { points[$0] }
      .filter(\.isFinite).sorted()
    guard !values.isEmpty else { return 0...1 }
    let left = values.count / 100
    return values[left]...values[values.count - 1 - left]
  }

  /// A PNG file.
  ///
  /// - Parameter score: the scores of points (x, y) one after the other.
  public func png(
    _ score: ([Float]) throws(DiagnosticError) -> [Float]
  ) throws(DiagnosticError) -> [UInt8] {
    let (size, nodes) = (Self.size, Self.size / Self.spacing + 1)
    func place(_ node: Int, _ range: ClosedRange<Float>) -> Float {
      let share = (Float(node * Self.spacing) + 0.5) / Float(size)
      return range.lowerBound + share * (range.upperBound - range.lowerBound)
    }
    var points: [Float] = []
    points.reserveCapacity(2 * nodes * nodes)
    for row in 0..<nodes {
      for column in 0..<nodes {
        points.append(place(column, x))
        points.append(y.lowerBound + y.upperBound - place(row, y))
      }
    }
    var picture = ground(Self.refined(try score(points), nodes))
    draw(real, side: 2, [60, 60, 60], &picture)
    draw(generated, side: 3, [230, 95, 0], &picture)
    return PNG.encode(width: size, height: size, channels: 3, pixels: picture)
  }

  /// Bilinear between the nodes.
  private static func refined(_ nodes: [Float], _ width: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(size * size)
    for row in 0..<size {
      let (top, below) = (row / spacing * width, Float(row % spacing) / Float(spacing))
      for column in 0..<size {
        let (left, right) = (top + column / spacing, Float(column % spacing) / Float(spacing))
        let upper = nodes[left] + right * (nodes[left + 1] - nodes[left])
        let lower = nodes[left + width] + right * (nodes[left + width + 1] - nodes[left + width])
        values.append(upper + below * (lower - upper))
      }
    }
    return values
  }

  private func ground(_ scores: [Float]) -> [UInt8] {
    let size = Self.size
    let finite = scores.lazy.filter(\.isFinite)
    let low = finite.min() ?? 0
    let width = max((finite.max() ?? 1) - low, .leastNormalMagnitude)
    func share(_ index: Int) -> Float {
      scores[index].isFinite ? (scores[index] - low) / width : 0
    }
    func level(_ index: Int) -> Int { Int(share(index) * Float(Self.levels)) }
    var picture: [UInt8] = []
    picture.reserveCapacity(3 * size * size)
    for index in scores.indices {
      let isLine =
        (index % size + 1 < size && level(index) != level(index + 1))
        || (index + size < scores.count && level(index) != level(index + size))
      let shade = share(index)
      picture +=
        isLine ? [140, 150, 165] : [UInt8(250 - 70 * shade), UInt8(250 - 40 * shade), 250]
    }
    return picture
  }

  private func draw(_ points: [Float], side: Int, _ colour: [UInt8], _ picture: inout [UInt8]) {
    let size = Self.size
    func cell(_ value: Float, _ range: ClosedRange<Float>) -> Int {
      let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      return share.isNaN ? 0 : Int(min(max(share, 0), 0.9999) * Float(size))
    }
    for point in 0..<points.count / 2 {
      let column = cell(points[2 * point], x)
      let row = size - 1 - cell(points[2 * point + 1], y)
      for dy in 0..<side {
        for dx in 0..<side {
          let (r, c) = (min(row + dy, size - 1), min(column + dx, size - 1))
          for channel in 0..<3 { picture[(r * size + c) * 3 + channel] = colour[channel] }
        }
      }
    }
  }
}
