import Model
import Tensors

/// The hinge loss (Lim, Ye, 2017; Miyato et al., 2018). With the scores times `critic_scale`:
///
///     critic     E max(0, 1 − v_r) + E max(0, 1 + v_f)
///     generator  −E v_f
///
/// The best critic is the sign of p − q, and the loss there 2·(1 − TV(p, q)). A critic held so flat
/// that all scores fit inside (−1, 1) reaches no hinge: then the loss is that of `wgan` plus 2, and
/// one critic step a generator step is too few.
public struct HingeGAN: AdversarialLoss {
  public static let kind = "hinge_gan"
  public static let summary = "margins of 1 on both sides of zero"
  public static let scale = Argument<Double>(
    "critic_scale", "Times the scores, for a critic with a small Lipschitz constant.", default: 1,
    in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [scale]
  public static let examples: [Example] = [
    .good("{family: hinge_gan}"),
    .good("{family: hinge_gan, critic_scale: 10}"),
    .bad("{family: hinge_gan, critic_scale: «0»}", .outOfRange),
    .bad("{family: hinge_gan, «margin»: 1}", .unknownKey),
  ]

  private let scale: Double

  public init(_ arguments: Arguments) { scale = arguments[Self.scale] }

  public var criticSteps: Int { 5 }
  public var control: LipschitzControl { .range(2 / scale) }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    let real = step.mean(g.unary(.relu, g.subtract(1, g.multiply(step.realScores, scale))))
    let fake = step.mean(g.unary(.relu, g.add(g.multiply(step.fakeScores, scale), 1)))
    return CriticObjective(loss: g.add(real, fake))
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    step.graph.multiply(step.mean(step.fakeScores), -scale)
  }
}
