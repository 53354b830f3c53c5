import Diagnostics
import Model
import Rounding

extension TrainingResult {
  /// The result as the user reads it, on stdout.
  public func summary(name: String) -> String {
    var rows: [(String, String)] = []
    if stoppedEarly { rows.append(("stopped early", "\(plannedSteps) steps were asked for")) }
    if let bestStep { rows.append(("weights of", "step \(bestStep), the best")) }
    if let testAccuracy {
      rows.append(("test accuracy", "\(fixed(testAccuracy * 100, 2)) % of \(testCount) samples"))
    } else if let loss = last?.testLoss {
      rows.append(("test loss", "\(decimal(loss, 6)) over \(testCount) samples, before storing"))
    }
    for report in bounds {
      let text =
        report.upper.isFinite
        ? report.upper.text(significant: 8)
          + (report.domain.map { " for inputs in \($0.domainText)" } ?? "")
        : "no finite bound is proved"
      rows.append(("\(report.norm.rawValue) bound", text))
    }
    return summary(name: name, unit: "steps", rows)
  }

  public var measured: [(key: String, value: JSONValue)] {
    let bounds = bounds.map { (key: $0.norm.rawValue, value: JSONValue($0.upper.finite)) }
    var early: [(key: String, value: JSONValue)] = []
    if let bestStep { early = [("best_step", .int(bestStep))] }
    if stoppedEarly { early.append(("stopped_early", .bool(true))) }
    return early + [
      ("train_loss", JSONValue(last?.loss)), ("train_accuracy", JSONValue(last?.trainAccuracy)),
      ("test_accuracy", JSONValue(testAccuracy)), ("bounds", .object(bounds)),
    ]
  }
}
