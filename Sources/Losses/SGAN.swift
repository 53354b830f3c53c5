import Model
import Tensors

/// The first adversarial loss (Goodfellow et al., 2014). With sp(x) = log(1 + eˣ):
///
///     critic     E sp(−v_r) + E sp(v_f)
///     generator  E sp(−v_f)              mode: non_saturating
///                −E sp(v_f)              mode: saturating
///
/// The best critic is log(p/q) and the critic's loss there 2·log 2 − 2·JS(p, q): 2·log 2 where the
/// distributions are equal, and down to 0 where they are apart, however far. The saturating
/// generator follows that loss and gets no gradient where the critic is sure: at v = −10 its slope
/// is −4.5e−5, the other's −0.99995.
public struct SGAN: AdversarialLoss {
  public enum Mode: String, ArgumentValue, CaseIterable {
    case nonSaturating = "non_saturating"
    case saturating
  }

  public static let kind = "sgan"
  public static let summary = "binary classification of real against generated samples"
  public static let mode = Argument<Mode>(
    "mode", "`saturating`: the generator maximises the critic's own loss.",
    default: .nonSaturating)
  public static let arguments: [any ArgumentDeclaration] = [mode]
  public static let examples: [Example] = [
    .good("{family: sgan}"),
    .good("{family: sgan, mode: saturating}"),
    .bad("{family: sgan, mode: «minimax»}", .wrongType),
    .bad("{family: sgan, «modes»: saturating}", .unknownKey),
  ]

  private let mode: Mode

  public init(_ arguments: Arguments) { mode = arguments[Self.mode] }

  public var control: LipschitzControl { .unneeded }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    let real = step.mean(g.unary(.softplus, g.negate(step.realScores)))
    return CriticObjective(loss: g.add(real, step.mean(g.unary(.softplus, step.fakeScores))))
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    let g = step.graph
    switch mode {
    case .nonSaturating: return step.mean(g.unary(.softplus, g.negate(step.fakeScores)))
    case .saturating: return g.negate(step.mean(g.unary(.softplus, step.fakeScores)))
    }
  }
}
