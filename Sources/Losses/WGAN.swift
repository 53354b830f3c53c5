import Model
import Tensors

/// WGAN (Arjovsky, Chintala, Bottou, 2017). With scores v_r of real and v_f of generated samples:
///
///     critic     E v_f − E v_r
///     generator  −E v_f
///
/// Over critics with Lipschitz constant at most K the critic's minimum is −K·W₁, W₁ the
/// Wasserstein-1 distance of the two distributions; without a constraint it has none.
public struct WGAN: AdversarialLoss {
  public static let kind = "wgan"
  public static let summary = "difference of mean scores; needs a Lipschitz constraint on the critic"
  public static let examples: [Example] = [
    .good("{family: wgan}"),
    .bad("{family: wgan, «weight»: 10}", .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public var criticSteps: Int { 5 }
  public var control: LipschitzControl { .needed }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    CriticObjective(loss: step.negativeGap)
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    step.graph.negate(step.mean(step.fakeScores))
  }
}
