import Diagnostics
import YAML

/// When a run saves a checkpoint, and how many stay: `train.checkpoint`.
public struct CheckpointSection: Sendable, Hashable {
  /// nil: none but the last, which interruption and the end of training save.
  public var every: Interval?
  /// The newest so many are kept.
  public var keep: Int

  public init(every: Interval? = .metrics, keep: Int = Self.defaultKeep) {
    self.every = every
    self.keep = keep
  }

  public static let defaultKeep = 2

  public enum Interval: Sendable, Hashable {
    /// With every line of metrics.
    case metrics
    case time(TrainingInterval)
  }
}

extension CheckpointSection.Interval: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> CheckpointSection.Interval? {
    if node.scalar?.text == "metrics" { return .metrics }
    if let interval = TrainingInterval(node) { return .time(interval) }
    diagnostics.append(.expected(expectation(range: range), found: node))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "`metrics`, or " + TrainingInterval.expectation(range: nil)
  }
  public var yamlText: String {
    switch self {
    case .metrics: "metrics"
    case .time(let interval): interval.yamlText
    }
  }
}

extension CheckpointSection: ArgumentValue {
  static let every = Argument<Interval>(
    "every", "How often; `metrics` is with every line of metrics.", default: .metrics)
  static let keep = Argument<Int>(
    "keep", "How many of the newest stay.", default: defaultKeep,
    in: ArgumentRange(lower: 1, upper: 1e6))

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> CheckpointSection? {
    if let isOn = node.bool { return CheckpointSection(every: isOn ? .metrics : nil) }
    let arguments = decodeArguments(
      [every, keep], of: "checkpoint", node: node, named: node.startSpan, shorthand: "every",
      into: &diagnostics)
    return arguments.map { CheckpointSection(every: $0[every], keep: $0[keep]) }
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "`false`, " + Interval.expectation(range: nil) + ", or a mapping with `every` and `keep`"
  }
  public var yamlText: String {
    every.map { "{every: \($0.yamlText), keep: \(keep)}" } ?? "false"
  }
}
