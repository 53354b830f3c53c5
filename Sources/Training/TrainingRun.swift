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
  /// The run that goes on; nil for a new one.
  public var resumed: ResumedRun?
  /// Is told what is odd and no error.
  public var warn: (Diagnostic) -> Void

  public init(
    version: String, engine: any Engine, threads: Int? = nil,
    memoryLimit: Int? = nil, output: String? = nil, overrides: [String] = [],
    resumed: ResumedRun? = nil, warn: @escaping (Diagnostic) -> Void = { _ in }
  ) {
    self.resumed = resumed
    self.warn = warn
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
  /// The step whose weights these are, where training ended early or went back; nil: the last.
  public let bestStep: Int?
  /// Whether training ended before its length was reached.
  public let stoppedEarly: Bool
  /// Steps of the whole length.
  public let plannedSteps: Int
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
    let plan = RunFrame.Plan(
      experiment: setup.experiment, train: setup.train, folder: setup.directory,
      steps: setup.totalSteps, stepsPerEpoch: setup.stepsPerEpoch, optimizers: [setup.optimizer])
    let checkpoint = try RunFrame.checkpoint(plan, options)
    // Compiling comes first: what cannot be compiled leaves no directory behind.
    let runner = try runner(from: checkpoint)
    let frame = try RunFrame(plan, from: checkpoint, options)
    frame.metrics.norms = { () throws(DiagnosticError) in
      estimatedNorms(setup.network, weights: Dictionary(tensors: try runner.deployedWeights()))
    }
    return try frame.recordingFailure { () throws(DiagnosticError) in
      let ending = try SpanRecorder.section("training") { () throws(DiagnosticError) in
        try loop(runner, frame, observer).run(from: checkpoint)
      }
      if !ending.wasInterrupted, setup.train.stopping?.restore == .best, ending.best != runner.step
      {
        try frame.checkpoints.read(ending.best)?.restore(runner.executable)
      }
      return try finish(runner, ending, frame)
    }
  }

  private typealias Loop = StepLoop<StepRunner, Metrics>

  private func runner(from checkpoint: Checkpoint?) throws(DiagnosticError) -> StepRunner {
    try StepRunner(
      setup, engine: options.engine, threads: options.threads, steps: setup.totalSteps,
      memoryLimit: options.memoryLimit, from: checkpoint)
  }

  private func loop(
    _ runner: StepRunner, _ frame: RunFrame, _ observer: (any TrainingObserver)?
  ) -> Loop {
    Loop(
      runner: runner, total: setup.totalSteps,
      interval: setup.experiment.report.every?.steps(perEpoch: setup.stepsPerEpoch)
        ?? setup.stepsPerEpoch,
      metrics: frame.metrics, checkpoints: frame.checkpoints, stopping: setup.train.stopping,
      didStep: { result, seconds in
        observer?.didStep(
          runner.step, of: setup.totalSteps, loss: result.loss, seconds: seconds)
      },
      measure: { (sums, seconds) throws(DiagnosticError) in
        let line = try measure(runner, sums, seconds)
        observer?.didMeasure(line, of: setup.totalSteps)
        return line
      },
      restarted: self.runner, diverged: { diverged($0, at: runner.step) })
  }

  private func measure(
    _ runner: StepRunner, _ sums: RunningMetrics, _ seconds: Double
  ) throws(DiagnosticError) -> Metrics {
    func scores(
      _ samples: Samples
    ) throws(DiagnosticError) -> (loss: Double, accuracy: Double?) {
      try SpanRecorder.section("evaluation") { () throws(DiagnosticError) in
        try runner.evaluate(samples)
      }
    }
    var held, test: (loss: Double, accuracy: Double?)?
    if let samples = setup.validation { held = try scores(samples) }
    else if let samples = setup.data.test { test = try scores(samples) }
    return Metrics(
      step: runner.step, epoch: Double(runner.step) / Double(setup.stepsPerEpoch),
      loss: sums.meanLoss, penalty: sums.meanPenalty,
      trainAccuracy: sums.accuracy(batch: setup.train.batch),
      validationLoss: held?.loss, validationAccuracy: held?.accuracy, testLoss: test?.loss,
      testAccuracy: test?.accuracy,
      learningRate: setup.optimizer.learningRate(step: runner.step - 1, of: setup.totalSteps),
      seconds: seconds)
  }

  private func diverged(_ loss: Double, at step: Int) -> Diagnostic {
    let epoch = (step - 1) / setup.stepsPerEpoch + 1
    let rate = setup.optimizer.learningRate(step: step - 1, of: setup.totalSteps)
    return Diagnostic(
      .diverged, "the loss is \(loss) at step \(step), in epoch \(epoch)",
      at: setup.optimizer.span, label: "learning rate \(rate)",
      help: "a smaller `lr`, `clip_gradient` or a Lipschitz constraint keeps training stable")
  }

  private func finish(
    _ runner: StepRunner, _ ending: Loop.Ending, _ frame: RunFrame
  ) throws(DiagnosticError) -> TrainingResult {
    let (certification, stored, bounds) = try SpanRecorder.section("proof") {
      () throws(DiagnosticError) in
      let certification = try Certification(setup.network, trained: try runner.deployedWeights())
      let stored = try NetworkWeights(
        setup.network,
        tensors: Dictionary(uniqueKeysWithValues: certification.weights.map { ($0.name, $0) }))
      return (certification, stored, try certifiedBound(
        stored, norms: setup.experiment.claimedNorms(of: setup.network)))
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
    let certified = try SpanRecorder.section("certified radii") { () throws(DiagnosticError) in
      try certifiedRadii(stored, bounds, scores)
    }
    let judge = Judge(
      scores: scores, bound: { norm in bounds.first { $0.norm == norm }?.upper ?? .unknown },
      place: setup.network.domainText,
      certified: { norm in certified.first { $0.norm == norm } })
    let result = TrainingResult(
      directory: frame.directory, steps: runner.step, wasInterrupted: ending.wasInterrupted,
      bestStep: setup.train.stopping?.restore == .best && !ending.wasInterrupted
        ? ending.best : nil,
      stoppedEarly: ending.stoppedEarly, plannedSteps: setup.totalSteps,
      last: ending.last ?? frame.metrics.last.flatMap { Metrics($0) },
      testAccuracy: scores?.accuracy, testCount: setup.data.test?.count ?? 0,
      bounds: bounds, judgements: setup.experiment.targets.map(judge.judge),
      seconds: ending.seconds)

    try SpanRecorder.section("files written") { () throws(DiagnosticError) in
      try frame.write(
        weights: certification.weights, Certificate(stored, reports: result.bounds), result)
    }
    return result
  }

  /// Of the test samples, in the norms in which a target asks for certified accuracy.
  private func certifiedRadii(
    _ stored: NetworkWeights, _ bounds: [BoundReport], _ scores: Scores?
  ) throws(DiagnosticError) -> [CertifiedRadii] {
    let norms = setup.experiment.targets.compactMap { target in
      if case .certifiedAccuracy(let norm, _, _) = target.claim { norm } else { nil }
    }
    guard let scores, let samples = setup.data.test, !norms.isEmpty else { return [] }
    return try CertifiedRadii.proved(
      stored, reports: bounds.filter { norms.contains($0.norm) },
      x: setup.scaling.rows(of: samples), labels: samples.labels, isRight: scores.isRight)
  }
}
