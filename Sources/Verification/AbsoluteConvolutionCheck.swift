import Rounding

/// |T|·x and |T|ᵀ·y rounded up, for a convolution with taps |k|, row-major [channel, position…];
/// taps that read one element through padding count with Σ |k|.
struct AbsoluteConvolutionCheck {
  private let geometry: StatedConvolution
  private let weight: [Double]
  private let axes: [AxisReads]

  init(_ geometry: StatedConvolution, _ weight: [Double]) {
    self.geometry = geometry
    self.weight = weight.map(\.magnitude)
    let plain = StatedConvolution.Axis(
      extent: 1, kernel: 1, stride: 1, dilation: 1, low: 0, high: 0)
    let two = geometry.axes.count == 1 ? [plain] + geometry.axes : geometry.axes
    axes = two.map { AxisReads($0, geometry.padding) }
  }

  func image(of x: [Double], isTransposed: Bool) -> [Double] {
    let (first, second) = (axes[0], axes[1])
    let extents = [first.axis.extent, second.axis.extent]
    let outputs = [first.elements.count, second.elements.count]
    let (plane, area) = (extents[0] * extents[1], outputs[0] * outputs[1])
    let perGroup = geometry.inputs / geometry.groups
    let taps = first.axis.kernel * second.axis.kernel
    var result = [Double](
      repeating: 0,
      count: isTransposed ? geometry.inputs * plane : geometry.outputs * area)
    // For each tap of the second axis the outputs that read an element, and which.
    let reads = (0..<second.axis.kernel).map { tap in
      (0..<outputs[1]).compactMap { output in
        second.elements[output][tap] < 0 ? nil : (output, second.elements[output][tap])
      }
    }
    result.withUnsafeMutableBufferPointer { result in
      x.withUnsafeBufferPointer { x in
        for output in 0..<geometry.outputs {
          let group = output / (geometry.outputs / geometry.groups)
          for input in 0..<perGroup {
            let base = (output * perGroup + input) * taps
            let channel = (group * perGroup + input) * plane
            for tap in 0..<taps {
              let size = weight[base + tap]
              if size == 0 { continue }
              let (a, b) = (tap / second.axis.kernel, tap % second.axis.kernel)
              for row in 0..<outputs[0] {
                let line = first.elements[row][a]
                if line < 0 { continue }
                let (y, source) = (output * area + row * outputs[1], channel + line * extents[1])
                if isTransposed {
                  for (j, i) in reads[b] { result[source + i] += size * x[y + j] }
                } else {
                  for (j, i) in reads[b] { result[y + j] += size * x[source + i] }
                }
              }
            }
          }
        }
      }
    }
    // Terms of one sum at most; each rounded as a product and in a sum.
    let copies = axes.reduce(1) { $0 * $1.copies }
    let terms = taps * copies * max(perGroup, geometry.outputs / geometry.groups)
    let slack = 1 + Double(terms + 3) * 1.01 * Arithmetic.u
    return result.map { sum in
      if sum == 0 && x.allSatisfy({ $0 == 0 }) { return 0 }
      return sum < 0x1p-900 ? 0x1p-900 : Directed.productUp(sum, slack)
    }
  }
}

/// (|A₁| ⊗ |A₂| ⊗ …)·x for every channel, or the transpose, rounded up in every operation.
func absoluteSeparable(
  _ axes: [StatedAxis], channels: Int, _ x: [Double], isTransposed: Bool
) -> [Double] {
  var values = x
  var after = 1
  for (position, axis) in axes.enumerated().reversed() {
    let before = axes[..<position].reduce(channels) {
      $0 * (isTransposed ? $1.rows.count : $1.inputs)
    }
    let from = isTransposed ? axis.rows.count : axis.inputs
    let to = isTransposed ? axis.inputs : axis.rows.count
    var result = [Double](repeating: 0, count: before * to * after)
    for (index, row) in axis.rows.enumerated() {
      var order: [Int] = []
      var sums: [Int: Int] = [:]
      for (column, numerator) in zip(row.columns, row.numerators) {
        if sums[column] == nil { order.append(column) }
        sums[column, default: 0] += numerator
      }
      for column in order where sums[column] != 0 {
        let size = Directed.quotientUp(Double(abs(sums[column]!)), Double(row.divisor))
        let (source, target) = isTransposed ? (index, column) : (column, index)
        for block in 0..<before {
          for offset in 0..<after {
            let place = (block * to + target) * after + offset
            result[place] = Directed.sumUp(
              result[place],
              Directed.productUp(values[(block * from + source) * after + offset], size))
          }
        }
      }
    }
    values = result
    after *= to
  }
  return values
}
