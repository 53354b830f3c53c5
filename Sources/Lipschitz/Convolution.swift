import Model
import Rounding

/// Bounds of a convolution's operator norm at its real size, borders and padding included; of its
/// adjoint with `isTransposed`.
///
/// - L1, L∞: exact sums over the distinct patterns of borders, see `ConvolutionMap.sums`. Those of
///   the adjoint are swapped.
/// - L2: the same for the adjoint, see `ConvolutionProof`.
///
/// `weight` is [outputs, inputs/groups, kernel…] of the convolution.
/// - Throws: `ProofError.notFinite` with the index in `weight`.
public func convolutionBound<Scalar: StoredScalar>(
  _ weight: [Scalar], _ geometry: ConvolutionGeometry, norm: Norm, isTransposed: Bool = false
) throws(ProofError) -> OperatorBound {
  let largest = try largestMagnitude(weight, shape: geometry.weightShape)
  if largest == 0 { return .zero }
  let map = ConvolutionMap(geometry)
  return try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
    let bound: OperatorBound
    switch (norm, isTransposed) {
    case (.l1, false), (.linf, true): bound = map.sums(weight, rows: false)
    case (.linf, false), (.l1, true): bound = map.sums(weight, rows: true)
    case (.l2, _): bound = try ConvolutionProof(weight, map).bound()
    }
    if let lower = bound.lower, lower.value > bound.upper.value {
      throw .arithmetic(
        "a proved lower bound \(lower.value) exceeds the upper bound \(bound.upper.value)")
    }
    return bound
  }
}

/// max |w|, or the error that names the first number that is not finite.
private func largestMagnitude<Scalar: StoredScalar>(
  _ weight: [Scalar], shape: [Int]
) throws(ProofError) -> Double {
  var largest = Scalar(0)
  var sum = Scalar(0)
  for value in weight {
    sum += value * 0
    largest = max(largest, value.magnitude)
  }
  if sum.isNaN, let offset = weight.firstIndex(where: { !$0.isFinite }) {
    var rest = offset
    var index: [Int] = []
    for extent in shape.reversed() {
      index.insert(rest % extent, at: 0)
      rest /= extent
    }
    throw .notFinite(tensor: "", index: index, value: weight[offset].text)
  }
  return Double(largest)
}
