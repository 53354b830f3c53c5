import Model
import Rounding
import Tensors

/// What is known of one layer before there are weights.
struct LayerClaim {
  var bound: UpperBound
  /// Who vouches for it, as the `held by` column says it.
  var heldBy: String
  /// Whether the layer has a finite constant at all.
  var isUnbounded = false
  /// Whether the bound was carried over from another norm, so that real weights may do better.
  var isFromOtherNorm = false

  /// The layer's own constant in `norm`: of a layer without weights from its operation, of one
  /// with a certified constraint its declared bound. For a weighted sum, see `blockClaim`.
  init(_ node: LayerNode, norm: Norm) {
    if case .unbounded(let reason) = node.operation {
      self.init(bound: .unknown, heldBy: "no finite bound: \(reason)", isUnbounded: true)
    } else if let known = operationBound(node.operation, norm: norm) {
      self.init(
        bound: known,
        heldBy: node.inputs.count > 1
          ? "its values side by side" : Self.reason(node.operation, known))
    } else {
      self.init(declared: node, norm: norm)
    }
  }

  init(
    bound: UpperBound, heldBy: String, isUnbounded: Bool = false, isFromOtherNorm: Bool = false
  ) {
    self.bound = bound
    self.heldBy = heldBy
    self.isUnbounded = isUnbounded
    self.isFromOtherNorm = isFromOtherNorm
  }

  private init(declared node: LayerNode, norm: Norm) {
    guard let constraint = node.constraint, case .linear(let linear) = node.operation else {
      self.init(bound: .unknown, heldBy: "nothing; `lgc bound` proves it from the weights")
      return
    }
    if let known = constraint.unit.staticBound(linear, norm: norm) {
      self.init(bound: known.bound, heldBy: known.heldBy)
      return
    }
    guard let declared = node.declared, constraint.unit.isCertifiedAfterTraining else {
      self.init(
        bound: .unknown,
        heldBy: "\(constraint.kind), not certified; `lgc bound` proves it from the weights")
      return
    }
    let bound = UpperBound(proved: declared.bound)
    let factor = normFactor(linear, from: declared.norm, to: norm)
    let holder = "\(constraint.kind), certified rescale"
    if factor == .one {
      self.init(bound: bound * factor, heldBy: holder)
    } else {
      self.init(
        bound: bound * factor,
        heldBy: "\(holder) in \(declared.norm.rawValue) × \(factor.text(significant: 4))",
        isFromOtherNorm: true)
    }
  }

  private static func reason(_ operation: LayerOperation, _ bound: UpperBound) -> String {
    switch operation {
    case .known(.one): return "1-Lipschitz in every norm"
    case .elementwise where bound == .one: return "1-Lipschitz in every norm"
    case .elementwise: return "slopes of at most \(bound.text(significant: 5))"
    case .linear where bound == .one: return "1-Lipschitz in every norm"
    case .linear(.scaling): return "a fixed factor"
    default: return "a known constant"
    }
  }
}

/// c such that ‖A‖ in `target` ≤ c·‖A‖ in `source` for every A the operator can be.
///
/// For A of n rows (outputs) and m columns (inputs), from ‖x‖∞ ≤ ‖x‖₂ ≤ ‖x‖₁,
/// ‖x‖₁ ≤ √k·‖x‖₂ and ‖x‖₂ ≤ √k·‖x‖∞ in k dimensions: ‖A‖∞ ≤ √m·‖A‖₂, ‖A‖₁ ≤ √n·‖A‖₂,
/// ‖A‖₂ ≤ √n·‖A‖∞, ‖A‖₂ ≤ √m·‖A‖₁, ‖A‖₁ ≤ n·‖A‖∞, ‖A‖∞ ≤ m·‖A‖₁. A diagonal has the same norm
/// in all three.
func normFactor(_ linear: LinearOperator, from source: Norm, to target: Norm) -> UpperBound {
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
