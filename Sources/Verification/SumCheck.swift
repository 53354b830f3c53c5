import Rounding

/// The largest sum of absolute values over the rows (L∞) or columns (L1) of a stored matrix,
/// rounded up.
func largestSum<Number: StoredNumber>(
  _ values: UnsafeBufferPointer<Number>, rows: Int, columns: Int, norm: Norm
) -> Double {
  var largest = 0.0
  if norm == .linf {
    for row in 0..<rows {
      var sum = ExactSum()
      for column in 0..<columns { sum.add(Double(values[row * columns + column].magnitude)) }
      largest = max(largest, sum.upper)
    }
  } else {
    var sums = [ExactSum](repeating: ExactSum(), count: columns)
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        for column in 0..<columns {
          sums[column].add(Double(values[row * columns + column].magnitude))
        }
      }
    }
    for sum in sums { largest = max(largest, sum.upper) }
  }
  return largest
}
