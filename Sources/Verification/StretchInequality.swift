import Glibc
import Rounding

/// The matrix P of one stretch, by blocks, with what its entries may be off by.
struct StretchInequality {
  private(set) var matrix: BlockMatrix
  /// Of the blocks that are not exact; of one on the diagonal its lower triangle counts.
  private var errors: [BlockMatrix.Place: [Double]] = [:]

  init(diagonals: [[Double]]) { matrix = BlockMatrix(diagonals: diagonals) }

  /// Adds a block at (row, column) with column ≤ row; on the diagonal a symmetric one.
  mutating func add(_ block: FormBlock, _ row: Int, _ column: Int) {
    let place = BlockMatrix.Place(row: row, column: column)
    let isDiagonal = row == column
    guard var former = matrix.blocks.removeValue(forKey: place) ?? start(isDiagonal, block) else {
      matrix.blocks[place] = block.values
      errors[place] = block.radius
      return
    }
    if isDiagonal {
      for index in 0..<block.rows {
        former[index * (block.rows + 1)] = matrix.diagonals[row][index]
      }
    }
    var total = errors[place] ?? [Double](repeating: 0, count: former.count)
    for index in former.indices {
      let (a, b) = (former[index], block.values[index])
      let sum = a + b
      former[index] = sum
      var error = block.radius?[index] ?? 0
      if a != 0 { error += Arithmetic.u * sum.magnitude * Arithmetic.slack }
      total[index] += error
    }
    if isDiagonal {
      for index in 0..<block.rows {
        matrix.diagonals[row][index] = former[index * (block.rows + 1)]
      }
    }
    matrix.blocks[place] = former
    errors[place] = total
  }

  private func start(_ isDiagonal: Bool, _ block: FormBlock) -> [Double]? {
    isDiagonal ? [Double](repeating: 0, count: block.values.count) : nil
  }

  /// Whether P with any errors in the stated ranges is positive definite.
  ///
  /// With S a diagonal of powers of two, so that SPS is exact and has a diagonal of about 1, E the
  /// errors, e the largest row sum of S|E|S and M the matrix SPS − shift·I, its diagonal rounded
  /// down: SPS + SES ≥ M + shift − e ≥ shift − e − ρ for the defect ρ of M.
  var isAboveItsErrors: Bool {
    var scales: [[Double]] = []
    var trace = 0.0
    for diagonal in matrix.diagonals {
      guard diagonal.allSatisfy({ $0 > 0x1p-500 && $0 < 0x1p500 }) else { return false }
      let scale = diagonal.map {
        Double(sign: .plus, exponent: -Int((log2($0) / 2).rounded()), significand: 1)
      }
      for (entry, s) in zip(diagonal, scale) { trace += entry * s * s }
      scales.append(scale)
    }
    let error = errorNorm(scales)
    var scaled = matrix
    for (place, block) in matrix.blocks {
      let (left, right) = (scales[place.row], scales[place.column])
      var values = block
      var index = 0
      for s in right {
        for r in left {
          values[index] *= r * s
          index += 1
        }
      }
      scaled.blocks[place] = values
    }
    let rounding = Arithmetic.u * trace
    for factor in [2.0, 8, 64] {
      let shift = error + factor * Double(matrix.order + 8) * rounding
      for (variable, scale) in scales.enumerated() {
        for (index, s) in scale.enumerated() {
          scaled.diagonals[variable][index] =
            (matrix.diagonals[variable][index] * s * s - shift) * (1 - 0x1p-52)
        }
        guard scaled.diagonals[variable].allSatisfy({ $0 > 0 }) else { return false }
      }
      guard let defect = scaled.defect() else { return false }
      if (defect + error) * (1 + 0x1p-50) < shift { return true }
    }
    return false
  }

  /// ‖SES‖ ≤ the largest row sum of S|E|S.
  private func errorNorm(_ scales: [[Double]]) -> Double {
    var sums = scales.map { [Double](repeating: 0, count: $0.count) }
    for (place, radius) in errors {
      let rows = matrix.sizes[place.row]
      for (column, s) in scales[place.column].enumerated() {
        let isDiagonal = place.row == place.column
        for row in (isDiagonal ? column : 0)..<rows {
          let size = radius[column * rows + row] * scales[place.row][row] * s
          sums[place.row][row] += size
          if !isDiagonal || row != column { sums[place.column][column] += size }
        }
      }
    }
    return (sums.joined().max() ?? 0) * (1 + 0x1p-10)
  }
}
