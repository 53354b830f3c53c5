import Model
import Rounding

/// The norm of A₁ ⊗ A₂ ⊗ … with the identity over channels: in L1, L2 and L∞ the norms of the
/// one-dimensional matrices multiply.
func separableBound(_ axes: [AxisMap], norm: Norm) throws(ProofError) -> OperatorBound {
  var upper = UpperBound.one
  var lower = LowerBound(proved: 1)
  var evidence: [OperatorEvidence] = []
  for axis in axes {
    let bound = try axis.bound(norm)
    upper = upper * bound.upper
    lower = lower * (bound.lower ?? .zero)
    evidence.append(bound.evidence)
  }
  if upper == .zero { return .zero }
  return OperatorBound(
    upper: upper, lower: lower, method: .separable, evidence: .separable(evidence))
}

extension AxisMap {
  /// One entry: numerator / divisor.
  struct Entry {
    let column: Int
    var numerator: Int
  }

  /// The entries of a row, columns named twice added up, zeros left out.
  func entries(_ row: Row) -> [Entry] {
    var entries: [Entry] = []
    // Equal columns beside each other: a row may be as long as an axis.
    for (column, numerator) in zip(row.columns, row.numerators).sorted(by: { $0.0 < $1.0 }) {
      if entries.last?.column == column {
        entries[entries.count - 1].numerator += numerator
      } else {
        entries.append(Entry(column: column, numerator: numerator))
      }
    }
    return entries.filter { $0.numerator != 0 }
  }

  func bound(_ norm: Norm) throws(ProofError) -> OperatorBound {
    let matrix = rows.map { (entries: entries($0), divisor: $0.divisor) }
    switch norm {
    case .linf:
      let sums = matrix.map { row in
        [(numerator: row.entries.reduce(0) { $0 + abs($1.numerator) }, divisor: row.divisor)]
      }
      return Self.largest(sums, .rowSums, .sums)
    case .l1:
      // By column and divisor, so that equal divisors add up exactly.
      var sums = [[Int: Int]](repeating: [:], count: inputs)
      for row in matrix {
        for entry in row.entries {
          sums[entry.column][row.divisor, default: 0] += abs(entry.numerator)
        }
      }
      return Self.largest(
        sums.map { $0.map { (numerator: $0.value, divisor: $0.key) } }, .columnSums, .sums)
    case .l2:
      if let bound = disjointBound(matrix) { return bound }
      return try denseSpectralBound(matrix)
    }
  }

  /// The largest of sums of fractions with positive divisors, rounded outward.
  private static func largest(
    _ sums: [[(numerator: Int, divisor: Int)]], _ method: OperatorBound.Method,
    _ evidence: OperatorEvidence
  ) -> OperatorBound {
    var upper = 0.0
    var lower = 0.0
    for sum in sums {
      var (high, low) = (0.0, 0.0)
      for term in sum.sorted(by: { $0.divisor < $1.divisor }) {
        let (a, b) = (Double(term.numerator), Double(term.divisor))
        high = Directed.sumUp(high, Directed.quotientUp(a, b))
        low = Directed.sumDown(low, Directed.quotientDown(a, b))
      }
      upper = max(upper, high)
      lower = max(lower, low)
    }
    return OperatorBound(
      upper: UpperBound(proved: upper), lower: LowerBound(proved: lower), method: method,
      evidence: evidence)
  }

  /// Where no two rows, or no two columns, share an element: the largest Euclidean norm of one,
  /// √(Σ n² / d²); nil elsewhere.
  private func disjointBound(
    _ matrix: [(entries: [Entry], divisor: Int)]
  ) -> OperatorBound? {
    var readers = [Int](repeating: 0, count: inputs)
    for row in matrix { for entry in row.entries { readers[entry.column] += 1 } }
    let squares: [[(numerator: Int, divisor: Int)]]
    if readers.allSatisfy({ $0 <= 1 }) {
      squares = matrix.map { row in
        [(row.entries.reduce(0) { $0 + $1.numerator * $1.numerator }, row.divisor * row.divisor)]
      }
    } else if matrix.allSatisfy({ $0.entries.count <= 1 }) {
      var sums = [[Int: Int]](repeating: [:], count: inputs)
      for row in matrix {
        for entry in row.entries {
          sums[entry.column][row.divisor * row.divisor, default: 0]
            += entry.numerator * entry.numerator
        }
      }
      squares = sums.map { $0.map { (numerator: $0.value, divisor: $0.key) } }
    } else {
      return nil
    }
    let square = Self.largest(squares, .separable, .disjoint)
    return OperatorBound(
      upper: square.upper.squareRoot(), lower: square.lower?.squareRoot(), method: .separable,
      evidence: .disjoint)
  }

  /// The dense proof of the matrix with its entries rounded to doubles, plus 2⁻⁵³ times its
  /// Frobenius norm for that rounding; beyond 2048 rows and columns √(‖A‖₁·‖A‖∞).
  private func denseSpectralBound(
    _ matrix: [(entries: [Entry], divisor: Int)]
  ) throws(ProofError) -> OperatorBound {
    let product = try bound(.l1).upper * bound(.linf).upper
    if min(rows.count, inputs) > 2048 {
      return OperatorBound(
        upper: product.squareRoot(), lower: nil, method: .separable, evidence: .interpolation)
    }
    var values = [Double](repeating: 0, count: rows.count * inputs)
    var square = 0.0
    for (index, row) in matrix.enumerated() {
      for entry in row.entries {
        let value = Double(entry.numerator) / Double(row.divisor)
        values[index * inputs + entry.column] = value
        square += value * value
      }
    }
    let dense = try denseBound(values, rows: rows.count, columns: inputs, norm: .l2)
    let rounding = UpperBound(proved: square.squareRoot() * 0x1p-53 * (1 + 0x1p-20))
    let upper = dense.upper + rounding
    let interpolated = product.squareRoot()
    let isSpectral = upper < interpolated
    return OperatorBound(
      upper: isSpectral ? upper : interpolated, lower: dense.lower.map { $0 - rounding },
      method: .separable, evidence: isSpectral ? dense.evidence : .interpolation)
  }
}
