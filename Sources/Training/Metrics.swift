import Diagnostics

/// One line of `metrics.jsonl`: an epoch, or the part of it that was trained.
public struct Metrics: Sendable {
  /// Steps done.
  public let step: Int
  /// Epochs done, with the fraction of the present one.
  public let epoch: Double
  /// Mean over the samples since the last line, each seen before its own step's update.
  public let loss: Double
  /// The mean of the regularisers' sum over the same steps, which the loss does not hold; nil without
  /// any.
  public let penalty: Double?
  /// nil where samples have no classes.
  public let trainAccuracy: Double?
  /// Of the network in training over the test split; nil if there is none.
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
    members.append(("test_loss", JSONValue(testLoss)))
    if trainAccuracy != nil { members.append(("test_accuracy", JSONValue(testAccuracy))) }
    members += [("learning_rate", .double(learningRate)), ("seconds", .double(seconds))]
    return .object(members)
  }
}

/// Sums since the last line of metrics.
struct RunningMetrics {
  private var loss = 0.0
  private var correct: Double?
  private var penalty: Double?
  private var steps = 0

  mutating func add(_ result: StepRunner.StepResult) {
    loss += Double(result.loss)
    if let share = result.correct { correct = (correct ?? 0) + Double(share) }
    if let term = result.penalty { penalty = (penalty ?? 0) + Double(term) }
    steps += 1
  }
  var isEmpty: Bool { steps == 0 }
  var meanLoss: Double { loss / Double(max(steps, 1)) }
  var meanPenalty: Double? { penalty.map { $0 / Double(max(steps, 1)) } }
  func accuracy(batch: Int) -> Double? { correct.map { $0 / Double(max(steps, 1) * batch) } }
}
