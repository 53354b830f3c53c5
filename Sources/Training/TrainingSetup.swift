import Diagnostics
import Formats
import Model
import Tensors

/// Everything a description needs before its first step: the data in memory, checked against the
/// network, and the programs.
public struct TrainingSetup {
  public let experiment: Experiment
  /// Where the description's relative paths start.
  public let directory: String
  public let network: Network
  public let loss: any SupervisedLoss
  public let optimizer: OptimizerSection
  public let train: TrainSection
  /// Without the samples that are held back.
  public let data: LoadedData
  /// The training samples that are held back; nil: none are.
  public let validation: Samples?
  public let scaling: InputScaling
  private let augmentation: BatchAugmentation?
  public let shuffles: Bool
  public let stepsPerEpoch: Int
  public let totalSteps: Int
  public let evaluationBatch: Int
  public let programs: TrainingPrograms

  /// The samples of a batch while evaluating. A fixed number: results must not depend on the
  /// training batch.
  static let evaluationBatch = 500

  /// - Parameter directory: where the description's relative paths start.
  public init(_ experiment: Experiment, directory: String) throws(DiagnosticError) {
    let missing = [
      experiment.data == nil ? "data" : nil, experiment.loss == nil ? "loss" : nil,
      experiment.optimizer == nil ? "optimizer" : nil, experiment.train == nil ? "train" : nil,
    ].compactMap { $0 }
    guard var section = experiment.data, let loss = experiment.loss?.loss,
      let optimizer = experiment.optimizer, let train = experiment.train
    else { throw DiagnosticError(missing.map { missingSection($0, in: experiment) }) }
    let network = experiment.networks[0]
    var data = try section.dataset.load(
      section.arguments, directory: directory, seed: train.seed)
    try Self.check(shapeOf: data, network, section)
    try Self.check(labelsOf: data, network, experiment.loss!, section)
    let validation = try section.validation.map { (part) throws(DiagnosticError) in
      try data.holdBack(part, seed: train.seed)
    }
    section = try section.measured(on: data.train)
    var experiment = experiment
    experiment.data = section
    guard data.train.count >= train.batch else {
      throw DiagnosticError(tooFew(data.train.count, train.batch, section))
    }
    if data.train.labelKind == .targets { try Self.checkNeedsNoClasses(experiment, section) }
    let stepsPerEpoch = data.train.count / train.batch
    let totalSteps =
      switch train.length {
      case .epochs(let epochs): epochs * stepsPerEpoch
      case .steps(let steps): steps
      }

    self.experiment = experiment
    self.directory = directory
    self.network = network
    self.loss = loss
    self.optimizer = optimizer
    self.train = train
    self.data = data
    self.validation = validation
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
    shuffles = section.shuffle
    scaling = try InputScaling(section, samples: data.train)
    augmentation = try BatchAugmentation(
      section, samples: data.train, scaling, seed: train.seed)
    evaluationBatch = min(Self.evaluationBatch, max(data.test?.count ?? 0, data.train.count))
    programs = Lowering.trainingPrograms(
      network: network, loss: loss, labels: data.train.labelKind,
      optimizer: optimizer.optimizer, clipping: optimizer.clipping, batch: train.batch,
      evaluationBatch: evaluationBatch, seed: train.seed)
  }

  /// The training batches of steps `first` to `total` − 1.
  func batches(from first: Int = 0, total: Int) -> BatchPipeline {
    .training(
      data.train, scaling, augmentation, batch: train.batch,
      order: shuffles ? .shuffled(seed: train.seed) : .asStored, from: first, total: total)
  }

  /// Bytes of the batches that are in memory at once, training and evaluation: those that are
  /// prepared in advance, or a whole epoch's.
  func batchBytes(prepared isPrepared: Bool) -> Int {
    func bytes(_ batch: Int, _ count: Int?) -> Int {
      let size = batch * network.inputShape.elementCount
      return (count ?? BatchWorker.slots(size)) * (size + batch * data.train.labelSize) * 4
    }
    return bytes(train.batch, isPrepared ? stepsPerEpoch : nil) + bytes(evaluationBatch, nil)
  }

  private static func check(
    shapeOf data: LoadedData, _ network: Network, _ section: DataSection
  ) throws(DiagnosticError) {
    guard data.train.shape == network.inputShape else {
      throw DiagnosticError(shape(data.train.shape, network, section))
    }
  }

  private static func checkNeedsNoClasses(
    _ experiment: Experiment, _ section: DataSection
  ) throws(DiagnosticError) {
    if let stopping = experiment.train?.stopping,
      [.trainAccuracy, .validationAccuracy].contains(stopping.metric)
    {
      throw DiagnosticError(
        Diagnostic(
          .dataLabels, "an accuracy needs classes, `\(section.kind)` has target vectors",
          at: stopping.span, labels: [.init(section.span, "the data")],
          help: "watch `loss` or `validation_loss`"))
    }
    for target in experiment.targets {
      switch target.claim {
      case .lipschitz: continue
      case .accuracy, .certifiedAccuracy:
        throw DiagnosticError(
          Diagnostic(
            .dataLabels, "an accuracy needs classes, `\(section.kind)` has target vectors",
            at: target.span, labels: [.init(section.span, "the data")]))
      }
    }
  }

  private static func check(
    labelsOf data: LoadedData, _ network: Network, _ loss: LossSection, _ section: DataSection
  ) throws(DiagnosticError) {
    let kind = data.train.labelKind
    guard loss.loss.labels.contains(kind) else {
      throw DiagnosticError(labelKind(kind, loss, section))
    }
    for entry in network.regularisers {
      guard
        let refusal = entry.regulariser.refusal(output: network.outputShape, labels: kind)
      else { continue }
      throw DiagnosticError(
        Diagnostic(
          .conflictingKeys, refusal, at: entry.span, labels: [.init(section.span, "the data")]))
    }
    if let refusal = loss.loss.refusal(output: network.outputShape, labels: kind) {
      throw DiagnosticError(
        Diagnostic(
          .shapeMismatch, refusal, at: loss.span, labels: [.init(network.span, "the network")]))
    }
    let outputs = network.outputShape.elementCount
    for (samples, split) in [(data.train, "training"), (data.test, "test")] {
      guard let samples else { continue }
      if kind == .targets {
        guard samples.targetShape == network.outputShape else {
          throw DiagnosticError(targetShape(samples.targetShape, network, section))
        }
        continue
      }
      if let sample = samples.labels.firstIndex(where: { $0 < 0 || Int($0) >= max(outputs, 2) }) {
        throw DiagnosticError(
          label(samples.labels[sample], sample, split, outputs, network, section))
      }
    }
  }
}

// MARK: messages

func missingSection(_ name: String, in experiment: Experiment) -> Diagnostic {
  Diagnostic(
    .missingSection, "training needs the section `\(name)`",
    at: Span(file: experiment.file, start: 0, end: 0),
    help: "add `\(name): {…}` to the description")
}

private func labelKind(
  _ kind: LabelKind, _ loss: LossSection, _ section: DataSection
) -> Diagnostic {
  let (needed, given) =
    kind == .targets ? ("classes", "target vectors") : ("target vectors", "classes")
  return Diagnostic(
    .dataLabels, "`\(loss.family)` needs \(needed), `\(section.kind)` has \(given)",
    at: loss.span, labels: [.init(section.span, "the data")],
    help: kind == .targets ? "use `mse` or `mae`" : nil)
}

private func targetShape(
  _ shape: Shape, _ network: Network, _ section: DataSection
) -> Diagnostic {
  Diagnostic(
    .dataShape,
    "the targets are \(shape.shapeText), the network's output is "
      + network.outputShape.shapeText,
    at: section.span, labels: [.init(network.span, "the network")])
}

func shape(_ shape: Shape, _ network: Network, _ section: DataSection) -> Diagnostic {
  Diagnostic(
    .dataShape, "the samples are \(shape), the network's input is \(network.inputShape)",
    at: section.span, labels: [.init(network.span, "the network")],
    help: "write `input: \(shape)` in the network")
}

func tooFew(_ count: Int, _ batch: Int, _ section: DataSection) -> Diagnostic {
  Diagnostic(
    .dataShape, "\(count) training samples do not fill one batch of \(batch)", at: section.span,
    help: "make `train.batch` at most \(count)")
}

func label(
  _ label: Int32, _ sample: Int, _ split: String, _ outputs: Int, _ network: Network,
  _ section: DataSection
) -> Diagnostic {
  Diagnostic(
    .dataLabels,
    "\(split) sample \(sample) has the label \(label); the network has \(outputs) outputs",
    at: section.span, labels: [.init(network.span, "the network")],
    help: "the last layer needs one unit for each class")
}
