import COpenBLAS
import Model

/// T·x and Tᵀ·y of a convolution in float64, by matrix products: one for each tap and row.
///
/// Elements are ordered by position and then channel. Sums are taken in any order; with m products
/// a sum, |computed − exact| ≤ 1.01·(m + 2)u·|T|·|x| element by element, |T| with absolute taps.
final class ConvolutionImage {
  let map: ConvolutionMap
  /// For each group and tap, [output, input] column-major.
  private let taps: [Double]
  /// Padded positions that are read, and what they show.
  private let padded: [[Int]]

  /// Additions behind one element of T·x or Tᵀ·y at most, overlaps of copies included.
  var terms: Int {
    let copies = padded.map { axis in
      var counts: [Int: Int] = [:]
      for element in axis where element >= 0 { counts[element, default: 0] += 1 }
      return counts.values.max() ?? 1
    }
    let all = copies[0] * copies[1]
    return map.taps * max(map.groupInputs, map.groupOutputs) * all + all
  }
  var inputCount: Int { map.axes[0].inputs * map.axes[1].inputs * map.inputs }
  var outputCount: Int { map.axes[0].outputs * map.axes[1].outputs * map.outputs }

  /// - Parameter entry: the number at an index of the weight [out, in/groups, kernel…].
  init(_ map: ConvolutionMap, entry: (Int) -> Double) {
    self.map = map
    let (count, cog, cig) = (map.taps, map.groupOutputs, map.groupInputs)
    var taps = [Double](repeating: 0, count: map.groups * count * cog * cig)
    for group in 0..<map.groups {
      for output in 0..<cog {
        for input in 0..<cig {
          let base = ((group * cog + output) * cig + input) * count
          for tap in 0..<count {
            taps[((group * count + tap) * cig + input) * cog + output] = entry(base + tap)
          }
        }
      }
    }
    self.taps = taps
    padded = map.windows.map { window in
      (0..<(window.outputs - 1) * window.stride + window.reach).map {
        AxisReads.element(at: $0 - window.low, of: window.extent, padding: map.padding)
      }
    }
  }

  /// T·x.
  func forward(_ x: [Double]) -> [Double] {
    let (rows, columns, channels) = (padded[0].count, padded[1].count, map.inputs)
    var image = [Double](repeating: 0, count: rows * columns * channels)
    let width = map.axes[1].inputs
    for row in 0..<rows where padded[0][row] >= 0 {
      for column in 0..<columns where padded[1][column] >= 0 {
        let source = (padded[0][row] * width + padded[1][column]) * channels
        let target = (row * columns + column) * channels
        for channel in 0..<channels { image[target + channel] = x[source + channel] }
      }
    }
    var y = [Double](repeating: 0, count: outputCount)
    y.withUnsafeMutableBufferPointer { y in
      image.withUnsafeBufferPointer { image in
        forEachProduct { tap, x, out, count, stride in
          openblas_gemm(
            0, 0, Int32(map.groupOutputs), count, Int32(map.groupInputs), tap,
            Int32(map.groupOutputs), image.baseAddress! + x, stride, 1, y.baseAddress! + out,
            Int32(map.outputs))
        }
      }
    }
    return y
  }

  /// Tᵀ·y.
  func adjoint(_ y: [Double]) -> [Double] {
    let (rows, columns, channels) = (padded[0].count, padded[1].count, map.inputs)
    var image = [Double](repeating: 0, count: rows * columns * channels)
    image.withUnsafeMutableBufferPointer { image in
      y.withUnsafeBufferPointer { y in
        forEachProduct { tap, x, out, count, stride in
          openblas_gemm(
            1, 0, Int32(map.groupInputs), count, Int32(map.groupOutputs), tap,
            Int32(map.groupOutputs), y.baseAddress! + out, Int32(map.outputs), 1,
            image.baseAddress! + x, stride)
        }
      }
    }
    let width = map.axes[1].inputs
    var x = [Double](repeating: 0, count: inputCount)
    for row in 0..<rows where padded[0][row] >= 0 {
      for column in 0..<columns where padded[1][column] >= 0 {
        let target = (padded[0][row] * width + padded[1][column]) * channels
        let source = (row * columns + column) * channels
        for channel in 0..<channels { x[target + channel] += image[source + channel] }
      }
    }
    return x
  }

  /// Calls `body` with the tap's matrix, the offsets into the padded image and the output, and the
  /// number of columns with their stride in the image.
  private func forEachProduct(
    _ body: (_ tap: UnsafePointer<Double>, _ x: Int, _ out: Int, _ count: Int32, _ stride: Int32)
      -> Void
  ) {
    let (first, second) = (map.windows[0], map.windows[1])
    let size = map.groupInputs * map.groupOutputs
    let columns = padded[1].count
    taps.withUnsafeBufferPointer { taps in
      for row in 0..<first.outputs {
        for group in 0..<map.groups {
          let out = row * second.outputs * map.outputs + group * map.groupOutputs
          for tap in 0..<map.taps {
            let (a, b) = (tap / second.kernel, tap % second.kernel)
            let line = row * first.stride + a * first.dilation
            if padded[0][line] < 0 { continue }
            let x = (line * columns + b * second.dilation) * map.inputs + group * map.groupInputs
            body(
              taps.baseAddress! + (group * map.taps + tap) * size, x, out, Int32(second.outputs),
              Int32(second.stride * map.inputs))
          }
        }
      }
    }
  }
}

extension ConvolutionImage {
  /// From [channel, position…] to this order and back.
  static func channelsLast(_ x: [Double], channels: Int) -> [Double] {
    let positions = x.count / channels
    var result = [Double](repeating: 0, count: x.count)
    for channel in 0..<channels {
      for position in 0..<positions {
        result[position * channels + channel] = x[channel * positions + position]
      }
    }
    return result
  }

  static func channelsFirst(_ x: [Double], channels: Int) -> [Double] {
    let positions = x.count / channels
    var result = [Double](repeating: 0, count: x.count)
    for channel in 0..<channels {
      for position in 0..<positions {
        result[channel * positions + position] = x[position * channels + channel]
      }
    }
    return result
  }
}
