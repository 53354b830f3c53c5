import Model
import Tensors

/// WGAN-div (Wu et al., 2018). With n = ‖∇D‖₂ of each sample:
///
///     critic     E v_f − E v_r + k·E nᵖ at x̂ = ε·x_r + (1 − ε)·x_f           at: interpolations
///                E v_f − E v_r + k/2·(E nᵖ at x_r + E nᵖ at x_f)             at: ends
///     generator  −E v_f
///
/// It estimates a divergence of its own and asks for no Lipschitz constant. A critic may be flat at
/// both ends and jump between them, so that `ends` has no lower bound for separated samples.
public struct WGANDiv: AdversarialLoss {
  public enum Place: String, ArgumentValue, CaseIterable { case interpolations, ends }

  public static let kind = "wgan_div"
  public static let summary = "wgan with a power of the gradient's norm as penalty"
  public static let weight = Argument<Double>(
    "weight", "k, of the penalty.", default: 2, in: .nonNegative)
  public static let power = Argument<Double>(
    "power", "p, of the gradient's norm.", default: 6, in: ArgumentRange(lower: 2))
  public static let place = Argument<Place>(
    "at", "Where gradients are taken.", default: .interpolations)
  public static let arguments: [any ArgumentDeclaration] = [weight, power, place]
  public static let examples: [Example] = [
    .good("{family: wgan_div}"),
    .good("{family: wgan_div, weight: 10, power: 2, at: ends}"),
    .bad("{family: wgan_div, power: «1»}", .outOfRange),
    .bad("{family: wgan_div, at: «middle»}", .wrongType),
    .bad("{family: wgan_div, «sided»: one}", .unknownKey),
  ]

  private let weight: Double
  private let power: Double
  private let place: Place

  public init(_ arguments: Arguments) {
    weight = arguments[Self.weight]
    power = arguments[Self.power]
    place = arguments[Self.place]
  }

  public var criticSteps: Int { 4 }
  public var control: LipschitzControl { .penalty }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    func mean(at x: Value) -> Value {
      let squares = step.squaredGradientNorms(at: x)
      let exponent = g.constant(power / 2, g.shape(squares))
      return step.mean(power == 2 ? squares : g.binary(.power, squares, exponent))
    }
    let norms =
      switch place {
      case .interpolations: mean(at: step.interpolations)
      case .ends: g.multiply(g.add(mean(at: step.real), mean(at: step.fake)), 0.5)
      }
    let penalty = g.multiply(norms, weight)
    return CriticObjective(loss: g.add(step.negativeGap, penalty), penalty: penalty)
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    step.graph.negate(step.mean(step.fakeScores))
  }
}
