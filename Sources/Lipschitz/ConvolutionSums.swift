import Model
import Rounding

extension ConvolutionMap {
  /// ‖T‖∞ = max over outputs of Σ |entries| (`rows`), or ‖T‖₁, the same over inputs, exactly with
  /// borders and rounded outward.
  ///
  /// An entry is |Σ of the taps that read the same element|. How taps are grouped depends on the
  /// position only through one pattern an axis, so each pair of distinct patterns is summed once.
  func sums<Scalar: StoredScalar>(_ weight: [Scalar], rows: Bool) -> OperatorBound {
    let first = rows ? axes[0].rowPatterns : axes[0].columnPatterns
    let second = rows ? axes[1].rowPatterns : axes[1].columnPatterns
    var upper = 0.0
    var lower = 0.0
    for a in first {
      for b in second {
        let bounds = largestSum(weight, a, b, rows: rows)
        upper = max(upper, bounds.upper)
        lower = max(lower, bounds.lower)
      }
    }
    return OperatorBound(
      upper: UpperBound(proved: upper), lower: LowerBound(proved: lower),
      method: rows ? .rowSums : .columnSums, evidence: .sums)
  }

  /// The largest sum over channels of one pair of patterns.
  private func largestSum<Scalar: StoredScalar>(
    _ weight: [Scalar], _ first: [[Int]], _ second: [[Int]], rows: Bool
  ) -> (upper: Double, lower: Double) {
    let width = windows[1].kernel
    var cells: [[Int]] = []
    for a in first { for b in second { cells.append(a.flatMap { x in b.map { x * width + $0 } }) } }
    let isPlain = cells.allSatisfy { $0.count == 1 }
    let plain = cells.map { $0[0] }
    let (taps, groupInputs, groupOutputs) = (taps, groupInputs, groupOutputs)
    var sums = AbsoluteSums(count: rows ? outputs : inputs)
    // What rounding the sums of several taps may have lost, besides.
    var slack = [Double](repeating: 0, count: rows ? outputs : inputs)
    for output in 0..<outputs {
      let offset = output / groupOutputs * groupInputs
      for input in 0..<groupInputs {
        let base = (output * groupInputs + input) * taps
        let index = rows ? output : offset + input
        if isPlain {
          for tap in plain {
            AbsoluteSums.add(
              Double(weight[base + tap].magnitude), to: &sums.values[index], &sums.errors[index])
          }
        } else {
          for cell in cells {
            var sum = 0.0
            for tap in cell {
              let term = Double(weight[base + tap])
              let next = sum + term
              let part = next - sum
              slack[index] += ((sum - (next - part)) + (term - part)).magnitude
              sum = next
            }
            AbsoluteSums.add(sum.magnitude, to: &sums.values[index], &sums.errors[index])
          }
        }
      }
    }
    let terms = cells.count * (rows ? groupInputs : groupOutputs)
    var largest = (upper: 0.0, lower: 0.0)
    for index in slack.indices {
      let part = sums.bounds(index, terms: terms)
      let extra = slack[index] == 0 ? 0 : Directed.productUp(slack[index], 1 + 0x1p-20)
      largest.upper = max(largest.upper, Directed.sumUp(part.upper, extra))
      largest.lower = max(largest.lower, extra == 0 ? part.lower
        : max(0, Directed.sumDown(part.lower, -extra)))
    }
    return largest
  }
}
