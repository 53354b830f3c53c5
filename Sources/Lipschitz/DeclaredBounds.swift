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
    if node.constraint != nil, case .stored = node.operation {
      self.init(matricesOf: node, norm: norm)
      return
    }
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

  /// Of a layer whose constant follows from several matrices, each of which is held.
  private init(matricesOf node: LayerNode, norm: Norm) {
    let matrices = node.boundOfHeldMatrices(norm)
    guard let constraint = node.constraint, let declared = node.declared,
      constraint.unit.isCertifiedAfterTraining
    else {
      let kind = node.constraint?.kind ?? "nothing"
      self.init(
        bound: matrices,
        heldBy: matrices.isFinite
          ? "\(kind), each of its matrices"
          : "\(kind), not certified; `lgc bound` proves it from the weights")
      return
    }
    // Rescaled is the first application; a later one may read larger numbers.
    if node.isRangeBound, node.weightSource != nil {
      self.init(
        bound: .unknown, heldBy: "\(constraint.kind) of each matrix; `lgc bound` proves it here")
    } else if norm == declared.norm {
      self.init(
        bound: UpperBound(proved: declared.bound),
        heldBy: "\(constraint.kind) of each matrix, certified rescale")
    } else if matrices.isFinite {
      self.init(
        bound: matrices,
        heldBy: "\(constraint.kind) of each matrix in \(declared.norm.rawValue), certified rescale",
        isFromOtherNorm: true)
    } else {
      self.init(bound: .unknown, heldBy: "its biases too; `lgc bound` proves it from the weights")
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
