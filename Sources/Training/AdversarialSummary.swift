import Diagnostics
import Model
import Rounding

extension AdversarialResult {
  /// The result as the user reads it, on stdout.
  public func summary(name: String) -> String {
    var lines: [(String, String)] = []
    let rate = steps > 0 ? ", \(decimal(seconds / Double(steps) * 1000, 2)) ms a step" : ""
    lines.append(
      (
        wasInterrupted ? "interrupted" : "trained",
        "\(steps) generator steps in \(decimal(seconds, 1)) s\(rate)"
      ))
    if let coverage {
      lines.append(("modes", coverage.text))
      lines.append(
        ("high quality", "\(fixed(coverage.highQuality * 100, 1)) % of samples within 3σ of a mode"))
    }
    if let distance {
      let floor = distance.floor > 0 ? ", real against real \(decimal(distance.floor, 4))" : ""
      lines.append(
        (
          "W1",
          "\(decimal(distance.generated, 4)) generated against real\(floor), "
            + "\(distance.count) samples, mean of \(distance.rounds)"
        ))
      if let bound = distance.lowerBound {
        lines.append(("", "at least \(fixed(max(bound, 0), 4)) by the critic, gap over bound"))
      }
    }
    for report in criticBounds {
      let text =
        report.upper.isFinite ? report.upper.text(significant: 8) : "no finite bound is proved"
      lines.append(("critic \(report.norm.rawValue)", text))
    }
    for judgement in judgements {
      let verdict = judgement.isMet.map { $0 ? "met" : "NOT MET" } ?? "reported"
      lines.append(("target", "\(judgement.claim): \(verdict) (\(judgement.outcome))"))
    }
    lines.append(("run", directory.path))
    let width = lines.map(\.0.count).max() ?? 0
    let rows = lines.map { label, text in
      "  \(label)\(String(repeating: " ", count: width - label.count))  \(text)"
    }
    return "\(name)\n\(rows.joined(separator: "\n"))\n"
  }

  /// The members of `run.json` that tell how it ended.
  var record: [(key: String, value: JSONValue)] {
    let targets = judgements.map { judgement in
      JSONValue.object([
        ("claim", .string(judgement.claim)), ("outcome", .string(judgement.outcome)),
        ("met", judgement.isMet.map(JSONValue.bool) ?? .null),
      ])
    }
    let bounds = criticBounds.map { (key: $0.norm.rawValue, value: JSONValue($0.upper.finite)) }
    return [
      ("exit", .int(Int(exitCode))), ("interrupted", .bool(wasInterrupted)),
      ("steps_done", .int(steps)), ("training_seconds", .double(seconds)),
      ("modes_covered", coverage.map { .int($0.covered) } ?? .null),
      ("modes_filled", coverage.map { .int($0.filled) } ?? .null),
      ("modes", coverage.map { .int($0.modes) } ?? .null),
      ("high_quality", JSONValue(coverage?.highQuality)),
      ("wasserstein", JSONValue(distance?.generated)),
      ("wasserstein_floor", JSONValue(distance?.floor)),
      ("wasserstein_lower_bound", JSONValue(distance?.lowerBound)),
      ("critic_bounds", .object(bounds)), ("targets", .array(targets)),
    ]
  }
}

extension ModeCoverage {
  /// `8 of 8`, or which of them get too little.
  var text: String {
    if covered < modes { return "\(covered) of \(modes): MODES ARE MISSING" }
    if filled < modes { return "\(covered) of \(modes), \(modes - filled) below a fifth of their share" }
    return "\(covered) of \(modes)"
  }
}
