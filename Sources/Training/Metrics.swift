import Diagnostics
import Formats
import Model

/// One line of `metrics.jsonl`: an epoch, or the part of it that was trained.
public struct Metrics: MetricsLine, Sendable {
  /// Steps done.
  public let step: Int
  /// Epochs done, with the fraction of the present one.
  public let epoch: Double
  /// Mean over the samples since the last line, each seen before its own step's update.
  public let loss: Double
  public let trainAccuracy: Double
  /// Of the network in training over the samples held back; nil where none are.
  public let validationLoss: Double?
  public let validationAccuracy: Double?
  /// The same over the test split; nil if there is none, or if samples are held back: then the
  /// test split is for the end only.
  public let testLoss: Double?
  public let testAccuracy: Double?
  /// Of the last step.
  public let learningRate: Double
  /// Since training began.
  public let seconds: Double

  public var json: JSONValue {
    let held: [(key: String, value: JSONValue)] =
      if let validationLoss, let validationAccuracy {
        [
          ("validation_loss", .double(validationLoss)),
          ("validation_accuracy", .double(validationAccuracy)),
        ]
      } else {
        [("test_loss", JSONValue(testLoss)), ("test_accuracy", JSONValue(testAccuracy))]
      }
    return .object(
      [
        ("step", .int(step)), ("epoch", .double(epoch)), ("loss", .double(loss)),
        ("train_accuracy", .double(trainAccuracy)),
      ] + held + [("learning_rate", .double(learningRate)), ("seconds", .double(seconds))])
  }

  func value(of metric: StoppingSection.Metric) -> Double? {
    switch metric {
    case .validationLoss: validationLoss
    case .validationAccuracy: validationAccuracy
    case .loss: loss
    case .trainAccuracy: trainAccuracy
    }
  }
}

extension Metrics {
  /// A line as it was written; nil where it is none of a supervised run.
  init?(_ line: JSON) {
    guard let step = line["step"]?.integer, let epoch = line["epoch"]?.double,
      let loss = line["loss"]?.double, let accuracy = line["train_accuracy"]?.double,
      let rate = line["learning_rate"]?.double, let seconds = line["seconds"]?.double
    else { return nil }
    self.init(
      step: step, epoch: epoch, loss: loss, trainAccuracy: accuracy,
      validationLoss: line["validation_loss"]?.double,
      validationAccuracy: line["validation_accuracy"]?.double,
      testLoss: line["test_loss"]?.double, testAccuracy: line["test_accuracy"]?.double,
      learningRate: rate, seconds: seconds)
  }
}

/// Sums since the last line of metrics.
struct RunningMetrics: StepSums {
  private var loss: Double
  private var correct: Double
  private var steps: Double

  init(numbers: [String: Double]) {
    loss = numbers["loss"] ?? 0
    correct = numbers["correct"] ?? 0
    steps = numbers["summed_steps"] ?? 0
  }
  var numbers: [String: Double] { ["loss": loss, "correct": correct, "summed_steps": steps] }

  mutating func add(_ result: StepRunner.StepResult) {
    loss += Double(result.loss)
    correct += Double(result.correct)
    steps += 1
  }
  var meanLoss: Double { loss / max(steps, 1) }
  func accuracy(batch: Int) -> Double { correct / (max(steps, 1) * Double(batch)) }
}
