import Diagnostics
import YAML

/// What a run tells on its way: `report`.
public struct ReportSection: Sendable, Hashable {
  /// Between lines of metrics; nil: an epoch, of a generator and a critic a twentieth of the run.
  public var every: TrainingInterval?
  /// Whether `report.html` and pictures of samples are written.
  public var plots: Bool
  /// Images in a picture of samples.
  public var samples: Int

  public init(
    every: TrainingInterval? = nil, plots: Bool = true, samples: Int = Self.defaultSamples
  ) {
    self.every = every
    self.plots = plots
    self.samples = samples
  }

  public static let defaultSamples = 64

  static let every = Argument<TrainingInterval>.optional(
    "every", "How often a line of metrics is written (an epoch; of a generator and a critic a "
      + "twentieth of the run).")
  static let plots = Argument<Bool>(
    "plots", "Whether `report.html` and pictures of samples are written.", default: true)
  static let samples = Argument<Int>(
    "samples", "Images in a picture of what a generator makes.", default: defaultSamples,
    in: ArgumentRange(lower: 1, upper: 1024))

  static let keys: [any ArgumentDeclaration] = [every, plots, samples]

  /// - Parameter isAdversarial: whether there are samples to draw.
  static func decode(
    _ entry: Entry, isAdversarial: Bool, into diagnostics: inout [Diagnostic]
  ) -> ReportSection? {
    decodeArguments(
      isAdversarial ? keys : [every, plots], of: entry.key, node: entry.value,
      named: entry.keySpan, into: &diagnostics
    ).map {
      ReportSection(
        every: $0[optional: every], plots: $0[plots],
        samples: isAdversarial ? $0[samples] : defaultSamples)
    }
  }

  func yamlText(isAdversarial: Bool) -> String {
    var pairs = every.map { ["every: \($0.yamlText)"] } ?? []
    pairs.append("plots: \(plots)")
    if isAdversarial { pairs.append("samples: \(samples)") }
    return "{\(pairs.joined(separator: ", "))}"
  }
}
