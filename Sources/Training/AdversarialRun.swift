import Diagnostics
import Formats
import Lipschitz
import Model
import Rounding
import Tensors

/// What a run of a generator against a critic came to.
public struct AdversarialResult: RunResult {
  public let directory: RunDirectory
  public let steps: Int
  public let wasInterrupted: Bool
  /// The last line of metrics; nil if no step was made.
  public let last: AdversarialMetrics?
  /// Of the stored generator.
  public let coverage: ModeCoverage?
  public let distance: SampleWasserstein?
  /// By a classifier, where one was given.
  public let images: ImageQuality?
  let measure: ImageMeasure?
  /// What is proved of the stored critic, one norm after the other.
  public let criticBounds: [BoundReport]
  /// Whether a constraint holds every layer of the critic that could hold one.
  public let isCriticHeld: Bool
  public let judgements: [Judgement]
  /// Spent in the training loop.
  public let seconds: Double
}

/// A training run from the first step to the proved bound of the stored critic.
public struct AdversarialRun {
  public let setup: AdversarialSetup
  public let options: TrainingOptions
  /// What images are measured by; nil: they are not.
  public let measure: ImageMeasure?

  /// Samples that modes are counted on, in a line of metrics and at the end, and the size of a
  /// Wasserstein comparison.
  static let countedInLines = 2000
  static let countedSamples = 10_000
  static let comparedSamples = 1000
  static let largestRounds = 3
  /// Lines of metrics a run, where the description does not say how often.
  static let lines = 20

  public init(
    _ setup: AdversarialSetup, options: TrainingOptions, measure: ImageMeasure? = nil
  ) {
    self.setup = setup
    self.options = options
    self.measure = measure
  }

  /// Trains and writes the run directory. After a failure the directory stays, without weights and
  /// with the reason in its `run.json`.
  public func run(
    observer: ((AdversarialMetrics) -> Void)? = nil
  ) throws(DiagnosticError) -> AdversarialResult {
    let optimizers = [setup.section.generatorOptimizer, setup.section.criticOptimizer]
    let plan = RunFrame.Plan(
      experiment: setup.experiment, train: setup.train, folder: setup.directory,
      steps: setup.totalSteps, stepsPerEpoch: setup.stepsPerEpoch, optimizers: optimizers)
    let checkpoint = try RunFrame.checkpoint(plan, options)
    let runner = try runner(from: checkpoint)
    let frame = try RunFrame(plan, from: checkpoint, options)
    frame.metrics.norms = { () throws(DiagnosticError) in
      // The generator's come first.
      estimatedNorms(setup.critic, weights: Dictionary(tensors: try runner.deployedWeights()[1]))
    }
    return try frame.recordingFailure { () throws(DiagnosticError) in
      let ending = try loop(runner, frame, observer).run(from: checkpoint)
      return try finish(runner, ending, frame)
    }
  }

  private typealias Loop = StepLoop<AdversarialRunner, AdversarialMetrics>

  private func runner(from checkpoint: Checkpoint?) throws(DiagnosticError) -> AdversarialRunner {
    try AdversarialRunner(
      setup, engine: options.engine, threads: options.threads, memoryLimit: options.memoryLimit,
      from: checkpoint)
  }

  private func loop(
    _ runner: AdversarialRunner, _ frame: RunFrame, _ observer: ((AdversarialMetrics) -> Void)?
  ) -> Loop {
    Loop(
      runner: runner, total: setup.totalSteps,
      interval: setup.experiment.report.every?.steps(perEpoch: setup.stepsPerEpoch)
        ?? max(1, setup.totalSteps / Self.lines),
      metrics: frame.metrics, checkpoints: frame.checkpoints, stopping: nil,
      didStep: { _, _ in },
      measure: { (sums, seconds) throws(DiagnosticError) in
        let samples = try runner.samples(Self.countedInLines)
        let classes = setup.generator.classes
        let line = sums.line(
          step: runner.step,
          coverage: setup.modes.map { ModeCoverage(of: samples, modes: $0, classes: classes) },
          images: try measure?.quality(of: samples, classes: classes), seconds: seconds)
        if setup.experiment.report.plots, let picture = try picture(of: samples, runner) {
          try frame.write(picture, step: runner.step, of: setup.totalSteps)
        }
        observer?(line)
        return line
      },
      restarted: self.runner, diverged: { diverged($0, at: runner.step) })
  }

  /// nil of samples that have no picture.
  private func picture(
    of samples: [Float], _ runner: AdversarialRunner
  ) throws(DiagnosticError) -> TensorBoardEvent.PNGImage? {
    let shape = setup.generator.outputShape
    if shape == [2] {
      let shown = min(samples.count / 2, setup.data.train.count)
      let real = setup.scaling.scaled(setup.data.train, at: 0..<shown).flatMap(\.self)
      let png = try PlanePlot(generated: samples, real: real).png {
        (points) throws(DiagnosticError) in try runner.scores(of: points)
      }
      return .init(width: PlanePlot.size, height: PlanePlot.size, channels: 3, bytes: png)
    }
    let classes = setup.generator.classes
    let asked = setup.experiment.report.samples
    // One column a class, where classes are asked for: whole rows.
    let count = classes.map { max(1, (asked + $0 - 1) / $0) * $0 } ?? asked
    return ImageGrid(
      samples, shape: shape, count: count,
      columns: classes, range: setup.experiment.data?.range
    ).map { .init(width: $0.width, height: $0.height, channels: $0.channels, bytes: $0.png) }
  }

  private func finish(
    _ runner: AdversarialRunner, _ ending: Loop.Ending, _ frame: RunFrame
  ) throws(DiagnosticError) -> AdversarialResult {
    let networks = [setup.generator, setup.critic]
    let trained = try runner.deployedWeights()
    var certifications: [Certification] = []
    var stored: [NetworkWeights] = []
    for (network, weights) in zip(networks, trained) {
      let certification = try Certification(network, trained: weights)
      certifications.append(certification)
      stored.append(
        try NetworkWeights(
          network,
          tensors: Dictionary(
            uniqueKeysWithValues: certification.weights.map { ($0.name, $0) })))
    }
    let criticBounds = try certifiedBound(stored[1], norms: norms(of: setup.critic))
    let generatorNorms = targetNorms(of: setup.generator)
    let generatorBounds =
      generatorNorms.isEmpty ? [] : try certifiedBound(stored[0], norms: generatorNorms)
    let judgements = setup.experiment.targets.map { target -> Judgement in
      var reports = criticBounds
      if case .lipschitz(let name, _, _) = target.claim, name == setup.generator.name {
        reports = generatorBounds
      }
      let judge = Judge(
        scores: nil, bound: { norm in reports.first { $0.norm == norm }?.upper ?? .unknown },
        certified: { _ in nil })
      return judge.judge(target)
    }
    let samples = try SampleComparison(
      setup, options, generator: certifications[0].values, critic: certifications[1].values)
    let bound = criticBounds.first { $0.norm == .l2 }?.upper ?? .unknown
    let result = AdversarialResult(
      directory: frame.directory, steps: runner.step, wasInterrupted: ending.wasInterrupted,
      last: ending.last, coverage: try samples.coverage(Self.countedSamples),
      distance: try samples.distance(bound: bound), images: try samples.images(measure),
      measure: measure, criticBounds: criticBounds, isCriticHeld: setup.critic.isHeld,
      judgements: judgements, seconds: ending.seconds)
    try frame.write(
      weights: certifications.flatMap(\.weights),
      Certificate(stored[1], reports: criticBounds), result)
    return result
  }

  private func targetNorms(of network: Network) -> [Norm] {
    setup.experiment.targets.compactMap { target in
      if case .lipschitz(let name, let norm, _) = target.claim, name == network.name { norm }
      else { nil }
    }
  }

  /// The norms that targets name, those the layers declare, and L2, which Wasserstein's distance
  /// is in.
  private func norms(of network: Network) -> [Norm] {
    let norms = targetNorms(of: network) + network.nodes.compactMap(\.declared?.norm) + [.l2]
    return Norm.allCases.filter(norms.contains)
  }

  private func diverged(_ loss: Double, at step: Int) -> Diagnostic {
    Diagnostic(
      .diverged, "a loss is \(loss) at step \(step)", at: setup.section.span,
      help: "a Lipschitz constraint on the critic, or a smaller `lr`, keeps training stable")
  }
}
