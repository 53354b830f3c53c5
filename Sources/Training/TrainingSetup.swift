import Diagnostics
import Formats
import Model
import Tensors

/// Everything a description needs before its first step: the data in memory, checked against the
/// network, and the programs.
public struct TrainingSetup {
  public let experiment: Experiment
  public let network: Network
  public let loss: any SupervisedLoss
  public let optimizer: OptimizerSection
  public let train: TrainSection
  public let data: LoadedData
  public let scaling: InputScaling
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
    guard let section = experiment.data, let loss = experiment.loss?.loss,
      let optimizer = experiment.optimizer, let train = experiment.train
    else { throw DiagnosticError(missing.map { missingSection($0, in: experiment) }) }
    guard experiment.networks.count == 1 else {
      throw DiagnosticError(severalNetworks(experiment))
    }
    let network = experiment.networks[0]
    guard loss.labels == .classes else {
      throw DiagnosticError(targetsNeeded(experiment.loss!, section))
    }

    let data = try section.dataset.load(
      section.arguments, directory: directory, seed: train.seed)
    try Self.check(data, network, section, batch: train.batch)
    let stepsPerEpoch = data.train.count / train.batch
    let totalSteps =
      switch train.length {
      case .epochs(let epochs): epochs * stepsPerEpoch
      case .steps(let steps): steps
      }

    self.experiment = experiment
    self.network = network
    self.loss = loss
    self.optimizer = optimizer
    self.train = train
    self.data = data
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
    shuffles = section.shuffle
    scaling = try InputScaling(section, samples: data.train)
    evaluationBatch = min(Self.evaluationBatch, max(data.test?.count ?? 0, data.train.count))
    programs = Lowering.trainingPrograms(
      network: network, loss: loss, optimizer: optimizer.optimizer, clipping: optimizer.clipping,
      batch: train.batch, evaluationBatch: evaluationBatch, seed: train.seed)
  }

  /// The training batches of steps `first` to `total` − 1.
  func batches(from first: Int = 0, total: Int) -> BatchPipeline {
    .training(
      data.train, scaling, batch: train.batch,
      order: shuffles ? .shuffled(seed: train.seed) : .asStored, from: first, total: total)
  }

  /// Bytes of the batches that are in memory at once, training and evaluation: those that are
  /// prepared in advance, or a whole epoch's.
  func batchBytes(prepared isPrepared: Bool) -> Int {
    func bytes(_ batch: Int, _ count: Int?) -> Int {
      let size = batch * network.inputShape.elementCount
      return (count ?? BatchWorker.slots(size)) * (size + batch) * 4
    }
    return bytes(train.batch, isPrepared ? stepsPerEpoch : nil) + bytes(evaluationBatch, nil)
  }

  private static func check(
    _ data: LoadedData, _ network: Network, _ section: DataSection, batch: Int
  ) throws(DiagnosticError) {
    guard data.train.shape == network.inputShape else {
      throw DiagnosticError(shape(data.train.shape, network, section))
    }
    guard data.train.count >= batch else {
      throw DiagnosticError(tooFew(data.train.count, batch, section))
    }
    let outputs = network.outputShape.elementCount
    for (samples, split) in [(data.train, "training"), (data.test, "test")] {
      guard let samples else { continue }
      if let sample = samples.labels.firstIndex(where: { $0 < 0 || Int($0) >= outputs }) {
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

private func severalNetworks(_ experiment: Experiment) -> Diagnostic {
  Diagnostic(
    .notSupportedYet, "training of \(experiment.networks.count) networks is not supported yet",
    at: experiment.networks.last?.span)
}

private func targetsNeeded(_ loss: LossSection, _ section: DataSection) -> Diagnostic {
  Diagnostic(
    .dataLabels, "`\(loss.family)` needs target vectors, `\(section.kind)` has classes",
    at: loss.span)
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

private func label(
  _ label: Int32, _ sample: Int, _ split: String, _ outputs: Int, _ network: Network,
  _ section: DataSection
) -> Diagnostic {
  Diagnostic(
    .dataLabels,
    "\(split) sample \(sample) has the label \(label); the network has \(outputs) outputs",
    at: section.span, labels: [.init(network.span, "the network")],
    help: "the last layer needs one unit for each class")
}
