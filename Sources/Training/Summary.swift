import Model
import Rounding

extension TrainingResult {
  /// The result as the user reads it, on stdout.
  public func summary(name: String) -> String {
    var lines: [(String, String)] = []
    let rate = steps > 0 ? ", \(decimal(seconds / Double(steps) * 1000, 2)) ms a step" : ""
    let verb = wasInterrupted ? "interrupted" : "trained"
    lines.append((verb, "\(steps) steps in \(decimal(seconds, 1)) s\(rate)"))
    if let testAccuracy {
      lines.append(("test accuracy", "\(fixed(testAccuracy * 100, 2)) % of \(testCount) samples"))
    }
    for report in bounds {
      let text =
        report.upper.isFinite ? report.upper.text(significant: 8) : "no finite bound is proved"
      lines.append(("\(report.norm.rawValue) bound", text))
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
}
