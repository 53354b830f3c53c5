import Diagnostics
import YAML

/// When training ends before its length is reached: `train.stop_when`.
///
/// With m the metric of a line (its negative where more is better), a line is the best so far if
/// m < best − `min_delta`. After `patience` lines in a row that are not, training ends.
public struct StoppingSection: Sendable {
  public enum Metric: String, Sendable, CaseIterable, ArgumentValue {
    case validationLoss = "validation_loss"
    case validationAccuracy = "validation_accuracy"
    case loss
    case trainAccuracy = "train_accuracy"

    public var isBetterHigh: Bool { self == .validationAccuracy || self == .trainAccuracy }
    public var needsValidation: Bool { self == .validationLoss || self == .validationAccuracy }
  }
  public enum Restore: String, Sendable, CaseIterable, ArgumentValue { case best, last }

  public var metric: Metric
  public var patience: Int
  public var minimumDelta: Double
  /// Which weights the run ends with.
  public var restore: Restore
  public var span: Span

  static let metricKey = Argument<Metric>(
    "metric", "What is watched.", default: .validationLoss)
  static let patienceKey = Argument<Int>(
    "patience", "Lines of metrics without a better one after which training ends.", default: 5,
    in: ArgumentRange(lower: 1, upper: 1e9))
  static let deltaKey = Argument<Double>(
    "min_delta", "How much better counts as better.", default: 0, in: .nonNegative)
  static let restoreKey = Argument<Restore>(
    "restore", "Which weights the run ends with.", default: .best)
  static let keys: [any ArgumentDeclaration] = [metricKey, patienceKey, deltaKey, restoreKey]
}

extension StoppingSection: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> StoppingSection? {
    let arguments = decodeArguments(
      keys, of: "stop_when", node: node, named: node.startSpan, shorthand: "metric",
      into: &diagnostics)
    return arguments.map {
      StoppingSection(
        metric: $0[metricKey], patience: $0[patienceKey], minimumDelta: $0[deltaKey],
        restore: $0[restoreKey],
        span: $0.spans["metric"] ?? node.startSpan)
    }
  }

  public static func expectation(range: ArgumentRange?) -> String {
    Metric.expectation(range: nil) + ", or a mapping with `metric` and its keys"
  }
  public var yamlText: String {
    "{metric: \(metric.rawValue), patience: \(patience), min_delta: \(minimumDelta.yamlText), "
      + "restore: \(restore.rawValue)}"
  }
}
