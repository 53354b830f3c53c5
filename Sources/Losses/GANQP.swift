import Model
import Tensors

/// GAN-QP (Su, 2018). With δ = v_r − v_f of paired samples at distance d:
///
///     critic     E[−δ + δ²/(2λd)]
///     generator  E δ
///
/// The best scores of two points at distance d differ by λd, where the critic's loss is −λd/2 and
/// the generator's λd. So the critic is λ-Lipschitz with respect to d at the optimum, and only
/// there: nothing is proved of a critic in training.
public struct GANQP: AdversarialLoss {
  public enum Distance: String, ArgumentValue, CaseIterable {
    case l1Mean = "l1_mean"
    case l2Mean = "l2_mean"
  }

  public static let kind = "gan_qp"
  public static let summary = "difference of scores with its square over the distance as penalty"
  public static let lambda = Argument<Double>(
    "lambda", "λ, the slope of the best critic.", default: 10, in: .positive)
  public static let distance = Argument<Distance>(
    "distance", "d, the mean of |x − y|, or the root of the mean of (x − y)².", default: .l1Mean)
  public static let arguments: [any ArgumentDeclaration] = [lambda, distance]
  public static let examples: [Example] = [
    .good("{family: gan_qp}"),
    .good("{family: gan_qp, lambda: 5, distance: l2_mean}"),
    .bad("{family: gan_qp, lambda: «0»}", .outOfRange),
    .bad("{family: gan_qp, distance: «l1»}", .wrongType),
    .bad("{family: gan_qp, «weight»: 10}", .unknownKey),
  ]

  private let lambda: Double
  private let distance: Distance

  public init(_ arguments: Arguments) {
    lambda = arguments[Self.lambda]
    distance = arguments[Self.distance]
  }

  public var criticSteps: Int { 2 }
  public var control: LipschitzControl { .unneeded }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    let kind: SampleDistance = distance == .l1Mean ? .l1Mean : .l2Mean
    let distances = kind.lower(step.real, step.fake, g)
    // Equal samples would divide 0 by 0.
    let scale = g.maximum(g.multiply(distances, lambda), 1e-6)
    let difference = g.subtract(step.realScores, step.fakeScores)
    let penalty = step.mean(g.multiply(g.divide(g.square(difference), scale), 0.5))
    return CriticObjective(
      loss: g.subtract(penalty, step.mean(difference)), penalty: penalty)
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    step.graph.subtract(step.mean(step.realScores), step.mean(step.fakeScores))
  }
}
