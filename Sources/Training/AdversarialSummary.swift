import Diagnostics
import Model
import Rounding

extension AdversarialResult {
  /// The result as the user reads it, on stdout.
  public func summary(name: String) -> String {
    var rows: [(String, String)] = []
    if let coverage {
      rows.append(("modes", coverage.text))
      rows.append(
        ("high quality", "\(fixed(coverage.highQuality * 100, 1)) % of samples within 3σ of a mode"))
    }
    if let distance {
      let floor = distance.floor > 0 ? ", real against real \(decimal(distance.floor, 4))" : ""
      rows.append(
        (
          "W1",
          "\(decimal(distance.generated, 4)) generated against real\(floor), "
            + "\(distance.count) samples, mean of \(distance.rounds)"
        ))
      if let bound = distance.lowerBound {
        rows.append(("", "at least \(fixed(max(bound, 0), 4)) by the critic, gap over bound"))
      }
    }
    for report in criticBounds {
      let text =
        report.upper.isFinite ? report.upper.text(significant: 8) : "no finite bound is proved"
      rows.append(("critic \(report.norm.rawValue)", text))
    }
    return summary(name: name, unit: "generator steps", rows)
  }

  public var measured: [(key: String, value: JSONValue)] {
    let bounds = criticBounds.map { (key: $0.norm.rawValue, value: JSONValue($0.upper.finite)) }
    return [
      ("modes_covered", coverage.map { .int($0.covered) } ?? .null),
      ("modes_filled", coverage.map { .int($0.filled) } ?? .null),
      ("modes", coverage.map { .int($0.modes) } ?? .null),
      ("high_quality", JSONValue(coverage?.highQuality)),
      ("wasserstein", JSONValue(distance?.generated)),
      ("wasserstein_floor", JSONValue(distance?.floor)),
      ("wasserstein_lower_bound", JSONValue(distance?.lowerBound)),
      ("critic_bounds", .object(bounds)),
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
