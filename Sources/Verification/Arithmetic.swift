import COpenBLAS
import Glibc

/// The float64 linear algebra that checks use. Its results are never believed: what a
/// factorisation returns is multiplied out again.
enum Arithmetic {
  private static let failure: String? = openblas_open().map { String(cString: $0) }

  /// Runs `body` with round to nearest and gradual underflow, whatever another library has set.
  static func checked<Result>(
    _ body: () throws(VerificationError) -> Result
  ) throws(VerificationError) -> Result {
    if let failure { throw .unusable("the linear algebra library cannot be used: \(failure)") }
    var saved = fenv_t()
    arithmetic_enter(&saved)
    defer { arithmetic_leave(&saved) }
    guard arithmetic_is_ieee() != 0 else {
      throw .unusable("this machine's float64 arithmetic is not IEEE round to nearest")
    }
    return try body()
  }

  /// Several threads only for large matrices: for small ones waiting costs more than is gained.
  static func threaded<Result>(order: Int, _ body: () -> Result) -> Result {
    guard order >= 1024 else { return body() }
    openblas_threads(min(openblas_available_cores(), 8))
    defer { openblas_threads(1) }
    return body()
  }

  static let u = 0x1p-53
  /// Covers the rounding of a sum of a few numbers ≥ 0, and second-order terms.
  static let slack = 1 + 0x1p-20
}

/// A symmetric matrix M of doubles that is to be shown positive semidefinite up to a defect.
///
/// Column-major, one block of memory: the strict upper triangle keeps −M, the lower one the factor.
final class SymmetricMatrix {
  let order: Int
  /// −Mᵢⱼ for i < j at j·order + i; to be filled by the owner, with `diagonal` apart.
  let entries: UnsafeMutablePointer<Double>
  var diagonal: [Double]

  init(order: Int) throws(VerificationError) {
    guard let entries = malloc(order * order * MemoryLayout<Double>.stride)?
      .assumingMemoryBound(to: Double.self)
    else { throw .unusable("no memory for a \(order)×\(order) matrix") }
    self.order = order
    self.entries = entries
    diagonal = [Double](repeating: 0, count: order)
  }

  deinit { free(entries) }

  /// A number ρ ≥ 0 with M + ρI positive semidefinite; nil where M could not be factorised.
  ///
  /// For any lower triangular L, M = LLᵀ + (M − LLᵀ). With Ĉ = fl(LLᵀ − M), each entry a sum of
  /// at most order + 1 terms in any order,
  ///
  ///     ‖Ĉ − (LLᵀ − M)‖ ≤ γ(‖ |L||L|ᵀ ‖ + ‖ |M| ‖) ≤ γ(2‖L‖F² + ‖Ĉ‖F + …),
  ///     ρ = (‖Ĉ‖F + 2(order + 4)u‖L‖F²)(1 + 2⁻²⁰) + 2⁻⁹⁰⁰,
  ///
  /// since a spectral norm is at most a Frobenius norm. So neither the factorisation's success nor
  /// its rounding is relied on. `entries` is destroyed above the diagonal.
  func defect() -> Double? {
    let n = order
    for column in 0..<n {
      entries[column * n + column] = diagonal[column]
      for row in (column + 1)..<max(n, column + 1) {
        entries[column * n + row] = -entries[row * n + column]
      }
    }
    let info = Arithmetic.threaded(order: n) { openblas_potrf(Int32(n), entries, Int32(n)) }
    guard info == 0 else { return nil }
    var factorDiagonal = diagonal
    var factorSquare = 0.0
    for column in 0..<n {
      factorDiagonal[column] = entries[column * n + column]
      for row in column..<n {
        factorSquare += entries[column * n + row] * entries[column * n + row]
      }
      entries[column * n + column] = -diagonal[column]
    }
    // LLᵀ − M above the diagonal, panel by panel: a panel reaches only what lies below its rows.
    let width = min(n, 64)
    guard let panel = malloc(n * width * MemoryLayout<Double>.stride)?
      .assumingMemoryBound(to: Double.self)
    else { return nil }
    defer { free(panel) }
    Arithmetic.threaded(order: n) {
      for start in stride(from: 0, to: n, by: width) {
        let (columns, rows) = (min(width, n - start), n - start)
        for column in 0..<columns {
          let source = entries + (start + column) * n + start
          let target = panel + column * rows
          for row in 0..<rows { target[row] = row > column ? source[row] : 0 }
          target[column] = factorDiagonal[start + column]
        }
        openblas_gram(
          0, Int32(rows), Int32(columns), panel, Int32(rows), 1,
          entries + start * n + start, Int32(n))
      }
    }
    var residual = 0.0
    for column in 0..<n {
      for row in 0..<column {
        residual += 2 * entries[column * n + row] * entries[column * n + row]
      }
      residual += entries[column * n + column] * entries[column * n + column]
    }
    let rounding = 2 * Double(n + 4) * Arithmetic.u * factorSquare
    let defect = (residual.squareRoot() + rounding) * Arithmetic.slack + 0x1p-900
    return defect.isFinite ? defect : nil
  }
}
