import Model
import Rounding

/// |T| of a convolution with non-negative taps |k|, applied with all sums rounded up; elements in
/// the order of tensors, [channel, position…].
///
/// Taps that read the same element through padding count with Σ |k|, at least the entry's |Σ k|.
struct AbsoluteConvolution {
  private let image: ConvolutionImage
  private let terms: Int

  /// nil where the linear algebra library cannot be used.
  init?(_ weight: [Double], _ geometry: ConvolutionGeometry) {
    guard (try? LinearAlgebra.open()) != nil else { return nil }
    let map = ConvolutionMap(geometry)
    image = ConvolutionImage(map) { weight[$0].magnitude }
    terms = image.terms
  }

  /// |T|·x rounded up, x ≥ 0.
  func forward(_ x: [Double]) -> [Double] {
    bounded(
      x, channels: (image.map.inputs, image.map.outputs), count: image.outputCount, image.forward)
  }

  /// |T|ᵀ·y rounded up, y ≥ 0.
  func adjoint(_ y: [Double]) -> [Double] {
    bounded(
      y, channels: (image.map.outputs, image.map.inputs), count: image.inputCount, image.adjoint)
  }

  private func bounded(
    _ x: [Double], channels: (Int, Int), count: Int, _ apply: ([Double]) -> [Double]
  ) -> [Double] {
    if x.allSatisfy({ $0 == 0 }) { return [Double](repeating: 0, count: count) }
    let sums = apply(ConvolutionImage.channelsLast(x, channels: channels.0))
    // A sum of zero may be one that underflowed.
    return ConvolutionImage.channelsFirst(sums, channels: channels.1).map {
      // Four times what is needed: a checker sums in another order.
      raised($0, terms: 4 * terms) { false }
    }
  }
}

/// (|A₁| ⊗ |A₂| ⊗ …)·x for every channel, or its transpose, rounded up; x ≥ 0.
func absoluteSeparable(
  _ axes: [AxisMap], channels: Int, _ x: [Double], isTransposed: Bool
) -> [Double] {
  var values = x
  // Axis by axis from the last, so that the extents before an axis are still those of x.
  var after = 1
  for (position, axis) in axes.enumerated().reversed() {
    let before = axes[..<position].reduce(channels) {
      $0 * (isTransposed ? $1.rows.count : $1.inputs)
    }
    let (from, to) = isTransposed
      ? (axis.rows.count, axis.inputs) : (axis.inputs, axis.rows.count)
    var result = [Double](repeating: 0, count: before * to * after)
    for (row, entries) in axis.rows.enumerated() {
      for entry in axis.entries(entries) {
        let size = Directed.quotientUp(Double(abs(entry.numerator)), Double(entries.divisor))
        let (source, target) = isTransposed ? (row, entry.column) : (entry.column, row)
        for block in 0..<before {
          for offset in 0..<after {
            let term = Directed.productUp(values[(block * from + source) * after + offset], size)
            let index = (block * to + target) * after + offset
            result[index] = Directed.sumUp(result[index], term)
          }
        }
      }
    }
    values = result
    after *= to
  }
  return values
}
