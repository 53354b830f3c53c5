import Diagnostics
import Tensors

/// A loss family of one network and labels: one file under `Losses/`.
public protocol SupervisedLoss: CatalogUnit {
  /// What the samples may be labelled with.
  var labels: Set<LabelKind> { get }
  /// Why this output shape cannot be, for samples that are labelled so; nil if it can.
  func refusal(output: Shape, labels: LabelKind) -> String?
  /// The loss of each sample, [batch]; the training loss is their mean. `labels` is [batch] class
  /// numbers or targets of the output's shape.
  func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value
}

extension SupervisedLoss {
  /// The kind of labels where nothing is known of the data.
  public var usualLabels: LabelKind { labels.contains(.classes) ? .classes : .targets }
}

public enum LabelKind: String, Sendable {
  /// A number of 0, 1, …
  case classes
  /// A tensor of the output's shape.
  case targets
}

/// A loss family of a generator and a critic: one file under `Losses/`.
///
/// The critic gives one number a sample, without a squashing function; the family applies its own.
/// Everything is minimised. Real scores are the high ones, but for the families whose critic is
/// itself a loss (`isRealHigh` false).
public protocol AdversarialLoss: CatalogUnit {
  /// Critic updates for one of the generator, where the description does not say.
  var criticSteps: Int { get }
  var isRealHigh: Bool { get }
  /// What the family needs of the critic's Lipschitz constant.
  var control: LipschitzControl { get }
  /// What the critic minimises. In this step samples of the generator are constants.
  func criticObjective(_ step: AdversarialStep) -> CriticObjective
  /// What the generator minimises, a scalar. In this step the critic's weights are constants.
  func generatorObjective(_ step: AdversarialStep) -> Value
}

extension AdversarialLoss {
  public var criticSteps: Int { 1 }
  public var isRealHigh: Bool { true }
}

public enum LipschitzControl: Sendable {
  /// Finite without one.
  case unneeded
  /// Unbounded below without one.
  case needed
  /// The loss holds the critic itself, by gradients at single samples: batch statistics in the
  /// critic would make these gradients those of something else.
  case penalty
  /// Finite without one; where scores of all samples differ by less than this, the loss is that of
  /// `wgan`: so it is for a critic whose constant times the samples' diameter is less.
  case range(Double)
  /// Finite without one; a critic whose L2 constant is less, for samples of so many elements, can
  /// give no pair the margin that is asked for, and is trained as by `wgan`.
  case steepness(@Sendable (_ elements: Int) -> Double)
}

public struct CriticObjective: Sendable {
  /// A scalar.
  public var loss: Value
  /// Its penalty, weight included, for the record; a scalar.
  public var penalty: Value?
  public init(loss: Value, penalty: Value? = nil) {
    self.loss = loss
    self.penalty = penalty
  }
}

/// What a family sees of one step: samples, their scores, and the critic as a function.
public final class AdversarialStep {
  public let graph: GraphBuilder
  /// Generated samples [batch, sample…] and their scores [batch].
  public let fake: Value
  public let fakeScores: Value
  private let makeReal: () -> (samples: Value, scores: Value)
  private let makeCoefficients: () -> Value
  private let criticFunction: (Value) -> Value
  private lazy var realPair = makeReal()

  /// - Parameters:
  ///   - real: data samples and their scores; asked for once, if at all.
  ///   - coefficients: uniform numbers on [0, 1), one a sample, [batch]; asked for once.
  ///   - critic: [batch, sample…] → [batch].
  public init(
    graph: GraphBuilder, fake: Value, fakeScores: Value,
    real: @escaping () -> (samples: Value, scores: Value),
    coefficients: @escaping () -> Value, critic: @escaping (Value) -> Value
  ) {
    self.graph = graph
    self.fake = fake
    self.fakeScores = fakeScores
    makeReal = real
    makeCoefficients = coefficients
    criticFunction = critic
  }

  public var real: Value { realPair.samples }
  public var realScores: Value { realPair.scores }
  public private(set) lazy var coefficients: Value = makeCoefficients()
  public func critic(_ samples: Value) -> Value { criticFunction(samples) }

  /// The scalar mean over the batch.
  public func mean(_ x: Value) -> Value {
    let count = graph.shape(x).elementCount
    return graph.multiply(graph.sum(x), 1 / Double(count))
  }
}
