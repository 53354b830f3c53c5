import COpenBLAS

/// A row of blocks, by the index of their column; what is not there is zero.
typealias BlockRow = [Int: DoubleMatrix]

/// The Cholesky factor of a symmetric matrix of blocks, grown row by row.
///
/// Every entry is evaluated by the textbook recurrence lᵢⱼ = (aᵢⱼ − Σ lᵢₖlⱼₖ)/lⱼⱼ, blocks of zeros
/// left out, so what is proved of the factorisation of a matrix holds for it.
struct BlockFactor {
  /// What stands on the diagonal of L: a full lower triangle, or numbers where the block of the
  /// matrix is diagonal and nothing is eliminated before it.
  private enum Pivot {
    case diagonal([Double])
    case full(DoubleMatrix)
    var order: Int {
      switch self {
      case .diagonal(let roots): roots.count
      case .full(let matrix): matrix.rows
      }
    }
  }
  private var rows: [BlockRow] = []
  private var pivots: [Pivot] = []
  /// Multiplications so far, roughly.
  private(set) var work = 0.0

  var count: Int { pivots.count }

  /// The first block where it is diagonal; false where it is not positive.
  mutating func appendDiagonal(_ diagonal: [Double]) -> Bool {
    precondition(pivots.isEmpty)
    guard diagonal.allSatisfy({ $0 > 0 && $0.isFinite }) else { return false }
    pivots.append(.diagonal(diagonal.map { $0.squareRoot() }))
    rows.append([:])
    return true
  }

  /// X with X·Lᵀ = `row`: what elimination makes of the off-diagonal blocks of a further row.
  mutating func eliminated(_ row: BlockRow) -> BlockRow {
    var result: BlockRow = [:]
    for j in 0..<count {
      var block = row[j]
      for k in 0..<j {
        guard let left = result[k], let right = rows[j][k] else { continue }
        if block == nil { block = DoubleMatrix(rows: left.rows, columns: pivots[j].order) }
        block!.add(left, times: right, transposing: true, factor: -1)
        work += Double(left.rows) * Double(left.columns) * Double(right.rows)
      }
      guard var solved = block else { continue }
      switch pivots[j] {
      case .diagonal(let roots):
        for column in 0..<solved.columns {
          let root = roots[column]
          for index in column * solved.rows..<(column + 1) * solved.rows {
            solved.values[index] /= root
          }
        }
      case .full(let l):
        if solved.rows > 0 {
          solved.values.withUnsafeMutableBufferPointer {
            openblas_solve_right(
              1, Int32(solved.rows), Int32(l.rows), l.values, Int32(l.rows), $0.baseAddress!,
              Int32(solved.rows))
          }
        }
        work += Double(solved.rows) * Double(l.rows) * Double(l.rows) / 2
      }
      result[j] = solved
    }
    return result
  }

  /// Lower triangle of diagonal − X·Xᵀ.
  mutating func complement(_ diagonal: DoubleMatrix, _ eliminated: BlockRow) -> DoubleMatrix {
    var schur = diagonal
    for j in eliminated.keys.sorted() {
      schur.addGram(eliminated[j]!, factor: -1)
      work += Double(schur.rows) * Double(schur.rows) * Double(eliminated[j]!.columns) / 2
    }
    return schur
  }

  /// A further row: its eliminated blocks and the complement on its diagonal. False where that is
  /// not positive definite, or a number is not finite.
  mutating func append(_ eliminated: BlockRow, complement: DoubleMatrix) -> Bool {
    var factor = complement
    let n = factor.rows
    guard n > 0 else { return false }
    work += Double(n) * Double(n) * Double(n) / 6
    let info = factor.values.withUnsafeMutableBufferPointer {
      openblas_potrf(Int32(n), $0.baseAddress!, Int32(n))
    }
    // LAPACK's info is not enough: OpenBLAS reports success on NaN.
    guard info == 0 else { return false }
    for column in 0..<n {
      guard factor.values[column * n + column] > 0 else { return false }
      var zero = 0.0
      for row in column..<n { zero += factor.values[column * n + row] * 0 }
      guard zero == 0 else { return false }
    }
    for block in eliminated.values {
      guard block.values.reduce(0, { $0 + $1 * 0 }) == 0 else { return false }
    }
    rows.append(eliminated)
    pivots.append(.full(factor))
    return true
  }

  /// w with w·L = `row`, rows as columns: from X of `eliminated`, the solution of the whole system.
  func solved(_ row: [DoubleMatrix]) -> [DoubleMatrix] {
    var result = row
    for j in (0..<count).reversed() {
      for i in (j + 1)..<max(count, j + 1) {
        guard let block = rows[i][j] else { continue }
        result[j].add(result[i], times: block, factor: -1)
      }
      let m = result[j].rows
      switch pivots[j] {
      case .diagonal(let roots):
        for column in 0..<result[j].columns {
          for index in column * m..<(column + 1) * m { result[j].values[index] /= roots[column] }
        }
      case .full(let l):
        result[j].values.withUnsafeMutableBufferPointer {
          openblas_solve_right(
            0, Int32(m), Int32(l.rows), l.values, Int32(l.rows), $0.baseAddress!, Int32(m))
        }
      }
    }
    return result
  }
}
