import Model
import Tensors

/// λ·Σ ‖W‖_F² = λ·Σ w², over the layers' weights, without the factor ½ that some write: the
/// gradient is 2λ·W, so that it is `weight_decay: 2λ` of an optimizer that adds the decay to the
/// gradient.
public struct L2: Regulariser {
  public static let kind = "l2"
  public static let summary = "weight · Σ of the squares of all weights"
  public static let arguments: [any ArgumentDeclaration] = [Strength.weight]
  public static let shorthand: String? = "weight"
  public static let examples: [Example] = [
    .good("l2: {weight: 1e-4}"),
    .good("l2: 1e-4"),
    .bad("l2: {weight: «-1»}", .outOfRange),
    .bad("l2: {«lambda»: 1e-4, weight: 1}", .unknownKey),
    .bad("«l2»", .missingKey),
  ]

  private let weight: Double

  public init(_ arguments: Arguments) { weight = arguments[Strength.weight] }

  public func lower(_ step: RegularisedStep) -> Value {
    let g = step.graph
    return g.multiply(step.total { g.sum(g.square($0.value)) }, weight)
  }
}
