import Diagnostics
import Model
import Rounding

/// What the declared constraints prove, without data and without weights.
public struct StaticAnalysis: Sendable {
  public var networks: [NetworkAnalysis]
  public var targets: [TargetAnalysis]
  public var diagnostics: [Diagnostic]
}

public struct NetworkAnalysis: Sendable {
  public var network: Network
  /// The norm of the table.
  public var norm: Norm
  /// One per node of the network.
  public var layers: [LayerAnalysis]
  /// The bound of the whole network in each norm.
  public var total: [Norm: UpperBound]
}

public struct LayerAnalysis: Sendable {
  public var name: String
  /// In the network's norm; of a residual connection the bound of the whole block.
  public var bound: UpperBound
  public var bounds: [Norm: UpperBound]
  /// `spectral, certified rescale`
  public var heldBy: String
}

public struct TargetAnalysis: Sendable {
  public enum Verdict: Sendable, Hashable {
    case proved
    /// The declared bounds exceed the target, and certified layers reach their declared bounds.
    case refuted
    /// The declaration does not decide; training's result will.
    case undecided
    /// `report: true`: nothing is claimed.
    case reported
  }
  public var span: Span
  /// `lipschitz l2 ≤ 1`
  public var text: String
  public var verdict: Verdict
  /// `proved: 1`, `needs the trained network`
  public var explanation: String
}

/// Bounds every layer and network from what the description declares, and judges its targets.
public func analyse(_ experiment: Experiment) -> StaticAnalysis {
  var diagnostics: [Diagnostic] = []
  // A network of which nobody asks for a bound is not to be warned about what has none.
  let isClaimed = experiment.targets.contains {
    switch $0.claim {
    case .lipschitz(_, _, let bound): bound != nil
    case .certifiedAccuracy: true
    case .accuracy: false
    }
  }
  let networks = experiment.networks.map { network in
    let analysis = NetworkClaims(network)
    diagnostics += analysis.sumWarnings() + analysis.unenforcedWarnings()
    if isClaimed || analysis.declaresBounds { diagnostics += analysis.cautions() }
    if isClaimed { diagnostics += penaltyNotes(analysis, of: experiment) }
    return analysis
  }
  diagnostics += criticWarnings(experiment, networks)
  let targets = experiment.targets.map { target in
    judge(target, networks, into: &diagnostics)
  }
  return StaticAnalysis(
    networks: networks.map(\.analysis), targets: targets, diagnostics: diagnostics)
}

/// Where a bound is asked of a network that a gradient penalty alone holds.
private func penaltyNotes(
  _ analysis: NetworkClaims, of experiment: Experiment
) -> [Diagnostic] {
  guard !analysis.total(analysis.network.norm).isFinite else { return [] }
  var penalties = analysis.network.regularisers.filter(\.regulariser.penalisesInputGradients)
    .map { (kind: $0.kind, span: $0.span) }
  if let section = experiment.adversarial, case .penalty = section.loss.control,
    analysis.network.name == "critic"
  {
    penalties.append((section.family, section.span))
  }
  return penalties.map { .penaltyOnly($0.kind, at: $0.span) }
}

private func judge(
  _ target: Target, _ networks: [NetworkClaims], into diagnostics: inout [Diagnostic]
) -> TargetAnalysis {
  func result(
    _ text: String, _ verdict: TargetAnalysis.Verdict, _ explanation: String
  ) -> TargetAnalysis {
    TargetAnalysis(span: target.span, text: text, verdict: verdict, explanation: explanation)
  }
  switch target.claim {
  case .accuracy(let share):
    guard let share else { return result("accuracy", .reported, "after training") }
    return result("accuracy ≥ \(share)", .undecided, "needs the trained network")
  case .certifiedAccuracy(let norm, let radius, let share):
    let place = "at \(norm.rawValue) radius \(shortText(radius))"
    guard let share else {
      return result("certified accuracy \(place)", .reported, "after training")
    }
    return result(
      "certified accuracy \(place) ≥ \(share)", .undecided, "needs the trained network")
  case .lipschitz(let of, let norm, let bound):
    let network = networks.first { $0.network.name == of } ?? networks[0]
    let name = "lipschitz \(norm.rawValue)"
    let total = network.total(norm)
    guard let bound else {
      return result(
        name, .reported, total.isFinite
          ? total.text(significant: 5) + network.network.domainText : "needs the weights")
    }
    let text = "\(name) ≤ \(shortText(bound))"
    if total.value <= bound {
      return result(text, .proved, "proved\(network.network.domainText): \(total.text(significant: 5))")
    }
    let problem = network.problem(norm: norm, target: bound, at: target.span)
    diagnostics.append(problem)
    if problem.severity == .error {
      return result(text, .refuted, "the declared bounds give \(total.text(significant: 5))")
    }
    return result(text, .undecided, "needs the weights: `lgc bound` decides")
  }
}

/// A number of the description, as short as it can be said.
func shortText(_ number: Double) -> String {
  number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(number)"
}

// MARK: messages

extension Diagnostic {
  fileprivate static func penaltyOnly(_ kind: String, at span: Span) -> Diagnostic {
    Diagnostic(
      .penaltyOnly, "`\(kind)` is no certificate: it makes slopes small at samples, and bounds none",
      at: span, label: "nothing else holds the layers",
      help: "declare `lipschitz:` with a `constraint:`, which `check` can prove; `lgc bound` measures "
        + "what the penalty has reached")
  }
}
