import Model
import Rounding
import Tensors

/// The forward pass uses W̄ = k·W / ‖W‖_F, k the declared bound and ‖W‖_F = (Σ w²)^½.
///
/// Since ‖W̄‖₂ ≤ ‖W̄‖_F = k, a dense layer keeps its bound at every step without an estimate; with
/// all singular values equal its constant is as small as k / √rank. A convolution's operator norm is
/// not bounded by ‖W̄‖_F: there the certified rescale when training ends makes the bound true.
///
/// The gradient is k/‖W‖_F · (G − ⟨G, W⟩/‖W‖_F² · W) with G = ∂loss/∂W̄.
public struct Frobenius: Constraint {
  public static let kind = "frobenius"
  public static let summary = "uses bound · W / ‖W‖_F in the forward pass"
  public static let examples: [Example] = [
    .good("{type: frobenius}"),
    .bad("{type: frobenius, «iterations»: 1}", .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    l2Only(norm)
  }
  public var isCertifiedAfterTraining: Bool { true }
  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] { [] }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    let factor = g.divide(g.constant(bound), g.frobeniusNorm(weight))
    return g.multiply(weight, g.broadcast(factor, to: g.shape(weight), axes: []))
  }
}
