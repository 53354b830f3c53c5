import COpenBLAS
import Rounding

/// A proved bound of the largest singular value of a matrix by one Cholesky factorisation.
///
/// The weights are scaled by 2⁻ᵉ so that max |a| ∈ [½, 1) (exact), and A is the matrix or its
/// transpose, p×d with d = min(rows, columns). With Ĝ = fl(AᵀA), gᵢ its diagonal, F = Σ gᵢ, a
/// candidate t for λmax(AᵀA), M = fl(tI − Ĝ), T = Σ Mᵢᵢ and m = max Mᵢᵢ: if the factorisation of
/// M runs to completion with every entry of L finite and every lᵢᵢ > 0, then
///
///     σmax(A)² ≤ U² = (t + u((d + 4)T + m + (p + 1)F)(1 + 2⁻²⁰))(1 + 2⁻⁵⁰),   u = 2⁻⁵³.
///
/// Proof. (i) The products are exact or rounded once, so |Ĝ − G|ᵢⱼ ≤ (p + 1)u‖aᵢ‖‖aⱼ‖ in any
/// order of summation. (ii) Completion gives M = LLᵀ + D with ‖D‖ ≤ (d + 3)u·tr M (Rump 2006,
/// theorem 2.3, with one more unit because the library may multiply by a rounded reciprocal).
/// (iii) |t − gᵢ − Mᵢᵢ| ≤ u·Mᵢᵢ. Added up, G ≼ U²I. Underflow contributes at most d²·2⁻¹⁰¹⁸,
/// inside the last factor because t ≥ ¼. The candidate is never trusted: the bound is computed
/// after the fact from the t whose factorisation ran. Valid for p, d ≤ 6·10⁷.
///
/// "Cholesky succeeded, hence λmax ≤ t" would be wrong: near λmax a third of the accepted
/// candidates lie below it.
struct SpectralProof<Scalar: StoredScalar> {
  let matrix: Matrix<Scalar>
  /// max|w| ∈ [2^(exponent − 1), 2^exponent)
  let exponent: Int
  /// Long and short side.
  let p: Int
  let d: Int

  private static var u: Double { 0x1p-53 }
  private static var small: Double { 1 + 0x1p-20 }
  private static var final: Double { 1 + 0x1p-50 }

  init(_ matrix: Matrix<Scalar>, largest: Double) {
    self.matrix = matrix
    exponent = Int(largest.exponent) + 1
    p = max(matrix.rows, matrix.columns)
    d = min(matrix.rows, matrix.columns)
  }

  func bound() throws(ProofError) -> OperatorBound {
    if d == 1 { return vectorBound() }
    try LinearAlgebra.open()
    guard let gram = Gram(of: self) else {
      throw .library("no memory for a \(d)×\(d) matrix")
    }
    let candidate = gram.topEigenpair()
    let factorised = provedSquare(gram, candidate: candidate)
    let squared = min(factorised ?? .infinity, frobeniusSquare(gram.trace))
    return OperatorBound(
      upper: unscaled(squared), lower: rayleighLower(candidate.vector),
      method: factorised == squared ? .cholesky : .frobenius,
      evidence: factorised == squared ? .gram : .frobenius)
  }

  /// One row or column: the Euclidean norm, by the same formula with t = F, T = m = 0.
  private func vectorBound() -> OperatorBound {
    var square = 0.0
    let (first, second) = scales
    for value in matrix.values {
      let a = Double(value) * first * second
      square += a * a
    }
    let gamma = Double(p + 4) * Self.u * Self.small
    let upper = (square + Self.u * (Double(p + 1) * square) * Self.small) * Self.final
    let lower = Directed.squareRootDown(max(0, square * (1 - gamma) - 0x1p-900))
    return OperatorBound(
      upper: unscaled(upper),
      lower: LowerBound(proved: Directed.scaledDown(lower, exponent: exponent)),
      method: .frobenius, evidence: .frobenius)
  }

  /// U² for the first candidate whose factorisation runs; nil where none below the Frobenius
  /// norm does. `t` grows geometrically from the estimate.
  private func provedSquare(_ gram: Gram<Scalar>, candidate: Eigenpair) -> Double? {
    let (dimension, length) = (Double(d), Double(p))
    let lambda = candidate.value
    guard lambda > 0, lambda.isFinite else { return nil }
    let rounding = Self.u * (dimension * (dimension + 4) + (length + 1) * gram.trace / lambda)
    var slack = max(8 * rounding, 3 * candidate.error / lambda, 1e-13)
    let ceiling = gram.trace * (1 + (length + dimension + 4) * Self.u)
    while true {
      let t = lambda * (1 + slack)
      if !(t < ceiling) { return nil }
      if let factor = gram.factorise(shift: t) {
        return provedSquare(shift: t, factor: factor, trace: gram.trace)
      }
      slack *= 5
    }
  }

  /// U² of a shift whose factorisation ran.
  func provedSquare(
    shift t: Double, factor: (sum: Double, largest: Double), trace: Double
  ) -> Double {
    let error = Double(d + 4) * factor.sum + factor.largest + Double(p + 1) * trace
    return (t + Self.u * error * Self.small) * Self.final
  }

  /// ‖A‖F² from F = Σ gᵢ: always valid.
  private func frobeniusSquare(_ trace: Double) -> Double {
    trace * (1 + Double(p + d + 4) * 1.001 * Self.u) * Self.final
  }

  private func unscaled(_ square: Double) -> UpperBound {
    UpperBound(proved: Directed.scaledUp(square.squareRoot().nextUp, exponent: exponent))
  }

  /// ‖A·v‖/‖v‖ rounded down, for any v ∈ ℝᵈ: with the computed ŷ of y = A·v,
  /// ‖y‖ ≥ ‖ŷ‖ − (d + 4)u‖A‖F‖v‖, and max |a| ≤ ‖A‖ besides.
  private func rayleighLower(_ vector: [Double]) -> LowerBound {
    let image = multiply(vector)
    func squareSum(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 } }
    let (ySquare, vSquare) = (squareSum(image), squareSum(vector))
    guard ySquare.isFinite, vSquare > 0x1p-300, vSquare < 0x1p300 else { return .zero }
    let terms = Double(p + 4) * Self.u * Self.small
    let y = Directed.squareRootDown(max(0, ySquare * (1 - terms) - 0x1p-900))
    let v = UpperBound(proved: (vSquare * (1 + terms) + 0x1p-900)).squareRoot()
    let frobenius = (Double(p) * Double(d)).squareRoot()  // every |a| < 1
    let exact = UpperBound(proved: min(frobenius, traceRoot() ?? frobenius))
    let loss = exact * v * UpperBound(proved: Double(d + 4) * Self.u * Self.small)
    let quotient = (LowerBound(proved: y) - loss - UpperBound(proved: 0x1p-900)) / v
    return LowerBound(proved: Directed.scaledDown(quotient.value, exponent: exponent))
  }

  /// ‖A‖F rounded up.
  private func traceRoot() -> Double? {
    let (first, second) = scales
    var lanes = SIMD8<Double>(repeating: 0)
    let whole = matrix.values.count & ~7
    for start in stride(from: 0, to: whole, by: 8) {
      var a = SIMD8<Double>()
      for lane in 0..<8 { a[lane] = Double(matrix.values[start + lane]) }
      a = a * first * second
      lanes += a * a
    }
    var square = lanes.sum()
    for index in whole..<matrix.values.count {
      let a = Double(matrix.values[index]) * first * second
      square += a * a
    }
    let terms = Double(matrix.values.count + 4) * Self.u * Self.small
    return UpperBound(proved: (square * (1 + terms) + 0x1p-900) * Self.final).squareRoot().value
  }

  /// fl(A·v) for A = W (rows ≥ columns) or Wᵀ, scaled.
  private func multiply(_ vector: [Double]) -> [Double] {
    let (first, second) = scales
    var image = [Double](repeating: 0, count: p)
    image.withUnsafeMutableBufferPointer { image in
      vector.withUnsafeBufferPointer { vector in
        for row in 0..<matrix.rows {
          let start = row * matrix.columns
          if matrix.columns == d {
            var lanes = SIMD8<Double>(repeating: 0)
            let whole = d & ~7
            for column in stride(from: 0, to: whole, by: 8) {
              var a = SIMD8<Double>()
              var v = SIMD8<Double>()
              for lane in 0..<8 {
                a[lane] = Double(matrix.values[start + column + lane])
                v[lane] = vector[column + lane]
              }
              lanes += a * first * second * v
            }
            var sum = lanes.sum()
            for column in whole..<d {
              sum += Double(matrix.values[start + column]) * first * second * vector[column]
            }
            image[row] = sum
          } else {
            let factor = vector[row]
            for column in 0..<matrix.columns {
              image[column] += Double(matrix.values[start + column]) * first * second * factor
            }
          }
        }
      }
    }
    return image
  }

  /// Two powers of two whose product is 2⁻ᵉ: one alone would overflow for denormal doubles.
  var scales: (Double, Double) {
    let half = -exponent / 2
    return (
      Double(sign: .plus, exponent: half, significand: 1),
      Double(sign: .plus, exponent: -exponent - half, significand: 1)
    )
  }
}

/// An estimate of the largest eigenvalue, never trusted by a proof.
struct Eigenpair {
  var value: Double
  /// Heuristic size of what `value` may lack.
  var error: Double
  var vector: [Double]
}
