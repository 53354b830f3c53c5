import Model
import Tensors

/// Least squares (Mao et al., 2017), with the scores drawn to `real` = b, `fake` = a and, for the
/// generator, to `generator` = c:
///
///     critic     ½·E (v_r − b)² + ½·E (v_f − a)²
///     generator  ½·E (v_f − c)²
///
/// The best critic is (b·p + a·q)/(p + q). (a, b, c) = (−1, 1, 0) makes the generator minimise
/// Pearson's χ² of p + q and 2q.
public struct LeastSquaresGAN: AdversarialLoss {
  public static let kind = "least_squares_gan"
  public static let summary = "squared distance of scores to fixed targets"
  public static let real = Argument<Double>("real", "b, the score of real samples.", default: 1)
  public static let fake = Argument<Double>(
    "fake", "a, the score of generated samples.", default: 0)
  public static let generator = Argument<Double>(
    "generator", "c, the score that the generator wants.", default: 1)
  public static let arguments: [any ArgumentDeclaration] = [real, fake, generator]
  public static let examples: [Example] = [
    .good("{family: least_squares_gan}"),
    .good("{family: least_squares_gan, fake: -1, real: 1, generator: 0}"),
    .bad("{family: least_squares_gan, real: «high»}", .wrongType),
    .bad("{family: least_squares_gan, real: «0»}", .outOfRange),
    .bad("{family: least_squares_gan, «c»: 0}", .unknownKey),
  ]

  private let real: Double
  private let fake: Double
  private let generator: Double

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    real = arguments[Self.real]
    fake = arguments[Self.fake]
    generator = arguments[Self.generator]
    if real <= fake {
      throw ArgumentProblem(
        "real samples score no higher than generated ones", argument: "real",
        help: "make `real` greater than `fake`")
    }
  }

  public var control: LipschitzControl { .unneeded }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    CriticObjective(
      loss: step.graph.add(
        halfSquare(step, step.realScores, real), halfSquare(step, step.fakeScores, fake)))
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    halfSquare(step, step.fakeScores, generator)
  }

  private func halfSquare(_ step: AdversarialStep, _ scores: Value, _ target: Double) -> Value {
    let g = step.graph
    return g.multiply(step.mean(g.square(g.subtract(scores, target))), 0.5)
  }
}
