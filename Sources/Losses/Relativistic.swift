import Model
import Tensors

/// Relativistic GAN (Jolicoeur-Martineau, 2018): is a real sample more real than a generated one?
/// With sp(x) = log(1 + eˣ):
///
///     critic     E sp(v_f − v_r)                                 against: pairs
///                ½·(E sp(m_f − v_r) + E sp(v_f − m_r))           against: mean
///     generator  the same with real and generated samples changed over
///
/// where m_r and m_f are the batch's mean scores.
public struct Relativistic: AdversarialLoss {
  public enum Against: String, ArgumentValue, CaseIterable { case pairs, mean }

  public static let kind = "relativistic"
  public static let summary = "binary classification of which of two samples is real"
  public static let against = Argument<Against>(
    "against", "Whether a sample is compared with one other or with the batch's mean score.",
    default: .pairs)
  public static let arguments: [any ArgumentDeclaration] = [against]
  public static let examples: [Example] = [
    .good("{family: relativistic}"),
    .good("{family: relativistic, against: mean}"),
    .bad("{family: relativistic, against: «all»}", .wrongType),
    .bad("{family: relativistic, «average»: true}", .unknownKey),
  ]

  private let against: Against

  public init(_ arguments: Arguments) { against = arguments[Self.against] }

  public var control: LipschitzControl { .unneeded }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    CriticObjective(loss: loss(step, high: step.realScores, low: step.fakeScores))
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    loss(step, high: step.fakeScores, low: step.realScores)
  }

  private func loss(_ step: AdversarialStep, high: Value, low: Value) -> Value {
    let g = step.graph
    switch against {
    case .pairs: return step.mean(g.unary(.softplus, g.subtract(low, high)))
    case .mean:
      let above = step.mean(g.unary(.softplus, g.subtract(step.mean(low), high)))
      let below = step.mean(g.unary(.softplus, g.subtract(low, step.mean(high))))
      return g.multiply(g.add(above, below), 0.5)
    }
  }
}
