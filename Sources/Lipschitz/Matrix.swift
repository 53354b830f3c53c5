import Rounding

/// A stored number that is exact as a Double: Float or Double.
public protocol StoredScalar: BinaryFloatingPoint, SIMDScalar, Codable, Sendable {
  /// `nan`, `inf` or `-inf`, for messages.
  var text: String { get }
}
extension Float: StoredScalar { public var text: String { "\(self)" } }
extension Double: StoredScalar { public var text: String { "\(self)" } }

/// A row-major matrix of stored weights, borrowed.
struct Matrix<Scalar: StoredScalar> {
  let values: UnsafeBufferPointer<Scalar>
  let rows: Int
  let columns: Int

  init(_ values: UnsafeBufferPointer<Scalar>, rows: Int, columns: Int) {
    precondition(values.count == rows * columns)
    self.values = values
    self.rows = rows
    self.columns = columns
  }

  /// max |w|; throws at the first number that is not finite.
  func largestMagnitude() throws(ProofError) -> Double {
    var lanes = SIMD16<Scalar>(repeating: 0)
    var sum = SIMD16<Scalar>(repeating: 0)
    let whole = values.count & ~15
    let raw = UnsafeRawPointer(values.baseAddress)
    for start in stride(from: 0, to: whole, by: 16) {
      let chunk = raw!.loadUnaligned(
        fromByteOffset: start * MemoryLayout<Scalar>.stride, as: SIMD16<Scalar>.self)
      // 0 · x is NaN exactly for the numbers that are not finite.
      sum += chunk * 0
      let size = chunk.replacing(with: 0 - chunk, where: chunk .< 0)
      lanes.replace(with: size, where: size .> lanes)
    }
    var largest = (0..<16).reduce(Scalar(0)) { max($0, lanes[$1]) }
    var tail = sum.sum()
    for index in whole..<values.count {
      tail += values[index] * 0
      largest = max(largest, values[index].magnitude)
    }
    if tail.isNaN, let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(
        tensor: "", index: [index / columns, index % columns], value: values[index].text)
    }
    return Double(largest)
  }
}

/// What is proved of one linear operator in one norm.
public struct OperatorBound: Sendable, Equatable {
  public let upper: UpperBound
  /// A value that the ratio ‖W·x‖/‖x‖ is proved to reach (or exceed) for some x; nil for layers
  /// whose constant is known from their kind, where nothing is searched.
  public let lower: LowerBound?
  public let method: Method

  public enum Method: String, Sendable {
    /// Verified Cholesky factorisation of λI − WᵀW.
    case cholesky = "verified Cholesky"
    /// (Σ wᵢⱼ²)^½: one row or column, where it is the norm, or the fallback.
    case frobenius = "Frobenius norm"
    case columnSums = "column sums"
    case rowSums = "row sums"
    case largestEntry = "largest entry"
    /// All weights are zero.
    case zero = "zero"
    /// A constant of the layer's kind or arguments.
    case known = "constant"
    /// Σ |cᵢ| of a weighted sum.
    case sum = "sum"
    case unbounded = "unbounded"
    /// No proof is known for the operator: its bound is null.
    case unproved = "no proof yet"
  }

  public init(upper: UpperBound, lower: LowerBound?, method: Method) {
    self.upper = upper
    self.lower = lower
    self.method = method
  }
}
