import Model
import Rounding
import Tensors

/// Nothing: the weights are trained as they are. A bound that is declared beside it is a claim that
/// `lgc bound` checks, not one that training keeps.
public struct NoConstraint: Constraint {
  public static let kind = "none"
  public static let summary = "leaves the weights as they are"
  public static let examples: [Example] = [
    .good("{type: none}"),
    .bad("{type: none, «iterations»: 1}", .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? { nil }
  public var isCertifiedAfterTraining: Bool { false }
  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] { [] }
  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }
}
