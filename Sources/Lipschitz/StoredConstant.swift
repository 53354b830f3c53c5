import Model
import Rounding

/// The norm of one matrix that a constant is computed from.
public struct StoredNorm: Sendable, Hashable {
  public let bound: Double
  public let evidence: OperatorEvidence
  public init(bound: Double, evidence: OperatorEvidence) {
    self.bound = bound
    self.evidence = evidence
  }
}

extension NetworkWeights {
  /// A layer's constant from its stored tensors: every norm proved as of a dense layer, the rest
  /// rounded up.
  func storedBound(_ bound: StoredBound, of index: Int) throws(ProofError) -> OperatorBound {
    var norms: [StoredNorm] = []
    let upper = try bound.value { (step) throws(ProofError) -> UpperBound in
      switch step {
      case .norm(let matrix, let norm):
        let proof = try matrixBound(matrix, norm, of: index)
        norms.append(StoredNorm(bound: proof.upper.value, evidence: proof.evidence))
        return proof.upper
      case .largest(let weight):
        return UpperBound(
          proved: doubles(weight, of: index).reduce(0) { max($0, $1.magnitude) })
      case .number, .sum, .product, .maximum, .root: return .unknown
      }
    }
    return OperatorBound(upper: upper, lower: nil, method: .stored, evidence: .stored(norms))
  }

  private func matrixBound(
    _ matrix: StoredRows, _ norm: Norm, of index: Int
  ) throws(ProofError) -> OperatorBound {
    let range = matrix.rows.lowerBound * matrix.columns..<matrix.rows.upperBound * matrix.columns
    do throws(ProofError) {
      switch tensor(matrix.weight, of: index).values {
      case .float32(let values):
        return try denseBound(
          Array(values[range]), rows: matrix.rows.count, columns: matrix.columns, norm: norm)
      case .float64(let values):
        return try denseBound(
          Array(values[range]), rows: matrix.rows.count, columns: matrix.columns, norm: norm)
      }
    } catch { throw error.naming(network.nodes[index].tensorName(matrix.weight)) }
  }
}
