import Diagnostics
import Model
import Rounding

/// A target of the description and what came of it.
public struct Judgement: Sendable {
  public let target: Target
  /// The target's claim: `accuracy ≥ 0.85`, `l2 bound ≤ 1`.
  public let claim: String
  /// What was measured or proved: `0.8812`, `0.99999998`, or why there is nothing.
  public let outcome: String
  /// nil: reported, not judged.
  public let isMet: Bool?

  /// The diagnostic of a target that is not met.
  public var diagnostic: Diagnostic? {
    guard isMet == false else { return nil }
    return Diagnostic(
      .targetNotMet, "target not met: \(claim)", at: target.span, label: "here: \(outcome)")
  }
}

/// What targets are held against.
struct Judge {
  /// Of the stored weights on the test split; nil without one.
  let scores: Scores?
  let bound: (Norm) -> UpperBound
  /// ` for inputs in [0, 1]` where the bound holds there only.
  var place = ""
  /// Of the stored weights on the test split; nil without one.
  let certified: (Norm) -> CertifiedRadii?

  func judge(_ target: Target) -> Judgement {
    switch target.claim {
    case .accuracy(let atLeast):
      return share("test accuracy", scores?.accuracy, atLeast, target)
    case .certifiedAccuracy(let norm, let radius, let atLeast):
      let share = certified(norm)?.accuracy(radius)
      let what = "certified accuracy at \(norm.rawValue) radius \(number(radius))"
      return self.share(what, share, atLeast, target)
    case .lipschitz(_, let norm, let limit):
      let bound = bound(norm)
      return Judgement(
        target: target,
        claim: limit.map { "\(norm.rawValue) bound ≤ \(number($0))" } ?? "\(norm.rawValue) bound",
        outcome: bound.isFinite
          ? bound.text(significant: 8) + place : "no finite bound is proved",
        isMet: limit.map { bound.value <= $0 })
    }
  }

  private func share(
    _ what: String, _ share: Double?, _ atLeast: Double?, _ target: Target
  ) -> Judgement {
    Judgement(
      target: target, claim: atLeast.map { "\(what) ≥ \(number($0))" } ?? what,
      outcome: share.map { fixed($0, 4) } ?? "there is no test split",
      isMet: atLeast.map { limit in share.map { $0 >= limit } ?? false })
  }
}

/// A number of the description with at most `digits` digits; whole ones without `.0`.
public func number(_ value: Double, digits: Int = 6) -> String {
  let short = Double(formatted(value, "%.\(digits)g")) ?? value
  if short == short.rounded() && abs(short) < 1e15 { return String(Int(short)) }
  return short.description
}

/// A number with `digits` decimals, rounded down: 0.99996 must not read as 1.0000.
public func fixed(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return value.description }
  let scale = (0..<digits).reduce(1) { result, _ in result * 10 }
  let units = Int((abs(value) * Double(scale)).rounded(.down))
  let sign = value < 0 ? "-" : ""
  if digits == 0 { return sign + String(units) }
  let fraction = String(units % scale)
  let zeros = String(repeating: "0", count: digits - fraction.count)
  return "\(sign)\(units / scale).\(zeros)\(fraction)"
}
