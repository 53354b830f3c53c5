import Model
import Tensors

/// Generalised loss-sensitive GAN (Qi, 2017): see `MarginLoss`. ν = 0 is `ls_gan`; ν = 1 is `wgan`
/// with the critic −L and a constant; ν = −1 asks for the margin exactly.
public struct GLSGAN: AdversarialLoss {
  public static let kind = "gls_gan"
  public static let summary = "loss-sensitive, with a slope where the margin is kept"
  public static let slope = Argument<Double>(
    "slope", "ν, of the loss of a pair that has its margin.", default: 0.2,
    in: ArgumentRange(upper: 1))
  public static let arguments: [any ArgumentDeclaration] = [slope] + MarginLoss.arguments
  public static let examples: [Example] = [
    .good("{family: gls_gan}"),
    .good("{family: gls_gan, slope: -1, margin_scale: 1}"),
    .bad("{family: gls_gan, slope: «2»}", .outOfRange),
    .bad("{family: gls_gan, «margin»: 1}", .unknownKey),
  ]

  private let margin: MarginLoss

  public init(_ arguments: Arguments) {
    margin = MarginLoss(arguments, slope: arguments[Self.slope])
  }

  public var isRealHigh: Bool { false }
  public var control: LipschitzControl { margin.slope == 1 ? .needed : margin.control }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    margin.criticObjective(step)
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value { step.mean(step.fakeScores) }
}
