import Diagnostics
import Rounding
import Tensors
import YAML

/// A whole description after resolution. Sections that only `train` needs may be absent.
public struct Experiment: Sendable {
  public var name: String
  public var file: SourceFile
  public var networks: [Network]
  public var data: DataSection?
  public var loss: LossSection?
  /// Of a description with `models:` instead of `loss`.
  public var adversarial: AdversarialSection?
  public var optimizer: OptimizerSection?
  public var train: TrainSection?
  public var targets: [Target]
  public var report: ReportSection
  /// The description with every default written out, for `resolved.yaml`.
  public var resolvedText: String

  public init(
    name: String, file: SourceFile, networks: [Network], data: DataSection? = nil,
    loss: LossSection? = nil, adversarial: AdversarialSection? = nil,
    optimizer: OptimizerSection? = nil, train: TrainSection? = nil,
    targets: [Target] = [], report: ReportSection = ReportSection(), resolvedText: String = ""
  ) {
    self.adversarial = adversarial
    self.name = name
    self.file = file
    self.networks = networks
    self.data = data
    self.loss = loss
    self.optimizer = optimizer
    self.train = train
    self.targets = targets
    self.report = report
    self.resolvedText = resolvedText
  }

  /// `resolvedText` with the numbers that were measured of the data in place of `data`: what a run
  /// keeps, so that nothing needs to be measured again.
  public var storedText: String {
    guard let data, data.standardizesByData, let (mean, deviation) = data.standardize else {
      return resolvedText
    }
    // No other line of the text can be this one.
    return resolvedText.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line == "  \(DataSection.measuredLine)"
        ? "  standardize: {mean: \(mean.yamlText), deviation: \(deviation.yamlText)}" : line
    }.joined(separator: "\n")
  }
}

extension DataSection {
  static let measuredLine = "standardize: data"
}

public struct DataSection: Sendable {
  public var dataset: any Dataset
  public var kind: String
  public var arguments: Arguments
  /// Raw file units are mapped linearly onto this range (bytes: 0 → lower, 255 → upper); nil: as
  /// they are.
  public var range: ClosedRange<Double>?
  /// Then x ↦ (x − mean) / deviation per channel (one number: all channels).
  public var standardize: (mean: [Double], deviation: [Double])?
  /// `standardize: data`: the numbers are those of the training samples, in `standardize` once these
  /// were read.
  public var standardizesByData: Bool
  /// Whether each epoch is drawn in a new order.
  public var shuffle: Bool
  /// What happens to the training samples, in this order.
  public var augmentations: [AugmentationUnit]
  /// What is held back of the training samples; nil: nothing.
  public var validation: ValidationSection?
  public var span: Span
  public init(
    dataset: any Dataset, kind: String, arguments: Arguments, range: ClosedRange<Double>?,
    standardize: (mean: [Double], deviation: [Double])?, shuffle: Bool,
    standardizesByData: Bool = false, augmentations: [AugmentationUnit] = [],
    validation: ValidationSection? = nil, span: Span
  ) {
    self.standardizesByData = standardizesByData
    self.augmentations = augmentations
    self.dataset = dataset
    self.kind = kind
    self.arguments = arguments
    self.range = range
    self.standardize = standardize
    self.shuffle = shuffle
    self.validation = validation
    self.span = span
  }
}

public struct LossSection: Sendable {
  public var family: String
  public var loss: any SupervisedLoss
  public var span: Span
  public init(family: String, loss: any SupervisedLoss, span: Span) {
    self.family = family
    self.loss = loss
    self.span = span
  }
}

/// How a generator and a critic are trained against each other.
public struct AdversarialSection: Sendable {
  public var family: String
  public var loss: any AdversarialLoss
  public var generatorOptimizer: OptimizerSection
  public var criticOptimizer: OptimizerSection
  /// Critic updates for one of the generator.
  public var criticSteps: Int
  /// d in average ← d·average + (1 − d)·weight after each generator update; nil: no average.
  public var averageDecay: Double?
  public var span: Span
  public init(
    family: String, loss: any AdversarialLoss, generatorOptimizer: OptimizerSection,
    criticOptimizer: OptimizerSection, criticSteps: Int, averageDecay: Double?, span: Span
  ) {
    self.family = family
    self.loss = loss
    self.generatorOptimizer = generatorOptimizer
    self.criticOptimizer = criticOptimizer
    self.criticSteps = criticSteps
    self.averageDecay = averageDecay
    self.span = span
  }
}

public struct OptimizerSection: Sendable {
  public typealias Schedule = LearningRateSchedule
  public var kind: String
  public var optimizer: any Optimizer
  public var schedule: Schedule
  public var clipping: GradientClipping?
  public var span: Span
  public init(
    kind: String, optimizer: any Optimizer, schedule: Schedule, clipping: GradientClipping? = nil,
    span: Span
  ) {
    self.clipping = clipping
    self.kind = kind
    self.optimizer = optimizer
    self.schedule = schedule
    self.span = span
  }
}

public struct TrainSection: Sendable {
  public enum Length: Sendable { case epochs(Int), steps(Int) }
  public var length: Length
  public var batch: Int
  public var seed: UInt64
  /// Of a generator and a critic; nil where not given.
  public var criticSteps: Int?
  public var averageDecay: Double?
  public var checkpoint: CheckpointSection
  /// nil: training goes on to its end.
  public var stopping: StoppingSection?
  public init(
    length: Length, batch: Int, seed: UInt64, criticSteps: Int? = nil, averageDecay: Double? = nil,
    checkpoint: CheckpointSection = CheckpointSection(), stopping: StoppingSection? = nil
  ) {
    self.checkpoint = checkpoint
    self.stopping = stopping
    self.criticSteps = criticSteps
    self.averageDecay = averageDecay
    self.length = length
    self.batch = batch
    self.seed = seed
  }
}

/// A claim to prove or measure.
public struct Target: Sendable {
  public enum Claim: Sendable {
    /// The bound of the network `of` (nil: the only one) in a norm; nil: report only.
    case lipschitz(of: String?, norm: Norm, bound: Double?)
    case accuracy(atLeast: Double?)
    case certifiedAccuracy(norm: Norm, radius: Double, atLeast: Double?)
  }
  public var claim: Claim
  public var span: Span
  public init(claim: Claim, span: Span) {
    self.claim = claim
    self.span = span
  }
}

/// Every kind a description may name; the executable fills it from the families' catalogs, so
/// that `Model` names none of them.
public struct Catalogs: Sendable {
  public var layers: [any Layer.Type]
  public var constraints: [any Constraint.Type]
  public var losses: [any SupervisedLoss.Type]
  public var adversarialLosses: [any AdversarialLoss.Type]
  public var regularisers: [any Regulariser.Type]
  public var optimizers: [any Optimizer.Type]
  public var datasets: [any Dataset.Type]
  public var augmentations: [any Augmentation.Type]
  public init(
    layers: [any Layer.Type], constraints: [any Constraint.Type], losses: [any SupervisedLoss.Type],
    adversarialLosses: [any AdversarialLoss.Type] = [],
    regularisers: [any Regulariser.Type] = [], optimizers: [any Optimizer.Type],
    datasets: [any Dataset.Type], augmentations: [any Augmentation.Type] = []
  ) {
    self.augmentations = augmentations
    self.adversarialLosses = adversarialLosses
    self.layers = layers
    self.constraints = constraints
    self.losses = losses
    self.regularisers = regularisers
    self.optimizers = optimizers
    self.datasets = datasets
  }
}
