import COpenBLAS
import Rounding

/// Checks of A₁ ⊗ A₂ ⊗ …, whose norms multiply in L1, L2 and L∞; entries are fractions.
struct SeparableCheck {
  let axes: [StatedAxis]

  func holds(_ bound: Double, _ norm: Norm) throws(VerificationError) -> Bool {
    if norm != .l2 {
      return axes.reduce(1) { Directed.productUp($0, $1.sum(rows: norm == .linf)) } <= bound
    }
    // What the axes share of the bound: each its own norm, about, and the same slack.
    var uppers: [Double] = []
    var open: [(axis: StatedAxis, size: Double)] = []
    for axis in axes {
      if let exact = axis.disjointNorm {
        uppers.append(exact)
        continue
      }
      let size = try axis.estimate()
      open.append((axis, size))
    }
    let known = uppers.reduce(1, Directed.productUp)
    if known == 0 || open.contains(where: { $0.size == 0 }) {
      return known == 0 || axes.contains { axis in axis.sum(rows: true) == 0 }
    }
    let total = open.reduce(1) { $0 * $1.size }
    var slack = 1.0
    if open.count == 1 { slack = bound / known / total }
    if open.count == 2 { slack = (bound / known / total).squareRoot() }
    if open.count > 2 { return false }
    var product = known
    for (axis, size) in open {
      let limit = (size * slack) * (1 - 0x1p-50)
      let crude = Directed.squareRootUp(
        Directed.productUp(axis.sum(rows: true), axis.sum(rows: false)))
      var isSpectral = false
      if crude > limit { isSpectral = try axis.spectral(limit) }
      if !isSpectral {
        product = Directed.productUp(product, crude)
      } else {
        product = Directed.productUp(product, limit)
      }
    }
    return product <= bound
  }
}

extension StatedAxis {
  /// Rows with columns that are named twice added up.
  private var matrix: [(entries: [Int: Int], divisor: Int)] {
    rows.map { row in
      var entries: [Int: Int] = [:]
      for (column, numerator) in zip(row.columns, row.numerators) {
        entries[column, default: 0] += numerator
      }
      return (entries.filter { $0.value != 0 }, row.divisor)
    }
  }

  /// The largest row or column sum, rounded up.
  func sum(rows isRows: Bool) -> Double {
    var sums = [[Int: Int]](repeating: [:], count: isRows ? rows.count : inputs)
    for (index, row) in matrix.enumerated() {
      for (column, numerator) in row.entries {
        sums[isRows ? index : column][row.divisor, default: 0] += abs(numerator)
      }
    }
    return sums.map { Self.upper($0) }.max() ?? 0
  }

  /// Σ numerator/divisor rounded up, divisors ascending.
  private static func upper(_ terms: [Int: Int]) -> Double {
    terms.sorted { $0.key < $1.key }.reduce(0) {
      Directed.sumUp($0, Directed.quotientUp(Double($1.value), Double($1.key)))
    }
  }

  /// ‖A‖₂ rounded up where rows, or columns, have no element in common; else nil.
  var disjointNorm: Double? {
    let matrix = matrix
    var readers = [Int](repeating: 0, count: inputs)
    for row in matrix { for column in row.entries.keys { readers[column] += 1 } }
    let isRows = readers.allSatisfy { $0 <= 1 }
    guard isRows || matrix.allSatisfy({ $0.entries.count <= 1 }) else { return nil }
    var sums = [[Int: Int]](repeating: [:], count: isRows ? rows.count : inputs)
    for (index, row) in matrix.enumerated() {
      for (column, numerator) in row.entries {
        guard abs(numerator) < 1 << 26, row.divisor < 1 << 26 else { return nil }
        sums[isRows ? index : column][row.divisor * row.divisor, default: 0]
          += numerator * numerator
      }
    }
    return Directed.squareRootUp(sums.map { Self.upper($0) }.max() ?? 0)
  }

  private var dense: [Double] {
    var values = [Double](repeating: 0, count: rows.count * inputs)
    for (index, row) in matrix.enumerated() {
      for (column, numerator) in row.entries {
        values[index * inputs + column] = Double(numerator) / Double(row.divisor)
      }
    }
    return values
  }

  /// About ‖A‖₂.
  fileprivate func estimate() throws(VerificationError) -> Double {
    guard min(rows.count, inputs) <= 2048, rows.count * inputs <= 1 << 26 else {
      throw .refused("an axis is too large to be checked")
    }
    let isTall = rows.count >= inputs
    let d = min(rows.count, inputs)
    let values = dense
    var gram = [Double](repeating: 0, count: d * d)
    // Row-major A is column-major Aᵀ, [inputs, rows].
    openblas_gram(
      isTall ? 0 : 1, Int32(d), Int32(max(rows.count, inputs)), values, Int32(inputs), 0, &gram,
      Int32(d))
    var value = 0.0
    var vector = [Double](repeating: 0, count: d)
    guard openblas_top_eigenpair(Int32(d), &gram, Int32(d), &value, &vector) == 0 else { return 0 }
    return max(value, 0).squareRoot()
  }

  /// ‖A‖₂ ≤ bound: that of A with rounded entries, plus 2⁻⁵³·‖A‖F for the rounding.
  fileprivate func spectral(_ bound: Double) throws(VerificationError) -> Bool {
    let values = dense
    let square = ExactSum.upper(values.map { $0 * $0 }) * (1 + 0x1p-50)
    let rounding = Directed.squareRootUp(square) * 0x1p-53 * Arithmetic.slack
    return try withValues(values) { (buffer) throws(VerificationError) in
      try SpectralCheck(values: buffer, rows: rows.count, columns: inputs)
        .gram((bound - rounding) * (1 - 0x1p-52))
    }
  }
}
