import Diagnostics

/// What a run came to, whatever it trained.
public protocol RunResult {
  var directory: RunDirectory { get }
  /// Steps done; of a generator and a critic, of the generator.
  var steps: Int { get }
  var wasInterrupted: Bool { get }
  var judgements: [Judgement] { get }
  /// Spent in the training loop.
  var seconds: Double { get }
  /// What `run.json` says beyond the above, between `training_seconds` and `targets`.
  var measured: [(key: String, value: JSONValue)] { get }
}

extension RunResult {
  /// 0, 1 if a target is not met, 130 after Control-C.
  public var exitCode: Int32 {
    if wasInterrupted { return 130 }
    return judgements.contains { $0.isMet == false } ? 1 : 0
  }

  /// The members of `run.json` that tell how the run ended.
  var record: [(key: String, value: JSONValue)] {
    let targets = judgements.map { judgement in
      JSONValue.object([
        ("claim", .string(judgement.claim)), ("outcome", .string(judgement.outcome)),
        ("met", judgement.isMet.map(JSONValue.bool) ?? .null),
      ])
    }
    return [
      ("exit", .int(Int(exitCode))), ("interrupted", .bool(wasInterrupted)),
      ("steps_done", .int(steps)), ("training_seconds", .double(seconds)),
    ] + measured + [("targets", .array(targets))]
  }

  /// The result as the user reads it: how long it took, `rows`, the targets, the directory.
  ///
  /// - Parameter unit: what a step is called: `steps`, `generator steps`.
  func summary(name: String, unit: String, _ rows: [(String, String)]) -> String {
    let rate = steps > 0 ? ", \(decimal(seconds / Double(steps) * 1000, 2)) ms a step" : ""
    var lines = [
      (
        wasInterrupted ? "interrupted" : "trained",
        "\(steps) \(unit) in \(decimal(seconds, 1)) s\(rate)"
      )
    ]
    lines += rows
    for judgement in judgements {
      let verdict = judgement.isMet.map { $0 ? "met" : "NOT MET" } ?? "reported"
      lines.append(("target", "\(judgement.claim): \(verdict) (\(judgement.outcome))"))
    }
    lines.append(("run", directory.path))
    if wasInterrupted { lines.append(("go on with", "lgc train --resume \(directory.path)")) }
    let width = lines.map(\.0.count).max() ?? 0
    let text = lines.map { label, text in
      "  \(label)\(String(repeating: " ", count: width - label.count))  \(text)"
    }
    return "\(name)\n\(text.joined(separator: "\n"))\n"
  }
}
