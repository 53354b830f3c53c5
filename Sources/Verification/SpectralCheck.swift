import COpenBLAS
import Glibc
import Rounding

/// Checks of ‖W‖₂ ≤ bound for a stored matrix W [rows, columns], row-major.
struct SpectralCheck<Number: StoredNumber> {
  let values: UnsafeBufferPointer<Number>
  let rows: Int
  let columns: Int

  /// max |w|, exactly.
  var largest: Double { values.reduce(0) { max($0, Double($1.magnitude)) } }

  /// ‖W‖F ≤ bound, so ‖W‖₂ is too.
  func frobenius(_ bound: Double) -> Bool {
    let largest = largest
    if largest == 0 { return true }
    let exponent = Int(largest.exponent)
    let (first, second) = powers(-exponent)
    var square = ExactSum()
    for value in values {
      let a = Double(value.magnitude) * first * second
      square.add(a, times: a)
    }
    return Directed.scaledUp(Directed.squareRootUp(square.upper), exponent: exponent) <= bound
  }

  /// λmax(AᵀA) ≤ b² for A = 2⁻ᵉ·W (or its transpose, so that A is p×d with d ≤ p) and b = 2⁻ᵉ·bound.
  ///
  /// With Ĝ = fl(AᵀA), F = tr Ĝ, M = fl(tI − Ĝ) and the defect ρ of M (`SymmetricMatrix`),
  ///
  ///     λmax(AᵀA) ≤ t + ρ + (p + 1)u·F·(1 + 2⁻²⁰) + u·max Mᵢᵢ
  ///
  /// because each entry of Ĝ is a sum of p products with at most p roundings each. t is chosen
  /// below b² by what the errors are expected to be; the inequality is then evaluated.
  func gram(_ bound: Double) throws(VerificationError) -> Bool {
    let largest = largest
    if largest == 0 { return true }
    let exponent = Int(largest.exponent)
    let (first, second) = powers(-exponent)
    let b = Directed.scaledDown(bound, exponent: -exponent)
    // ‖A‖ ≥ max |a| ≥ 1 and ‖A‖ ≤ 2·√(rows·columns).
    guard b >= 1 else { return false }
    if b > 0x1p100 { return true }
    let d = min(rows, columns)
    let p = max(rows, columns)
    let limit = Directed.productDown(b, b)
    for attempt in 0..<3 {
      let matrix = try SymmetricMatrix(order: d)
      formGram(into: matrix, first * second == 0 ? (first, second) : (first * second, 1))
      var trace = 0.0
      for index in 0..<d {
        matrix.diagonal[index] = matrix.entries[index * d + index]
        trace += matrix.diagonal[index]
      }
      let product = Double(p + 1) * Arithmetic.u * trace * Arithmetic.slack
      let expected = Arithmetic.u
        * (2 * Double(d + 4) * (Double(d) * limit - trace) + 16 * Double(d) * limit)
      let t = limit - Double(1 << attempt) * (product + expected)
      var shifted = 0.0
      for index in 0..<d {
        matrix.diagonal[index] = t - matrix.diagonal[index]
        guard matrix.diagonal[index] >= 0 else { return false }
        shifted = max(shifted, matrix.diagonal[index])
      }
      guard let defect = matrix.defect() else { return false }
      let errors = (defect + product + Arithmetic.u * shifted) * Arithmetic.slack
      if Directed.sumUp(t, errors) <= limit { return true }
    }
    return false
  }

  /// AᵀA in the upper triangle, from strips of about 16 MB.
  private func formGram(into matrix: SymmetricMatrix, _ scales: (Double, Double)) {
    let d = matrix.order
    let p = max(rows, columns)
    let depth = min(p, max(32, (2 << 20) / d))
    let strip = UnsafeMutablePointer<Double>.allocate(capacity: d * depth)
    defer { strip.deallocate() }
    let (first, second) = scales
    Arithmetic.threaded(order: d) {
      for start in stride(from: 0, to: p, by: depth) {
        let count = min(depth, p - start)
        let isTall = columns == d
        if isTall {
          let source = values.baseAddress! + start * d
          for index in 0..<count * d { strip[index] = Double(source[index]) * first * second }
        } else {
          for row in 0..<d {
            let source = values.baseAddress! + row * columns + start
            let target = strip + row * count
            for index in 0..<count { target[index] = Double(source[index]) * first * second }
          }
        }
        openblas_gram(
          isTall ? 0 : 1, Int32(d), Int32(count), strip, Int32(isTall ? d : count),
          start == 0 ? 0 : 1, matrix.entries, Int32(d))
      }
    }
  }
}

/// 2^exponent as a product of two doubles: one alone might not be a double.
func powers(_ exponent: Int) -> (Double, Double) {
  let half = exponent / 2
  return (
    Double(sign: .plus, exponent: half, significand: 1),
    Double(sign: .plus, exponent: exponent - half, significand: 1)
  )
}
