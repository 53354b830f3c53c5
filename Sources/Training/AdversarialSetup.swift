import Diagnostics
import Model
import Tensors

/// Everything a description of a generator and a critic needs before its first step.
public struct AdversarialSetup {
  public let experiment: Experiment
  /// Where the description's relative paths start.
  public let directory: String
  public let generator: Network
  public let critic: Network
  public let section: AdversarialSection
  public let train: TrainSection
  public let data: LoadedData
  public let scaling: InputScaling
  private let augmentation: BatchAugmentation?
  /// Where generated points should be, in the model's units; nil where the data have no modes.
  public let modes: Modes?
  /// Updates of the generator.
  public let totalSteps: Int
  /// Of them, in one pass of the critic over the samples.
  public let stepsPerEpoch: Int
  public let programs: AdversarialPrograms
  let shuffles: Bool

  /// Samples of one run of the `sample` program. A fixed number: what is drawn must not depend on
  /// the training batch.
  static let samplesAtOnce = 250

  /// - Parameter directory: where the description's relative paths start.
  public init(_ experiment: Experiment, directory: String) throws(DiagnosticError) {
    let missing = [
      experiment.data == nil ? "data" : nil, experiment.adversarial == nil ? "loss" : nil,
      experiment.train == nil ? "train" : nil,
    ].compactMap { $0 }
    guard var section = experiment.data, let adversarial = experiment.adversarial,
      let train = experiment.train, experiment.networks.count == 2
    else { throw DiagnosticError(missing.map { missingSection($0, in: experiment) }) }
    let (generator, critic) = (experiment.networks[0], experiment.networks[1])
    let data = try section.dataset.load(
      section.arguments, directory: directory, seed: train.seed)
    guard data.train.shape == critic.inputShape else {
      throw DiagnosticError(shape(data.train.shape, critic, section))
    }
    section = try section.measured(on: data.train)
    var experiment = experiment
    experiment.data = section
    guard data.train.count >= train.batch else {
      throw DiagnosticError(tooFew(data.train.count, train.batch, section))
    }
    if let classes = generator.classes,
      let refusal = classRefusal(classes, of: generator, data.train, section)
    {
      throw DiagnosticError(refusal)
    }
    stepsPerEpoch = max(1, data.train.count / train.batch / adversarial.criticSteps)
    switch train.length {
    case .steps(let steps): totalSteps = steps
    case .epochs(let epochs):
      let batches = epochs * (data.train.count / train.batch)
      totalSteps = max(1, batches / adversarial.criticSteps)
    }
    self.experiment = experiment
    self.directory = directory
    self.generator = generator
    self.critic = critic
    self.section = adversarial
    self.train = train
    self.data = data
    shuffles = section.shuffle
    modes = section.standardize == nil ? data.modes : nil
    scaling = try InputScaling(section, samples: data.train)
    augmentation = try BatchAugmentation(
      section, samples: data.train, scaling, seed: train.seed)
    programs = Lowering.adversarialPrograms(
      generator: generator, critic: critic, adversarial, batch: train.batch,
      samples: Self.samplesAtOnce, seed: train.seed)
  }

  /// What batches take in memory.
  var batchBytes: Int {
    let size = train.batch * critic.inputShape.elementCount
    return BatchWorker.slots(size) * (size + train.batch * data.train.labelSize) * 4
  }

  /// The real batches of all steps from `first` on.
  func batches(from first: Int = 0) -> BatchPipeline {
    let inputs = programs.generatorStep.inputs
    let each = section.criticSteps + (inputs["real"] == nil && inputs["labels"] == nil ? 0 : 1)
    return .training(
      data.train, scaling, augmentation, batch: train.batch,
      order: shuffles ? .shuffled(seed: train.seed) : .asStored, from: first * each,
      total: totalSteps * each)
  }
}

/// Why these samples are not of so many classes; nil if they are.
private func classRefusal(
  _ classes: Int, of generator: Network, _ samples: Samples, _ section: DataSection
) -> Diagnostic? {
  let found: String
  switch samples.labelKind {
  case .targets: found = "no classes"
  case .classes where samples.classCount != classes: found = counted(samples.classCount, "class")
  case .classes: return nil
  }
  return Diagnostic(
    .dataShape, "the generator is asked for one of \(classes) classes, and the samples have \(found)",
    at: section.span, labels: [.init(generator.span, "the generator")])
}

private func counted(_ count: Int, _ word: String) -> String {
  count == 1 ? "one \(word)" : "\(count) \(word)es"
}
