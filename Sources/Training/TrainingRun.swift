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
public struct TrainingResult {
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

  /// 0, 1 if a target is not met, 130 after Control-C.
  public var exitCode: Int32 {
    if wasInterrupted { return 130 }
    return judgements.contains { $0.isMet == false } ? 1 : 0
  }
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
    let hash = SHA256.hexadecimal(setup.experiment.file.bytes)
    let record = RunRecord(
      version: options.version, name: setup.experiment.name,
      descriptionPath: setup.experiment.file.path, descriptionHash: hash, seed: setup.train.seed,
      overrides: options.overrides, engine: options.engine.name,
      threads: options.threads ?? Machine.processors, start: Clock.timestamp,
      steps: setup.totalSteps)
    // Compiling comes first: what cannot be compiled leaves no directory behind.
    let runner = try StepRunner(
      setup, engine: options.engine, threads: options.threads, steps: setup.totalSteps,
      memoryLimit: options.memoryLimit)
    let directory = try DiagnosticError.translating {
      let directory =
        if let path = options.output { try RunDirectory.make(at: path) } else {
          try RunDirectory.make(name: setup.experiment.name, hash: hash)
        }
      try AtomicFile.write(setup.experiment.file.bytes, to: directory.description)
      try AtomicFile.write(Array(setup.experiment.resolvedText.utf8), to: directory.resolved)
      try directory.write(record.json())
      return directory
    }
    do throws(DiagnosticError) {
      let metrics = try DiagnosticError.translating { try LineFile(directory.metrics) }
      let loop = TrainingLoop(runner: runner, metrics: metrics, observer: observer)
      let ending = try SpanRecorder.section("training") { () throws(DiagnosticError) in
        try loop.run()
      }
      return try finish(runner, ending, directory, record)
    } catch {
      // The failure itself is what the user must see, whether or not it can be recorded.
      try? directory.write(record.json(failure: error.diagnostics.first?.message ?? "unknown"))
      throw error
    }
  }

  private func finish(
    _ runner: StepRunner, _ ending: TrainingLoop.Ending, _ directory: RunDirectory,
    _ record: RunRecord
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
    let scores = try setup.data.test.map { (samples) throws(DiagnosticError) in
      try SpanRecorder.section("evaluation") { () throws(DiagnosticError) in
        try network.scores(of: samples, setup.scaling)
      }
    }
    let judge = Judge(scores: scores) { norm in
      bounds.first { $0.norm == norm }?.upper ?? .unknown
    }
    let result = TrainingResult(
      directory: directory, steps: runner.step, wasInterrupted: ending.wasInterrupted,
      last: ending.last, testAccuracy: scores?.accuracy, testCount: setup.data.test?.count ?? 0,
      bounds: bounds, judgements: setup.experiment.targets.map(judge.judge),
      seconds: ending.last?.seconds ?? 0)

    try SpanRecorder.section("files written") { () throws(DiagnosticError) in
      try write(result, certification, stored, record)
    }
    return result
  }

  private func write(
    _ result: TrainingResult, _ certification: Certification, _ stored: NetworkWeights,
    _ record: RunRecord
  ) throws(DiagnosticError) {
    let directory = result.directory
    try DiagnosticError.translating {
      try SafeTensors.write(
        certification.weights,
        metadata: ["lgc": options.version, "name": setup.experiment.name], to: directory.weights)
      let certificate = Certificate(stored, reports: result.bounds)
      try AtomicFile.write(Array(certificate.text.utf8), to: directory.bound)
      try directory.write(record.json(result))
    }
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

extension RunDirectory {
  func write(_ json: JSONValue) throws(FormatError) {
    try AtomicFile.write(Array((json.text + "\n").utf8), to: record)
  }
}
