import Diagnostics
import YAML

/// So many steps, or passes over the training samples: `500 steps`, `1 epoch`; a bare number is one
/// of steps.
public enum TrainingInterval: Sendable, Hashable {
  case steps(Int)
  case epochs(Int)

  init?(_ node: Node) {
    if let steps = node.int, steps > 0 {
      self = .steps(steps)
      return
    }
    let words = node.scalar?.text.split(separator: " ") ?? []
    guard words.count == 2, let count = Int(words[0]), count > 0 else { return nil }
    switch words[1] {
    case "step", "steps": self = .steps(count)
    case "epoch", "epochs": self = .epochs(count)
    default: return nil
    }
  }

  public func steps(perEpoch: Int) -> Int {
    switch self {
    case .steps(let count): count
    case .epochs(let count): count.multipliedReportingOverflow(by: perEpoch).overflow
      ? .max : count * perEpoch
    }
  }
}

extension TrainingInterval: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> TrainingInterval? {
    if let interval = TrainingInterval(node) { return interval }
    diagnostics.append(.expected(expectation(range: range), found: node))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a time as in `500 steps` or `1 epoch`"
  }
  public var yamlText: String {
    switch self {
    case .steps(let count): "\(count) steps"
    case .epochs(let count): "\(count) epochs"
    }
  }
}
