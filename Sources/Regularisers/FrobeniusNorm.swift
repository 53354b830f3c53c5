import Constraints
import Model
import Tensors

/// λ·Σ ‖W‖_F over the layers, the norm itself and not its square (that is `l2`): the gradient,
/// λ·W/‖W‖_F, has the same length for every layer however small its weights are, and is 0 at W = 0.
///
/// For a dense layer ‖W‖₂ ≤ ‖W‖_F, so it presses on a bound of the layer's constant, a loose one:
/// ‖W‖_F can be √rank times as large.
public struct FrobeniusNorm: Regulariser {
  public static let kind = "frobenius"
  public static let summary = "weight · Σ of the layers' Frobenius norms, not squared"
  public static let arguments: [any ArgumentDeclaration] = [Strength.weight]
  public static let shorthand: String? = "weight"
  public static let examples: [Example] = [
    .good("frobenius: {weight: 1e-3}"),
    .bad("frobenius: {weight: «-1e-3»}", .outOfRange),
    .bad("frobenius: {«wieght»: 1e-3}", .unknownKey),
  ]

  private let weight: Double

  public init(_ arguments: Arguments) { weight = arguments[Strength.weight] }

  public func lower(_ step: RegularisedStep) -> Value {
    let g = step.graph
    return g.multiply(step.total { g.frobeniusNorm($0.value) }, weight)
  }
}
