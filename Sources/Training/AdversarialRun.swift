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
  /// What is proved of the stored critic, one norm after the other.
  public let criticBounds: [BoundReport]
  public let judgements: [Judgement]
  /// Spent in the training loop.
  public let seconds: Double
}

/// How far the stored generator's samples are from real ones, and what the critic says of it.
public struct SampleWasserstein: Sendable {
  /// Samples on each side of one comparison, and comparisons that were averaged.
  public let count: Int
  public let rounds: Int
  /// Generated against real, and real against other real ones: no generator can do better.
  public let generated: Double
  public let floor: Double
  /// (mean score of real − mean score of generated) / K over the same samples, K the proved L2
  /// bound of the stored critic; scores in float32. nil where nothing finite is proved. Since
  /// scores differ by at most K times the distance, no pairing can be cheaper.
  public let lowerBound: Double?
}

/// A training run from the first step to the proved bound of the stored critic.
public struct AdversarialRun {
  public let setup: AdversarialSetup
  public let options: TrainingOptions

  /// Samples that modes are counted on, in a line of metrics and at the end, and the size of a
  /// Wasserstein comparison.
  static let countedInLines = 2000
  static let countedSamples = 10_000
  static let comparedSamples = 1000
  static let largestRounds = 3
  /// Lines of metrics a run.
  static let lines = 20

  public init(_ setup: AdversarialSetup, options: TrainingOptions) {
    self.setup = setup
    self.options = options
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
      setup, engine: options.engine, threads: options.threads, from: checkpoint)
  }

  private func loop(
    _ runner: AdversarialRunner, _ frame: RunFrame, _ observer: ((AdversarialMetrics) -> Void)?
  ) -> Loop {
    Loop(
      runner: runner, total: setup.totalSteps, interval: max(1, setup.totalSteps / Self.lines),
      metrics: frame.metrics, checkpoints: frame.checkpoints, stopping: nil,
      didStep: { _, _ in },
      measure: { (sums, seconds) throws(DiagnosticError) in
        let coverage = try setup.modes.map { (modes) throws(DiagnosticError) in
          ModeCoverage(of: try runner.samples(Self.countedInLines), modes: modes)
        }
        let line = sums.line(step: runner.step, coverage: coverage, seconds: seconds)
        observer?(line)
        return line
      },
      restarted: self.runner, diverged: { diverged($0, at: runner.step) })
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
      distance: try samples.distance(bound: bound), criticBounds: criticBounds,
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

/// Samples of the stored generator beside real ones.
private struct SampleComparison {
  private let setup: AdversarialSetup
  private let generator: DeployedNetwork
  private let critic: DeployedNetwork
  private static let batch = 250

  init(
    _ setup: AdversarialSetup, _ options: TrainingOptions, generator: [String: [Float]],
    critic: [String: [Float]]
  ) throws(DiagnosticError) {
    self.setup = setup
    func deployed(
      _ network: Network, _ weights: [String: [Float]]
    ) throws(DiagnosticError) -> DeployedNetwork {
      try DeployedNetwork(
        network, weights: weights, engine: options.engine, threads: options.threads,
        batch: Self.batch)
    }
    self.generator = try deployed(setup.generator, generator)
    self.critic = try deployed(setup.critic, critic)
  }

  func coverage(_ count: Int) throws(DiagnosticError) -> ModeCoverage? {
    guard let modes = setup.modes else { return nil }
    return ModeCoverage(of: try generated(count), modes: modes)
  }

  /// nil for samples that are no points: a pairing of images by distance says nothing of them.
  func distance(bound: UpperBound) throws(DiagnosticError) -> SampleWasserstein? {
    guard setup.critic.inputShape == [2] else { return nil }
    let test = setup.data.test ?? setup.data.train
    let count = min(AdversarialRun.comparedSamples, test.count, setup.data.train.count)
    let rounds = min(
      AdversarialRun.largestRounds, test.count / count, setup.data.train.count / count)
    let fake = try generated(count * rounds)
    let real = self.real(test, count * rounds)
    let other = self.real(setup.data.train, count * rounds)
    var (generated, floor) = (0.0, 0.0)
    for round in 0..<rounds {
      let block = round * count * 2..<(round + 1) * count * 2
      generated += wassersteinDistance(Array(real[block]), Array(fake[block]), size: 2)
      if setup.data.test != nil {
        floor += wassersteinDistance(Array(real[block]), Array(other[block]), size: 2)
      }
    }
    let gap = try mean(real) - mean(fake)
    let sign: Double = setup.section.loss.isRealHigh ? 1 : -1
    return SampleWasserstein(
      count: count, rounds: rounds, generated: generated / Double(rounds),
      floor: floor / Double(rounds),
      lowerBound: bound.isFinite && bound.value > 0 ? sign * gap / bound.value : nil)
  }

  private func generated(_ count: Int) throws(DiagnosticError) -> [Float] {
    var noise = NoiseSource(setup.generator, seed: setup.train.seed)
    let size = setup.generator.outputShape.elementCount
    var samples: [Float] = []
    while samples.count < count * size {
      let outputs = try generator.outputs(of: noise.draw(Self.batch))
      samples += outputs.prefix(count * size - samples.count)
    }
    return samples
  }

  private func real(_ samples: Samples, _ count: Int) -> [Float] {
    let size = samples.shape.elementCount
    return [Float](unsafeUninitializedCapacity: count * size) { buffer, filled in
      setup.scaling.fill(buffer.baseAddress!, with: samples, at: 0..<count)
      filled = count * size
    }
  }

  /// The mean score.
  private func mean(_ samples: [Float]) throws(DiagnosticError) -> Double {
    let size = setup.critic.inputShape.elementCount
    let count = samples.count / size
    var total = 0.0
    for start in stride(from: 0, to: count, by: Self.batch) {
      let end = min(start + Self.batch, count)
      let scores = try critic.outputs(of: Array(samples[start * size..<end * size]))
      for score in scores.prefix(end - start) { total += Double(score) }
    }
    return total / Double(count)
  }
}
