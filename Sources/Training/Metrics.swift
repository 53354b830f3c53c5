import Diagnostics

/// One line of `metrics.jsonl`: an epoch, or the part of it that was trained.
public struct Metrics: Sendable {
  /// Steps done.
  public let step: Int
  /// Epochs done, with the fraction of the present one.
  public let epoch: Double
  /// Mean over the samples since the last line, each seen before its own step's update.
  public let loss: Double
  public let trainAccuracy: Double
  /// Of the network in training over the test split; nil if there is none.
  public let testLoss: Double?
  public let testAccuracy: Double?
  /// Of the last step.
  public let learningRate: Double
  /// Since training began.
  public let seconds: Double

  public var json: JSONValue {
    .object([
      ("step", .int(step)), ("epoch", .double(epoch)), ("loss", .double(loss)),
      ("train_accuracy", .double(trainAccuracy)), ("test_loss", JSONValue(testLoss)),
      ("test_accuracy", JSONValue(testAccuracy)), ("learning_rate", .double(learningRate)),
      ("seconds", .double(seconds)),
    ])
  }
}

/// Sums since the last line of metrics.
struct RunningMetrics {
  private var loss = 0.0
  private var correct = 0.0
  private var steps = 0

  mutating func add(_ result: StepRunner.StepResult) {
    loss += Double(result.loss)
    correct += Double(result.correct)
    steps += 1
  }
  var isEmpty: Bool { steps == 0 }
  var meanLoss: Double { loss / Double(max(steps, 1)) }
  func accuracy(batch: Int) -> Double { correct / Double(max(steps, 1) * batch) }
}
