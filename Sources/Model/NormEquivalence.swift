import Rounding
import Tensors

/// c such that ‖A‖ in `target` ≤ c·‖A‖ in `source` for every A the operator can be.
///
/// For A of n rows (outputs) and m columns (inputs), from ‖x‖∞ ≤ ‖x‖₂ ≤ ‖x‖₁,
/// ‖x‖₁ ≤ √k·‖x‖₂ and ‖x‖₂ ≤ √k·‖x‖∞ in k dimensions: ‖A‖∞ ≤ √m·‖A‖₂, ‖A‖₁ ≤ √n·‖A‖₂,
/// ‖A‖₂ ≤ √n·‖A‖∞, ‖A‖₂ ≤ √m·‖A‖₁, ‖A‖₁ ≤ n·‖A‖∞, ‖A‖∞ ≤ m·‖A‖₁. A diagonal has the same norm
/// in all three.
public func normFactor(_ linear: LinearOperator, from source: Norm, to target: Norm) -> UpperBound {
  if source == target { return .one }
  switch linear {
  case .diagonal, .scaling, .normalisation: return .one
  case .dense, .convolution, .transposedConvolution, .separable:
    let n = UpperBound(proved: Double(linear.outputCount))
    let m = UpperBound(proved: Double(linear.inputCount))
    switch (source, target) {
    case (.l2, .linf), (.l1, .l2): return m.squareRoot()
    case (.l2, .l1), (.linf, .l2): return n.squareRoot()
    case (.linf, .l1): return n
    case (.l1, .linf): return m
    case (.l1, .l1), (.l2, .l2), (.linf, .linf): return .one
    }
  }
}
