import Model
import Tensors

/// Loss-sensitive GAN (Qi, 2017): see `MarginLoss`, with ν = 0. The critic's loss is flat once
/// every pair has its margin.
///
/// It has nothing to do with the GAN of least squares, which is `least_squares_gan`.
public struct LSGAN: AdversarialLoss {
  public static let kind = "ls_gan"
  public static let summary = "loss-sensitive: generated samples score worse by a margin"
  public static let arguments: [any ArgumentDeclaration] = MarginLoss.arguments
  public static let examples: [Example] = [
    .good("{family: ls_gan}"),
    .good("{family: ls_gan, margin_scale: 1, distance: l1_mean, real_weight: 0.1}"),
    .bad("{family: ls_gan, margin_scale: «-1»}", .outOfRange),
    .bad("{family: ls_gan, distance: «l3»}", .wrongType),
    .bad("{family: ls_gan, «slope»: 0}", .unknownKey),
  ]

  private let margin: MarginLoss

  public init(_ arguments: Arguments) { margin = MarginLoss(arguments, slope: 0) }

  public var isRealHigh: Bool { false }
  public var control: LipschitzControl { margin.control }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    margin.criticObjective(step)
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value { step.mean(step.fakeScores) }
}
