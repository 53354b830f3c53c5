import Model
import Rounding
import Tensors

/// After each update W ← W·min(1, k / ‖W‖_F), the nearest point of the ball ‖W‖_F ≤ k.
///
/// For a dense layer ‖W‖₂ ≤ ‖W‖_F ≤ k; for a convolution see `frobenius`.
public struct FrobeniusProjection: Constraint {
  public static let kind = "frobenius_project"
  public static let summary = "after each update W ← W · min(1, bound / ‖W‖_F)"
  public static let examples: [Example] = [
    .good("{type: frobenius_project}"),
    .bad("{type: frobenius_project, «iterations»: 1}", .unknownKey),
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
  ) -> Value { weight }

  public func project(
    _ updated: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    context.graph.shrunk(updated, norm: context.graph.frobeniusNorm(updated), to: bound)
  }
}
