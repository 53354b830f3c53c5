import Glibc
import Model
import Tensors

/// A random convolution with its weight, and its matrix written down from the definition.
struct RandomConvolution {
  let geometry: ConvolutionGeometry
  let weight: [Float]
  let name: String

  /// - Parameters:
  ///   - limit: the most elements of the smaller side.
  ///   - padding: nil for any.
  init(
    _ random: inout TestRandom, limit: Int, padding wanted: ConvolutionGeometry.Padding? = nil
  ) {
    while true {
      let padding = wanted ?? ConvolutionGeometry.Padding.allCases[random.below(4)]
      let rank = 1 + random.below(2)
      let groups = [1, 1, 1, 2, 3][random.below(5)]
      let inputs = groups * (1 + random.below(2))
      let outputs = groups * (1 + random.below(3))
      let axes = (0..<rank).map { _ in Self.axis(&random, padding, rank: rank) }
      if axes.contains(where: { $0.outputs == 0 }) { continue }
      let geometry = ConvolutionGeometry(
        inputs: inputs, outputs: outputs, groups: groups, axes: axes, padding: padding)
      let sides = [geometry.inputShape.elementCount, geometry.outputShape.elementCount]
      if sides.min()! > limit || sides.max()! > 4 * limit { continue }
      self.geometry = geometry
      let kind = Self.kinds[random.below(Self.kinds.count)]
      weight = (0..<geometry.weightShape.elementCount).map { kind.entry($0, &random) }
      name = "\(kind.name) \(geometry)"
      return
    }
  }

  private static func axis(
    _ random: inout TestRandom, _ padding: ConvolutionGeometry.Padding, rank: Int
  ) -> WindowAxis {
    let extent = 1 + random.below(rank == 1 ? 12 : 6)
    let most = switch padding {
    case .zeros, .replicate: 4
    case .circular: min(4, extent)
    case .reflect: min(4, extent - 1)
    }
    return WindowAxis(
      extent: extent, kernel: 1 + random.below(5), stride: 1 + random.below(3),
      dilation: 1 + random.below(3), low: random.below(most + 1), high: random.below(most + 1))
  }

  private static let kinds: [(name: String, entry: @Sendable (Int, inout TestRandom) -> Float)] = [
    ("normal", { _, r in Float(r.normal()) }),
    ("normal", { _, r in Float(r.normal()) }),
    ("ones", { _, _ in 1 }),
    ("signs", { _, r in Float(r.sign()) }),
    ("sparse", { _, r in r.below(3) == 0 ? Float(r.normal()) : 0 }),
    ("denormal", { _, r in 0x1p-149 * Float(r.below(64)) * Float(r.sign()) }),
    ("large", { _, r in Float(r.sign()) * 3e37 * Float(1 - r.uniform() / 64) }),
    ("mixed", { _, r in Float(r.normal() * exp2(Double(r.below(60) - 30))) }),
    ("binomial", { i, _ in [1, 2, 1, 0.5][i & 3] }),
    ("alternating", { i, _ in i & 1 == 0 ? 0.7 : -0.7 }),
    ("one tap", { i, _ in i == 0 ? 0.3 : 0 }),
    ("zero", { _, r in r.below(4) == 0 ? -0.0 : 0 }),
  ]

  /// What each position of a padded axis shows: an element, or nil for a zero.
  private func padded(_ axis: WindowAxis) -> [Int?] {
    let n = axis.extent
    var line = (0..<n).map(Optional.some)
    func before(_ j: Int) -> Int? {
      switch geometry.padding {
      case .zeros: nil
      case .circular: n - j
      case .reflect: j
      case .replicate: 0
      }
    }
    func after(_ j: Int) -> Int? {
      switch geometry.padding {
      case .zeros: nil
      case .circular: j - 1
      case .reflect: n - 1 - j
      case .replicate: n - 1
      }
    }
    for j in 0..<axis.low { line.insert(before(j + 1), at: 0) }
    for j in 0..<axis.high { line.append(after(j + 1)) }
    return line
  }

  /// T, row-major [outputs…, inputs…], from y[o, p] = Σ k[o, c, t]·x̃[c, p·stride + t·dilation]; nil
  /// where an entry is no float.
  var matrix: (rows: Int, columns: Int, entries: [Float])? {
    let axes = geometry.axes
    let lines = axes.map(padded)
    let (cig, cog) = (geometry.inputs / geometry.groups, geometry.outputs / geometry.groups)
    let positions = axes.reduce(1) { $0 * $1.outputs }
    let elements = axes.reduce(1) { $0 * $1.extent }
    let taps = axes.reduce(1) { $0 * $1.kernel }
    let (rows, columns) = (geometry.outputs * positions, geometry.inputs * elements)
    var entries = [Double](repeating: 0, count: rows * columns)
    for output in 0..<geometry.outputs {
      for channel in 0..<cig {
        for position in 0..<positions {
          for tap in 0..<taps {
            var (p, t, element, size) = (position, tap, Optional(0), 1)
            for index in axes.indices.reversed() {
              let axis = axes[index]
              let place = (p % axis.outputs) * axis.stride + (t % axis.kernel) * axis.dilation
              if let known = element, let shown = lines[index][place] {
                element = known + shown * size
              } else {
                element = nil
              }
              size *= axis.extent
              p /= axis.outputs
              t /= axis.kernel
            }
            guard let element else { continue }
            let row = output * positions + position
            let column = (output / cog * cig + channel) * elements + element
            let value = Double(weight[(output * cig + channel) * taps + tap])
            let sum = entries[row * columns + column] + value
            // Only sums that doubles hold exactly.
            if sum - value != entries[row * columns + column] { return nil }
            entries[row * columns + column] = sum
          }
        }
      }
    }
    let floats = entries.map { Float($0) }
    guard zip(floats, entries).allSatisfy({ Double($0) == $1 }) else { return nil }
    return (rows, columns, floats)
  }
}
