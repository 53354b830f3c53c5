import Diagnostics
import YAML

/// How the learning rate changes over a run: `schedule:` of an optimizer.
///
/// The factor on the base rate at step t (from 0) of T, W the end of the warm-up and S the start of
/// the decay, p = (t − S)/(T − S) within [0, 1], f = `final`:
///
///     t < W         (t + 1)/W
///     constant      1
///     linear        1 − (1 − f)·p
///     cosine        f + (1 − f)·(1 + cos πp)/2
///     step          factor to the power of how many milestones are ≤ t
public struct LearningRateSchedule: Sendable, Hashable {
  public enum Decay: String, Sendable, CaseIterable, ArgumentValue {
    case constant, cosine, linear, step
  }
  public var decay: Decay
  /// Until then the rate rises from near zero.
  public var warmup: TrainingMoment
  /// Until then the rate stays at its base; never before the end of the warm-up.
  public var start: TrainingMoment
  /// Where `linear` and `cosine` end, as a factor.
  public var final: Double
  public var milestones: [TrainingMoment]
  /// Of `step`, at each milestone.
  public var factor: Double

  public init(
    _ decay: Decay, warmup: TrainingMoment = .steps(0), start: TrainingMoment? = nil,
    final: Double = 0, milestones: [TrainingMoment] = [], factor: Double = Self.defaultFactor
  ) {
    self.decay = decay
    self.warmup = warmup
    self.start = start ?? warmup
    self.final = final
    self.milestones = milestones
    self.factor = factor
  }

  public static let defaultFactor = 0.1
  public static let constant = LearningRateSchedule(.constant)
  public static let cosine = LearningRateSchedule(.cosine)
  public static let linear = LearningRateSchedule(.linear)

  /// Whether a step's rate is a matter of how many follow.
  public var dependsOnLength: Bool {
    switch decay {
    case .cosine, .linear: return true
    case .constant, .step:
      return ([warmup] + milestones).contains { if case .share = $0 { true } else { false } }
    }
  }
}

/// A moment of a run: after so many steps, or after a share of them.
public enum TrainingMoment: Sendable, Hashable, ArgumentValue {
  case steps(Int)
  case share(Double)

  /// As a number of steps of a run of `total`.
  public func step(of total: Int) -> Int {
    switch self {
    case .steps(let steps): steps
    case .share(let share): Int((share * Double(total)).rounded())
    }
  }

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> TrainingMoment? {
    if let steps = node.int {
      if steps >= 0 { return .steps(steps) }
    } else if let share = node.double, share > 0, share < 1 {
      return .share(share)
    }
    diagnostics.append(
      node.double == nil
        ? .expected(expectation(range: range), found: node)
        : .outOfRange(expectation(range: range), found: node))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a whole number of steps ≥ 0, or a share of all of them between 0 and 1"
  }
  public var yamlText: String {
    switch self {
    case .steps(let steps): steps.yamlText
    case .share(let share): share.yamlText
    }
  }
}

extension LearningRateSchedule: ArgumentValue {
  static let type = Argument<Decay>("type", "How it falls.", default: .constant)
  static let warmup = Argument<TrainingMoment>(
    "warmup", "Until then the rate rises evenly from near zero.", default: .steps(0))
  static let start = Argument<TrainingMoment>.optional(
    "start", "Until then the rate stays; the end of the warm-up by default.")
  static let final = Argument<Double>.optional(
    "final", "Where it ends, as a factor on `lr` (0).", in: .unit)
  static let milestones = Argument<[TrainingMoment]>.optional(
    "milestones", "Moments of `step` at which the rate is multiplied by `factor`.")
  static let factor = Argument<Double>.optional(
    "factor", "What `step` multiplies by at each milestone (0.1).", in: .positive)
  static let keys: [any ArgumentDeclaration] = [type, warmup, start, final, milestones, factor]

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> LearningRateSchedule? {
    guard node.mapping != nil else {
      return Decay.decode(node, range: nil, into: &diagnostics).flatMap {
        $0 == .step ? missingMilestones(node.span, &diagnostics) : LearningRateSchedule($0)
      }
    }
    guard
      let arguments = decodeArguments(
        keys, of: "schedule", node: node, named: node.startSpan, into: &diagnostics)
    else { return nil }
    let decay = arguments[type]
    let allowed =
      switch decay {
      case .constant: ["type", "warmup"]
      case .cosine, .linear: ["type", "warmup", "start", "final"]
      case .step: ["type", "warmup", "milestones", "factor"]
      }
    if let entry = node.mapping?.first(where: { !allowed.contains($0.key) && !$0.key.isFreeKey }) {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`\(entry.key)` means nothing in a schedule that is `\(decay.rawValue)`",
          at: entry.keySpan, help: "its keys: " + listed(allowed)))
      return nil
    }
    let milestones = arguments[optional: milestones] ?? []
    if decay == .step, milestones.isEmpty {
      return missingMilestones(node.startSpan, &diagnostics)
    }
    return LearningRateSchedule(
      decay, warmup: arguments[warmup], start: arguments[optional: start],
      final: arguments[optional: final] ?? 0, milestones: milestones,
      factor: arguments[optional: factor] ?? defaultFactor)
  }

  private static func missingMilestones(
    _ span: Span, _ diagnostics: inout [Diagnostic]
  ) -> LearningRateSchedule? {
    diagnostics.append(
      Diagnostic(
        .missingKey, "`step` does not say at which moments the rate falls", at: span,
        help: "write `schedule: {type: step, milestones: [0.5, 0.75], factor: 0.1}`"))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    Decay.expectation(range: nil) + ", or a mapping with `type` and its keys"
  }

  public var yamlText: String {
    var pairs = ["type: \(decay.rawValue)", "warmup: \(warmup.yamlText)"]
    switch decay {
    case .constant: break
    case .cosine, .linear:
      pairs += ["start: \(start.yamlText)", "final: \(final.yamlText)"]
    case .step:
      pairs += ["milestones: \(milestones.yamlText)", "factor: \(factor.yamlText)"]
    }
    return "{\(pairs.joined(separator: ", "))}"
  }
}
