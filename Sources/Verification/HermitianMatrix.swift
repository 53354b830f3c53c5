import COpenBLAS
import Glibc

/// `SymmetricMatrix` for complex numbers: pairs (real, imaginary) in column-major order, −Mᵢⱼ for
/// i < j above the diagonal, a real diagonal.
final class HermitianMatrix {
  let order: Int
  /// Pair (i, j) at 2·(j·order + i).
  let entries: UnsafeMutablePointer<Double>
  var diagonal: [Double]
  private let panel: UnsafeMutablePointer<Double>
  private static let width = 48

  init(order: Int) {
    self.order = order
    entries = .allocate(capacity: 2 * order * order)
    panel = .allocate(capacity: 2 * order * Self.width)
    diagonal = [Double](repeating: 0, count: order)
  }

  deinit {
    entries.deallocate()
    panel.deallocate()
  }

  /// As of `SymmetricMatrix`; complex inner products cost three times the rounding of real ones:
  /// ρ = (‖Ĉ‖F + 6(order + 4)u‖L‖F²)(1 + 2⁻²⁰) + 2⁻⁹⁰⁰.
  func defect() -> Double? {
    let n = order
    for column in 0..<n {
      let corner = 2 * (column * n + column)
      entries[corner] = diagonal[column]
      entries[corner + 1] = 0
      for row in (column + 1)..<max(n, column + 1) {
        let source = 2 * (row * n + column)
        let target = 2 * (column * n + row)
        entries[target] = -entries[source]
        entries[target + 1] = entries[source + 1]
      }
    }
    guard openblas_complex_potrf(Int32(n), entries, Int32(n)) == 0 else { return nil }
    var factorDiagonal = diagonal
    var factorSquare = 0.0
    for column in 0..<n {
      factorDiagonal[column] = entries[2 * (column * n + column)]
      for place in 2 * (column * n + column)..<2 * (column + 1) * n {
        factorSquare += entries[place] * entries[place]
      }
      entries[2 * (column * n + column)] = -diagonal[column]
      entries[2 * (column * n + column) + 1] = 0
    }
    for start in stride(from: 0, to: n, by: Self.width) {
      let (columns, rows) = (min(Self.width, n - start), n - start)
      for column in 0..<columns {
        let source = entries + 2 * ((start + column) * n + start)
        let target = panel + 2 * column * rows
        for place in 0..<2 * rows { target[place] = place >= 2 * column + 2 ? source[place] : 0 }
        target[2 * column] = factorDiagonal[start + column]
      }
      openblas_complex_gram(
        Int32(rows), Int32(columns), panel, Int32(rows), 1, entries + 2 * (start * n + start),
        Int32(n))
    }
    var residual = 0.0
    for column in 0..<n {
      var sum = 0.0
      for place in 2 * column * n..<2 * (column * n + column) {
        sum += entries[place] * entries[place]
      }
      let corner = entries[2 * (column * n + column)]
      residual += 2 * sum + corner * corner
    }
    let rounding = 6 * Double(n + 4) * Arithmetic.u * factorSquare
    let defect = (residual.squareRoot() + rounding) * Arithmetic.slack + 0x1p-900
    return defect.isFinite ? defect : nil
  }
}
