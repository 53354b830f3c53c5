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
