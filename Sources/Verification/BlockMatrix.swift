import COpenBLAS
import Rounding

/// A symmetric matrix by blocks, most of which may be absent, that is, zero.
///
/// Kept is the lower triangle of blocks, each column-major and whole; where a block on the diagonal
/// is absent, it is the diagonal matrix of `diagonals`.
struct BlockMatrix {
  struct Place: Hashable {
    let row: Int
    /// Not after the row.
    let column: Int
  }

  let sizes: [Int]
  /// Of every diagonal block.
  var diagonals: [[Double]]
  /// Of a block on the diagonal the lower triangle counts, without its diagonal.
  var blocks: [Place: [Double]] = [:]

  var order: Int { sizes.reduce(0, +) }

  init(diagonals: [[Double]]) {
    self.diagonals = diagonals
    sizes = diagonals.map(\.count)
  }

  /// A number ρ ≥ 0 with M + ρI positive semidefinite; nil where M could not be factorised.
  ///
  /// It is that of `SymmetricMatrix.defect`, for a lower triangular L made of blocks: M = LLᵀ +
  /// (M − LLᵀ) holds for any L, so the least eigenvalue of M is at least −‖M − LLᵀ‖. With
  /// Ĉ = fl(LLᵀ − M), n the order of all of M,
  ///
  ///     ρ = (‖Ĉ‖F + 2(n + 4)u‖L‖F²)(1 + 2⁻²⁰) + 2⁻⁹⁰⁰.
  ///
  /// (LLᵀ)ᵢⱼ = Σ_{k ≤ j} Lᵢₖ·Lⱼₖᵀ: where neither Mᵢⱼ nor any of these products is present the block
  /// is zero in LLᵀ and in M, exactly, and so need not be looked at; every other entry of Ĉ is a sum
  /// of at most n products and one number of M, added in any order, with
  /// |Ĉ − (LLᵀ − M)| ≤ γ(|L||L|ᵀ + |M|) entry by entry. Which blocks L has decides only what is
  /// computed: a factorisation that went wrong shows in Ĉ.
  func defect() -> Double? {
    guard let factor = BlockFactor(self) else { return nil }
    var residual = 0.0
    for row in sizes.indices {
      for column in 0...row {
        guard let square = factor.residualSquare(self, Place(row: row, column: column)) else {
          continue
        }
        residual += square
      }
    }
    let rounding = 2 * Double(order + 4) * Arithmetic.u * factor.square
    let defect = (residual.squareRoot() + rounding) * Arithmetic.slack + 0x1p-900
    return defect.isFinite ? defect : nil
  }

  /// The whole lower triangle of a diagonal block, upper triangle zero.
  fileprivate func diagonalBlock(_ index: Int) -> [Double] {
    let n = sizes[index]
    var values = [Double](repeating: 0, count: n * n)
    if let block = blocks[Place(row: index, column: index)] {
      for column in 0..<n {
        for row in column..<n { values[column * n + row] = block[column * n + row] }
      }
    }
    for place in 0..<n { values[place * (n + 1)] = diagonals[index][place] }
    return values
  }
}

/// The Cholesky factor of a `BlockMatrix`. Nothing relies on its being one.
private struct BlockFactor {
  private let sizes: [Int]
  /// On the diagonal lower triangular, zero above; absent where `diagonals` is all there is.
  private var blocks: [BlockMatrix.Place: [Double]] = [:]
  private var diagonals: [Int: [Double]] = [:]

  init?(_ matrix: BlockMatrix) {
    sizes = matrix.sizes
    for row in sizes.indices {
      let n = sizes[row]
      for column in 0..<row {
        let place = BlockMatrix.Place(row: row, column: column)
        guard var block = product(matrix.blocks[place], place, factor: -1) else { continue }
        if let numbers = diagonals[column] {
          for index in numbers.indices {
            for entry in index * n..<(index + 1) * n { block[entry] /= numbers[index] }
          }
        } else {
          openblas_solve_right(
            1, Int32(n), Int32(sizes[column]), self[column, column]!, Int32(sizes[column]),
            &block, Int32(n))
        }
        blocks[place] = block
      }
      let place = BlockMatrix.Place(row: row, column: row)
      let isAlone = (0..<row).allSatisfy { self[row, $0] == nil }
      if isAlone, matrix.blocks[place] == nil {
        guard matrix.diagonals[row].allSatisfy({ $0 > 0 }) else { return nil }
        diagonals[row] = matrix.diagonals[row].map { $0.squareRoot() }
        continue
      }
      var block = matrix.diagonalBlock(row)
      for k in 0..<row {
        guard let left = self[row, k] else { continue }
        openblas_gram_lower(Int32(n), Int32(sizes[k]), -1, left, Int32(n), 1, &block, Int32(n))
      }
      let info = openblas_potrf(Int32(n), &block, Int32(n))
      guard info == 0 else { return nil }
      for column in 0..<n { for entry in 0..<column { block[column * n + entry] = 0 } }
      blocks[place] = block
    }
  }

  private subscript(row: Int, column: Int) -> [Double]? {
    blocks[BlockMatrix.Place(row: row, column: column)]
  }

  /// start + factor·Σ_{k < column} L(row, k)·L(column, k)ᵀ off the diagonal; nil where nothing is
  /// there.
  private func product(
    _ start: [Double]?, _ place: BlockMatrix.Place, factor: Double
  ) -> [Double]? {
    let (rows, columns) = (sizes[place.row], sizes[place.column])
    var result = start
    for k in 0..<place.column {
      guard let left = self[place.row, k], let right = self[place.column, k] else { continue }
      var sum = result ?? [Double](repeating: 0, count: rows * columns)
      result = nil
      openblas_scaled_gemm(
        0, 1, Int32(rows), Int32(columns), Int32(sizes[k]), factor, left, Int32(rows), right,
        Int32(columns), 1, &sum, Int32(rows))
      result = sum
    }
    return result
  }

  /// ‖L‖F²
  var square: Double {
    let parts = Array(blocks.values) + Array(diagonals.values)
    return parts.reduce(0) { $0 + Self.square($1) }
  }

  private static func square(_ numbers: [Double]) -> Double {
    var sums = SIMD8<Double>()
    let whole = numbers.count / 8 * 8
    return numbers.withUnsafeBufferPointer { numbers in
      for start in stride(from: 0, to: whole, by: 8) {
        var lane = SIMD8<Double>()
        for index in 0..<8 { lane[index] = numbers[start + index] }
        sums += lane * lane
      }
      return numbers[whole...].reduce(sums.sum()) { $0 + $1 * $1 }
    }
  }

  /// The squares of all entries of Ĉ in this block and in the one that mirrors it; nil where LLᵀ
  /// and M have none.
  func residualSquare(_ matrix: BlockMatrix, _ place: BlockMatrix.Place) -> Double? {
    let (rows, columns) = (sizes[place.row], sizes[place.column])
    if place.row == place.column {
      if let numbers = diagonals[place.row] {
        return zip(numbers, matrix.diagonals[place.row]).reduce(0) {
          let entry = $1.0 * $1.0 - $1.1
          return $0 + entry * entry
        }
      }
      var residual = matrix.diagonalBlock(place.row).map { -$0 }
      for k in 0..<place.row {
        guard let left = self[place.row, k] else { continue }
        openblas_gram_lower(
          Int32(rows), Int32(sizes[k]), 1, left, Int32(rows), 1, &residual, Int32(rows))
      }
      let last = self[place.row, place.row]!
      // Panel by panel: a panel reaches only what lies below its first row.
      for start in stride(from: 0, to: rows, by: Self.panel) {
        let width = min(Self.panel, rows - start)
        let corner = start * (rows + 1)
        last.withUnsafeBufferPointer { last in
          residual.withUnsafeMutableBufferPointer { residual in
            openblas_gram_lower(
              Int32(rows - start), Int32(width), 1, last.baseAddress! + corner, Int32(rows), 1,
              residual.baseAddress! + corner, Int32(rows))
          }
        }
      }
      // Above the diagonal there are zeros; what stands on it is counted twice.
      return 2 * Self.square(residual)
    }
    let stored = matrix.blocks[place]
    let product = product(stored?.map { -$0 }, place, factor: 1)
    guard let left = self[place.row, place.column] else {
      return product.map { 2 * Self.square($0) }
    }
    var residual = product ?? [Double](repeating: 0, count: rows * columns)
    if let numbers = diagonals[place.column] {
      for index in numbers.indices {
        for entry in index * rows..<(index + 1) * rows {
          residual[entry] += left[entry] * numbers[index]
        }
      }
      return 2 * Self.square(residual)
    }
    let last = self[place.column, place.column]!
    for start in stride(from: 0, to: columns, by: Self.panel) {
      let width = min(Self.panel, columns - start)
      left.withUnsafeBufferPointer { left in
        last.withUnsafeBufferPointer { last in
          residual.withUnsafeMutableBufferPointer { residual in
            openblas_scaled_gemm(
              0, 1, Int32(rows), Int32(columns - start), Int32(width), 1,
              left.baseAddress! + start * rows, Int32(rows),
              last.baseAddress! + start * (columns + 1), Int32(columns), 1,
              residual.baseAddress! + start * rows, Int32(rows))
          }
        }
      }
    }
    return 2 * Self.square(residual)
  }

  private static let panel = 64
}
