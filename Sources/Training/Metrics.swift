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
  /// The mean of the regularisers' sum over the same steps, which the loss does not hold; nil
  /// without any.
  public let penalty: Double?
  /// nil where samples have no classes.
  public let trainAccuracy: Double?
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
    var members: [(String, JSONValue)] = [
      ("step", .int(step)), ("epoch", .double(epoch)), ("loss", .double(loss)),
    ]
    if let penalty { members.append(("penalty", .double(penalty))) }
    if let trainAccuracy { members.append(("train_accuracy", .double(trainAccuracy))) }
    if let validationLoss {
      members.append(("validation_loss", .double(validationLoss)))
      if let validationAccuracy {
        members.append(("validation_accuracy", .double(validationAccuracy)))
      }
    } else {
      members.append(("test_loss", JSONValue(testLoss)))
      if trainAccuracy != nil { members.append(("test_accuracy", JSONValue(testAccuracy))) }
    }
    members += [("learning_rate", .double(learningRate)), ("seconds", .double(seconds))]
    return .object(members)
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
      let loss = line["loss"]?.double, let rate = line["learning_rate"]?.double,
      let seconds = line["seconds"]?.double
    else { return nil }
    self.init(
      step: step, epoch: epoch, loss: loss, penalty: line["penalty"]?.double,
      trainAccuracy: line["train_accuracy"]?.double,
      validationLoss: line["validation_loss"]?.double,
      validationAccuracy: line["validation_accuracy"]?.double,
      testLoss: line["test_loss"]?.double, testAccuracy: line["test_accuracy"]?.double,
      learningRate: rate, seconds: seconds)
  }
}

/// Sums since the last line of metrics.
struct RunningMetrics: StepSums {
  private var loss: Double
  private var correct: Double?
  private var penalty: Double?
  private var steps: Double

  init(numbers: [String: Double]) {
    loss = numbers["loss"] ?? 0
    correct = numbers["correct"]
    penalty = numbers["penalty"]
    steps = numbers["summed_steps"] ?? 0
  }
  var numbers: [String: Double] {
    var numbers = ["loss": loss, "summed_steps": steps]
    numbers["correct"] = correct
    numbers["penalty"] = penalty
    return numbers
  }

  mutating func add(_ result: StepRunner.StepResult) {
    loss += Double(result.loss)
    if let share = result.correct { correct = (correct ?? 0) + Double(share) }
    if let term = result.penalty { penalty = (penalty ?? 0) + Double(term) }
    steps += 1
  }
  var meanLoss: Double { loss / max(steps, 1) }
  var meanPenalty: Double? { penalty.map { $0 / max(steps, 1) } }
  func accuracy(batch: Int) -> Double? { correct.map { $0 / (max(steps, 1) * Double(batch)) } }
}
