import Model
import Tensors

/// λ·Σ |w| over the layers' weights. The gradient is λ·sign(w), 0 at 0.
public struct L1: Regulariser {
  public static let kind = "l1"
  public static let summary = "weight · Σ of the absolute values of all weights"
  public static let arguments: [any ArgumentDeclaration] = [Strength.weight]
  public static let shorthand: String? = "weight"
  public static let examples: [Example] = [
    .good("l1: {weight: 1e-5}"),
    .bad("l1: {weight: «much»}", .wrongType),
    .bad("l1: {weight: 1e-5, «norm»: l1}", .unknownKey),
  ]

  private let weight: Double

  public init(_ arguments: Arguments) { weight = arguments[Strength.weight] }

  public func lower(_ step: RegularisedStep) -> Value {
    let g = step.graph
    return g.multiply(step.total { g.sum(g.unary(.absolute, $0.value)) }, weight)
  }
}
