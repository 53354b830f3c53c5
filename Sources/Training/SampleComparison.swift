import Diagnostics
import Model
import Rounding
import Tensors

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
  /// scores differ by at most K times the distance, no pairing can be cheaper. nil too for a critic
  /// of several classes, since a pairing may mix them.
  public let lowerBound: Double?
}

/// Samples of the stored generator beside real ones.
struct SampleComparison {
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
    return ModeCoverage(
      of: try generated(count), modes: modes, classes: setup.generator.classes)
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
    var lowerBound: Double?
    if setup.generator.classes == nil, bound.isFinite, bound.value > 0 {
      let sign: Double = setup.section.loss.isRealHigh ? 1 : -1
      lowerBound = sign * (try mean(real) - mean(fake)) / bound.value
    }
    return SampleWasserstein(
      count: count, rounds: rounds, generated: generated / Double(rounds),
      floor: floor / Double(rounds), lowerBound: lowerBound)
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

  /// nil without a classifier.
  func images(_ measure: ImageMeasure?) throws(DiagnosticError) -> ImageQuality? {
    guard let measure else { return nil }
    return try measure.quality(
      of: try generated(measure.count), classes: setup.generator.classes)
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
