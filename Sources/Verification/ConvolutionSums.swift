import Rounding

/// The largest row sum (`rows`) or column sum of absolute values of a convolution's matrix, borders
/// and padding included, rounded up; `weight` is [outputs, inputs/groups, taps] with two axes.
func convolutionSum(
  _ weight: [Double], outputs: Int, inputs: Int, groups: Int, _ axes: [AxisReads], rows: Bool
) -> Double {
  let (perGroup, width) = (inputs / groups, axes[1].axis.kernel)
  let taps = axes[0].axis.kernel * width
  var largest = 0.0
  for first in axes[0].patterns(rows: rows) {
    for second in axes[1].patterns(rows: rows) {
      let cells = first.flatMap { a in
        second.map { b in a.flatMap { x in b.map { x * width + $0 } } }
      }
      var sums = [ExactSum](repeating: ExactSum(), count: rows ? outputs : inputs)
      for output in 0..<outputs {
        let offset = output / (outputs / groups) * perGroup
        for input in 0..<perGroup {
          let base = (output * perGroup + input) * taps
          let index = rows ? output : offset + input
          for cell in cells {
            if cell.count == 1 {
              sums[index].add(weight[base + cell[0]].magnitude)
            } else {
              var entry = ExactSum()
              for tap in cell { entry.add(weight[base + tap]) }
              sums[index].addMagnitude(of: entry)
            }
          }
        }
      }
      for sum in sums { largest = max(largest, sum.upper) }
    }
  }
  return largest
}
