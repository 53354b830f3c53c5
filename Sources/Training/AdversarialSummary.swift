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
      if let asAsked = coverage.asAsked {
        rows.append(("as asked", "\(fixed(asAsked * 100, 1)) % of them of the mode asked for"))
      }
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
    if let images, let measure { rows += measure.rows(images) }
    for report in criticBounds {
      let text =
        report.upper.isFinite ? report.upper.text(significant: 8) : "no finite bound is proved"
      rows.append(("critic \(report.norm.rawValue)", text))
    }
    if let failure { rows.append(("note", failure)) }
    return summary(name: name, unit: "generator steps", rows)
  }

  /// The share of samples near a mode that must be near that of their class.
  private static var leastAsAsked: Double { 0.9 }

  /// Why the samples are no use, in plain words; nil where modes and distance are as they should
  /// be: all modes covered, W1 below twice the floor, and classes as asked for.
  var failure: String? {
    var parts: [String] = []
    if let coverage, coverage.covered < coverage.modes {
      parts.append("\(coverage.covered) of \(coverage.modes) modes are covered")
    } else if let coverage, coverage.filled < coverage.modes {
      parts.append("\(coverage.modes - coverage.filled) of \(coverage.modes) modes are nearly empty")
    }
    if let distance, distance.floor > 0, distance.generated >= 2 * distance.floor {
      parts.append("W1 is \(decimal(distance.generated / distance.floor, 2)) times the floor")
    }
    if let asAsked = coverage?.asAsked, asAsked < Self.leastAsAsked {
      parts.append("\(fixed(asAsked * 100, 1)) % of samples near a mode are of the one asked for")
    }
    if parts.isEmpty { return nil }
    if let bound = criticBounds.first(where: { $0.norm == .l2 })?.upper, bound.isFinite {
      parts.append(
        "the critic's bound is \(bound.text(significant: 4))"
          + (isCriticHeld ? "" : ", and no constraint holds it"))
    }
    return "the generator failed: " + parts.joined(separator: "; ")
  }

  public var measured: [(key: String, value: JSONValue)] {
    let bounds = criticBounds.map { (key: $0.norm.rawValue, value: JSONValue($0.upper.finite)) }
    return [
      ("modes_covered", coverage.map { .int($0.covered) } ?? .null),
      ("modes_filled", coverage.map { .int($0.filled) } ?? .null),
      ("modes", coverage.map { .int($0.modes) } ?? .null),
      ("high_quality", JSONValue(coverage?.highQuality)),
      ("as_asked", JSONValue(coverage?.asAsked)),
      ("wasserstein", JSONValue(distance?.generated)),
      ("wasserstein_floor", JSONValue(distance?.floor)),
      ("wasserstein_lower_bound", JSONValue(distance?.lowerBound)),
      ("images", measure.flatMap { measure in images.map { measure.json($0) } } ?? .null),
      ("critic_bounds", .object(bounds)), ("failure", JSONValue(failure)),
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

extension Network {
  /// Whether a constraint holds every layer that could hold one.
  var isHeld: Bool {
    nodes.allSatisfy { node in
      !node.weights.contains(where: \.isConstrained) || node.isHeld
    }
  }
}
