import Diagnostics
import Model

/// One line of `metrics.jsonl` of a generator and a critic: means over the steps since the last
/// line, and how the generator stands after them.
public struct AdversarialMetrics: MetricsLine, Sendable {
  /// Generator updates done.
  public let step: Int
  public let criticLoss: Double
  /// Mean score of real less that of generated samples, the other way round where low is real.
  public let gap: Double
  public let penalty: Double?
  public let generatorLoss: Double
  public let coverage: ModeCoverage?
  public let images: ImageQuality?
  /// Since training began.
  public let seconds: Double

  public var json: JSONValue {
    .object([
      ("step", .int(step)), ("critic_loss", .double(criticLoss)), ("gap", .double(gap)),
      ("penalty", JSONValue(penalty)), ("generator_loss", .double(generatorLoss)),
      ("modes_covered", coverage.map { .int($0.covered) } ?? .null),
      ("modes_filled", coverage.map { .int($0.filled) } ?? .null),
      ("high_quality", JSONValue(coverage?.highQuality)),
      ("as_asked", JSONValue(coverage?.asAsked ?? images?.asAsked)),
      ("frechet_classifier_distance", JSONValue(images?.distance)),
      ("class_entropy", JSONValue(images?.entropy)), ("seconds", .double(seconds)),
    ])
  }

  /// Nothing of two networks is watched.
  func value(of metric: StoppingSection.Metric) -> Double? { nil }

  /// For people, as the line goes by.
  public func line(of total: Int) -> String {
    var text = "step \(step)/\(total)  critic \(decimal(criticLoss, 4))  gap \(decimal(gap, 4))"
    if let penalty { text += "  penalty \(decimal(penalty, 4))" }
    text += "  generator \(decimal(generatorLoss, 4))"
    if let coverage {
      text += "  modes \(coverage.covered)/\(coverage.modes)"
        + "  high quality \(fixed(coverage.highQuality * 100, 1)) %"
    }
    if let images {
      text += "  fréchet \(decimal(images.distance, 4))  entropy \(fixed(images.entropy, 2))"
    }
    if let asAsked = coverage?.asAsked ?? images?.asAsked {
      text += "  as asked \(fixed(asAsked * 100, 1)) %"
    }
    return text + "  \(Progress.clock(seconds))\n"
  }
}

/// Sums since the last line of metrics.
struct RunningAdversarialMetrics: StepSums {
  private var sum = AdversarialRunner.StepResult()
  private var steps = 0

  init(numbers: [String: Double]) {
    sum.criticLoss = numbers["critic_loss"] ?? 0
    sum.gap = numbers["gap"] ?? 0
    sum.penalty = numbers["penalty"]
    sum.generatorLoss = numbers["generator_loss"] ?? 0
    steps = Int(numbers["summed_steps"] ?? 0)
  }
  var numbers: [String: Double] {
    var numbers = [
      "critic_loss": sum.criticLoss, "gap": sum.gap, "generator_loss": sum.generatorLoss,
      "summed_steps": Double(steps),
    ]
    numbers["penalty"] = sum.penalty
    return numbers
  }

  mutating func add(_ result: AdversarialRunner.StepResult) {
    sum.criticLoss += result.criticLoss
    sum.gap += result.gap
    if let penalty = result.penalty { sum.penalty = (sum.penalty ?? 0) + penalty }
    sum.generatorLoss += result.generatorLoss
    steps += 1
  }

  func line(
    step: Int, coverage: ModeCoverage?, images: ImageQuality?, seconds: Double
  ) -> AdversarialMetrics {
    let count = Double(max(steps, 1))
    return AdversarialMetrics(
      step: step, criticLoss: sum.criticLoss / count, gap: sum.gap / count,
      penalty: sum.penalty.map { $0 / count }, generatorLoss: sum.generatorLoss / count,
      coverage: coverage, images: images, seconds: seconds)
  }
}
