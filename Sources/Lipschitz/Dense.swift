import Rounding

/// Bounds of the operator norm of a stored matrix W [rows, columns], x ↦ W·x.
///
/// - L2: the verified Gram-Cholesky bound, see `SpectralProof`; relative excess about 10⁻⁸.
/// - L1: the largest column sum of |w|; L∞: the largest row sum; both exact up to rounding.
///
/// A matrix of zeros has the bound 0 exactly. The numbers are taken as the reals they stand for.
/// - Throws: `ProofError.notFinite` with [row, column], before any arithmetic is done.
public func denseBound<Scalar: StoredScalar>(
  _ weight: [Scalar], rows: Int, columns: Int, norm: Norm
) throws(ProofError) -> OperatorBound {
  try withBuffer(weight) { (buffer) throws(ProofError) in
    let matrix = Matrix(buffer, rows: rows, columns: columns)
    let largest = try matrix.largestMagnitude()
    if largest == 0 { return .zero }
    let bound = try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
      switch norm {
      case .l1: matrix.largestColumnSum()
      case .l2: try SpectralProof(matrix, largest: largest).bound()
      case .linf: matrix.largestRowSum()
      }
    }
    if let lower = bound.lower, lower.value > bound.upper.value {
      throw .arithmetic(
        "a proved lower bound \(lower.value) exceeds the upper bound \(bound.upper.value)")
    }
    return bound
  }
}

/// max |sᵢ|: the norm of x ↦ s ⊙ x in L1, L2 and L∞, exactly.
public func diagonalBound<Scalar: StoredScalar>(
  _ weight: [Scalar]
) throws(ProofError) -> OperatorBound {
  try withBuffer(weight) { (buffer) throws(ProofError) in
    do throws(ProofError) {
      let largest = try Matrix(buffer, rows: 1, columns: weight.count).largestMagnitude()
      if largest == 0 { return .zero }
      return OperatorBound(
        upper: UpperBound(proved: largest), lower: LowerBound(proved: largest),
        method: .largestEntry, evidence: .largestEntry)
    } catch {
      guard case .notFinite(let tensor, let index, let value) = error else { throw error }
      throw .notFinite(tensor: tensor, index: [index[1]], value: value)
    }
  }
}

/// `withUnsafeBufferPointer` with a typed error.
private func withBuffer<Scalar, Result>(
  _ values: [Scalar], _ body: (UnsafeBufferPointer<Scalar>) throws(ProofError) -> Result
) throws(ProofError) -> Result {
  let outcome = values.withUnsafeBufferPointer { buffer -> Swift.Result<Result, ProofError> in
    do throws(ProofError) {
      return .success(try body(buffer))
    } catch {
      return .failure(error)
    }
  }
  return try outcome.get()
}

extension Matrix {
  /// L∞: max over rows of Σⱼ |wᵢⱼ|.
  func largestRowSum() -> OperatorBound {
    var upper = 0.0
    var lower = 0.0
    var sums = AbsoluteSums(count: 8)
    for row in 0..<rows {
      sums.reset()
      let start = row * columns
      sums.values.withUnsafeMutableBufferPointer { value in
        sums.errors.withUnsafeMutableBufferPointer { error in
          for column in 0..<columns {
            AbsoluteSums.add(Double(values[start + column].magnitude), to: &value[column & 7],
                             &error[column & 7])
          }
        }
      }
      var total = (upper: 0.0, lower: 0.0)
      for lane in 0..<8 {
        let part = sums.bounds(lane, terms: columns)
        total = (Directed.sumUp(total.upper, part.upper), Directed.sumDown(total.lower, part.lower))
      }
      upper = max(upper, total.upper)
      lower = max(lower, total.lower)
    }
    return OperatorBound(
      upper: UpperBound(proved: upper), lower: LowerBound(proved: lower), method: .rowSums,
      evidence: .sums)
  }

  /// L1: max over columns of Σᵢ |wᵢⱼ|.
  func largestColumnSum() -> OperatorBound {
    var sums = AbsoluteSums(count: columns)
    sums.values.withUnsafeMutableBufferPointer { value in
      sums.errors.withUnsafeMutableBufferPointer { error in
        for row in 0..<rows {
          let start = row * columns
          for column in 0..<columns {
            AbsoluteSums.add(
              Double(values[start + column].magnitude), to: &value[column], &error[column])
          }
        }
      }
    }
    var upper = 0.0
    var lower = 0.0
    for column in 0..<columns {
      let part = sums.bounds(column, terms: rows)
      upper = max(upper, part.upper)
      lower = max(lower, part.lower)
    }
    return OperatorBound(
      upper: UpperBound(proved: upper), lower: LowerBound(proved: lower), method: .columnSums,
      evidence: .sums)
  }
}

/// Running sums of numbers ≥ 0 that know whether they are exact, so that a row of ones sums to
/// its length and not to a hair more.
struct AbsoluteSums {
  var values: [Double]
  /// Σ |rounding error| of each sum; only whether it is zero is used.
  var errors: [Double]

  init(count: Int) {
    values = [Double](repeating: 0, count: count)
    errors = values
  }

  mutating func reset() {
    for index in values.indices {
      values[index] = 0
      errors[index] = 0
    }
  }

  @inline(__always)
  static func add(_ term: Double, to sum: inout Double, _ error: inout Double) {
    let next = sum + term
    let part = next - sum
    error += ((sum - (next - part)) + (term - part)).magnitude
    sum = next
  }

  /// The exact sum lies between; `terms` bounds the number of additions.
  ///
  /// m additions of numbers ≥ 0 in any order have a relative error below (m + 2)·1.01·2⁻⁵³. Of an
  /// overflow only the largest double is known from below.
  func bounds(_ index: Int, terms: Int) -> (upper: Double, lower: Double) {
    let sum = values[index]
    if errors[index] == 0 { return (sum, sum) }
    guard sum.isFinite else { return (.infinity, 0) }
    let slack = Double(terms + 2) * 1.01 * 0x1p-53
    return (Directed.productUp(sum, 1 + slack), Directed.productDown(sum, max(0, 1 - slack)))
  }
}
