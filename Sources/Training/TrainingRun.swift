import Diagnostics
import Formats
import Lipschitz
import Model
import Rounding
import Tensors

/// What a run is made with, beside its description.
public struct TrainingOptions {
  public var version: String
  public var engine: any Engine
  /// nil: as many as the process may use.
  public var threads: Int?
  /// Bytes that state, working memory and batches may need; nil: what the machine can give.
  public var memoryLimit: Int?
  /// The run directory; nil: a new one under `runs/`.
  public var output: String?
  /// The `--set` arguments, for the record.
  public var overrides: [String]

  public init(
    version: String, engine: any Engine, threads: Int? = nil,
    memoryLimit: Int? = nil, output: String? = nil, overrides: [String] = []
  ) {
    self.version = version
    self.engine = engine
    self.threads = threads
    self.memoryLimit = memoryLimit
    self.output = output
    self.overrides = overrides
  }
}

/// What a run came to.
public struct TrainingResult: RunResult {
  public let directory: RunDirectory
  public let steps: Int
  public let wasInterrupted: Bool
  /// The last line of metrics; nil if no step was made.
  public let last: Metrics?
  /// Of the stored weights on the test split; nil without one.
  public let testAccuracy: Double?
  public let testCount: Int
  /// What is proved of the stored weights, one norm after the other.
  public let bounds: [BoundReport]
  public let judgements: [Judgement]
  /// Spent in the training loop.
  public let seconds: Double
}

/// A training run from the first step to the proved bound of the stored weights.
public struct TrainingRun {
  public let setup: TrainingSetup
  public let options: TrainingOptions

  public init(_ setup: TrainingSetup, options: TrainingOptions) {
    self.setup = setup
    self.options = options
  }

  /// Trains and writes the run directory. After a failure the directory stays, without weights and
  /// with the reason in its `run.json`.
  public func run(
    observer: (any TrainingObserver)? = nil
  ) throws(DiagnosticError) -> TrainingResult {
    // Compiling comes first: what cannot be compiled leaves no directory behind.
    let runner = try StepRunner(
      setup, engine: options.engine, threads: options.threads, steps: setup.totalSteps,
      memoryLimit: options.memoryLimit)
    let frame = try RunFrame(
      setup.experiment, seed: setup.train.seed, steps: setup.totalSteps, options)
    frame.metrics.norms = { () throws(DiagnosticError) in
      estimatedNorms(setup.network, weights: Dictionary(tensors: try runner.deployedWeights()))
    }
    return try frame.recordingFailure { () throws(DiagnosticError) in
      let loop = TrainingLoop(runner: runner, metrics: frame.metrics, observer: observer)
      let ending = try SpanRecorder.section("training") { () throws(DiagnosticError) in
        try loop.run()
      }
      return try finish(runner, ending, frame)
    }
  }

  private func finish(
    _ runner: StepRunner, _ ending: TrainingLoop.Ending, _ frame: RunFrame
  ) throws(DiagnosticError) -> TrainingResult {
    let (certification, stored, bounds) = try SpanRecorder.section("proof") {
      () throws(DiagnosticError) in
      let certification = try Certification(setup.network, trained: try runner.deployedWeights())
      let stored = try NetworkWeights(
        setup.network,
        tensors: Dictionary(uniqueKeysWithValues: certification.weights.map { ($0.name, $0) }))
      return (certification, stored, try certifiedBound(stored, norms: norms))
    }
    let network = try DeployedNetwork(
      setup.network, weights: certification.values, engine: options.engine,
      threads: options.threads, batch: setup.evaluationBatch)
    let classified = setup.data.test.flatMap { $0.labelKind == .classes ? $0 : nil }
    let scores = try classified.map { (samples) throws(DiagnosticError) in
      try SpanRecorder.section("evaluation") { () throws(DiagnosticError) in
        try network.scores(of: samples, setup.scaling)
      }
    }
    let judge = Judge(scores: scores) { norm in
      bounds.first { $0.norm == norm }?.upper ?? .unknown
    }
    let result = TrainingResult(
      directory: frame.directory, steps: runner.step, wasInterrupted: ending.wasInterrupted,
      last: ending.last, testAccuracy: scores?.accuracy, testCount: setup.data.test?.count ?? 0,
      bounds: bounds, judgements: setup.experiment.targets.map(judge.judge),
      seconds: ending.last?.seconds ?? 0)

    try SpanRecorder.section("files written") { () throws(DiagnosticError) in
      try frame.write(
        weights: certification.weights, Certificate(stored, reports: result.bounds), result)
    }
    return result
  }

  /// The norms that the targets name, then those the layers declare; L2 if neither names one.
  private var norms: [Norm] {
    var norms: [Norm] = []
    for target in setup.experiment.targets {
      switch target.claim {
      case .lipschitz(_, let norm, _), .certifiedAccuracy(let norm, _, _): norms.append(norm)
      case .accuracy: break
      }
    }
    norms += setup.network.nodes.compactMap(\.declared?.norm)
    if norms.isEmpty { norms = [.l2] }
    return norms.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
