import Model
import Rounding
import Tensors

/// One axis of a convolution: which element each tap of each output reads.
struct AxisReads: Hashable {
  let inputs: Int
  let outputs: Int
  let taps: Int
  /// [output · taps + tap]; −1 for a zero.
  let elements: [Int]

  init(_ axis: WindowAxis, padding: ConvolutionGeometry.Padding) {
    let n = axis.extent
    inputs = n
    outputs = axis.outputs
    taps = axis.kernel
    var elements: [Int] = []
    elements.reserveCapacity(outputs * taps)
    for output in 0..<outputs {
      for tap in 0..<taps {
        let position = output * axis.stride + tap * axis.dilation - axis.low
        elements.append(Self.element(at: position, of: n, padding: padding))
      }
    }
    self.elements = elements
  }

  /// The element that a padded axis shows at `position`; −1 for a zero.
  static func element(
    at position: Int, of n: Int, padding: ConvolutionGeometry.Padding
  ) -> Int {
    if 0 <= position && position < n { return position }
    switch padding {
    case .zeros: return -1
    case .replicate: return position < 0 ? 0 : n - 1
    case .circular: return ((position % n) + n) % n
    case .reflect:
      // Without repeating the border: period 2(n − 1).
      if n == 1 { return 0 }
      let period = 2 * (n - 1)
      let folded = ((position % period) + period) % period
      return folded < n ? folded : period - folded
    }
  }

  func element(_ output: Int, _ tap: Int) -> Int { elements[output * taps + tap] }

  /// For each output, its taps grouped by the element they read; each distinct pattern once.
  var rowPatterns: [[[Int]]] {
    var patterns: Set<[[Int]]> = []
    for output in 0..<outputs {
      var groups: [Int: [Int]] = [:]
      for tap in 0..<taps where element(output, tap) >= 0 {
        groups[element(output, tap), default: []].append(tap)
      }
      patterns.insert(groups.values.sorted { $0[0] < $1[0] })
    }
    return Self.maximal(patterns)
  }

  /// For each input, the taps by which each output reads it; each distinct pattern once.
  var columnPatterns: [[[Int]]] {
    var columns = [[Int: [Int]]](repeating: [:], count: inputs)
    for output in 0..<outputs {
      for tap in 0..<taps where element(output, tap) >= 0 {
        columns[element(output, tap)][output, default: []].append(tap)
      }
    }
    let patterns = Set(columns.map { column in
      column.values.sorted { $0.lexicographicallyPrecedes($1) }
    })
    return Self.maximal(patterns)
  }

  /// Where every group is one tap, a pattern whose taps another one has too cannot be larger.
  private static func maximal(_ patterns: Set<[[Int]]>) -> [[[Int]]] {
    let sets = patterns.map { pattern in (pattern, Set(pattern.map { $0[0] })) }
    guard sets.allSatisfy({ pattern, set in
      set.count == pattern.count && pattern.allSatisfy { $0.count == 1 }
    }) else { return Array(patterns) }
    return sets.filter { _, set in !sets.contains { $0.1.isStrictSuperset(of: set) } }.map(\.0)
  }

  /// The largest number of read padded positions that show one element; 1 without padding.
  func copies(_ axis: WindowAxis, padding: ConvolutionGeometry.Padding) -> Int {
    var read: Set<Int> = []
    for output in 0..<outputs {
      for tap in 0..<taps { read.insert(output * axis.stride + tap * axis.dilation - axis.low) }
    }
    var counts = [Int](repeating: 0, count: inputs)
    for position in read {
      let element = Self.element(at: position, of: inputs, padding: padding)
      if element >= 0 { counts[element] += 1 }
    }
    return max(1, counts.max() ?? 1)
  }
}

/// A convolution with two spatial axes (a one-dimensional one has a first axis of one element), as
/// a sparse matrix T from [inputs, extents…] to [outputs, outputs…].
struct ConvolutionMap {
  let inputs: Int
  let outputs: Int
  let groups: Int
  let windows: [WindowAxis]
  let padding: ConvolutionGeometry.Padding
  let axes: [AxisReads]

  init(_ geometry: ConvolutionGeometry) {
    let plain = WindowAxis(extent: 1, kernel: 1)
    let windows = geometry.axes.count == 1 ? [plain] + geometry.axes : geometry.axes
    precondition(windows.count == 2, "a convolution has one or two spatial axes")
    inputs = geometry.inputs
    outputs = geometry.outputs
    groups = geometry.groups
    self.windows = windows
    // Padding that nothing reads is no padding.
    let readsPadding = windows.contains { window in
      window.low > 0
        || (window.outputs - 1) * window.stride + window.reach > window.low + window.extent
    }
    padding = readsPadding ? geometry.padding : .zeros
    let padding = padding
    axes = windows.map { AxisReads($0, padding: padding) }
  }

  var groupInputs: Int { inputs / groups }
  var groupOutputs: Int { outputs / groups }
  var taps: Int { windows[0].kernel * windows[1].kernel }

  private init(
    inputs: Int, outputs: Int, windows: [WindowAxis], padding: ConvolutionGeometry.Padding
  ) {
    (self.inputs, self.outputs, self.windows, groups) = (inputs, outputs, windows, 1)
    self.padding = padding
    axes = windows.map { AxisReads($0, padding: padding) }
  }

  /// Any one group.
  var single: ConvolutionMap {
    groups == 1 ? self : ConvolutionMap(
      inputs: groupInputs, outputs: groupOutputs, windows: windows, padding: padding)
  }

  /// The same windows on an input that is padded already.
  var unpadded: ConvolutionMap {
    ConvolutionMap(
      inputs: inputs, outputs: outputs,
      windows: windows.map {
        WindowAxis(
          extent: $0.low + $0.extent + $0.high, kernel: $0.kernel, stride: $0.stride,
          dilation: $0.dilation)
      }, padding: .zeros)
  }

  /// The largest number of read positions that show one element.
  var copies: Int {
    zip(axes, windows).reduce(1) { $0 * $1.0.copies($1.1, padding: padding) }
  }

  /// √(l₁·l∞) of T with absolute taps, rounded up; at least ‖T‖₂ and that of |T|.
  /// - Parameter magnitude: |weight| at an index.
  func absoluteNorm(_ magnitude: (Int) -> Double) -> UpperBound {
    var rows = [Double](repeating: 0, count: outputs)
    var columns = [Double](repeating: 0, count: inputs)
    for output in 0..<outputs {
      let offset = output / groupOutputs * groupInputs
      for input in 0..<groupInputs {
        for tap in 0..<taps {
          let size = magnitude((output * groupInputs + input) * taps + tap)
          rows[output] += size
          columns[offset + input] += size
        }
      }
    }
    // An element of which padding shows m copies is read up to m times through each tap.
    let terms = 1 + Double(taps * (inputs + outputs) + 8) * 0x1p-50
    let product = rows.max()! * columns.max()! * Double(copies) * terms
    return UpperBound(proved: product).squareRoot()
  }
}
