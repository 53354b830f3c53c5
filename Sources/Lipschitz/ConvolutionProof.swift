import Model
import Rounding

/// Bounds of ‖T‖₂ of a convolution T, every one a proof of its own.
struct ConvolutionProof<Scalar: StoredScalar> {
  let weight: [Scalar]
  let map: ConvolutionMap

  init(_ weight: [Scalar], _ map: ConvolutionMap) {
    self.weight = weight
    self.map = map
  }

  func bound() throws(ProofError) -> OperatorBound { interpolation }

  /// √(‖T‖₁·‖T‖∞).
  var interpolation: OperatorBound {
    let product = map.sums(weight, rows: true).upper * map.sums(weight, rows: false).upper
    return OperatorBound(
      upper: product.squareRoot(), lower: nil, method: .interpolation, evidence: .interpolation)
  }
}
