import Diagnostics

// Where a description trains, but against the theory of its loss family.

extension Resolver {
  func theoryWarnings(_ section: AdversarialSection, critic: Network) -> [Diagnostic] {
    let constrained = critic.nodes.filter { $0.weights.contains(where: \.isConstrained) }
    let free = constrained.filter { !$0.isHeld }
    switch section.loss.control {
    case .unneeded, .range, .steepness:
      return []
    case .needed:
      guard let first = free.first else { return [] }
      return [
        Diagnostic(
          .uncontrolledCritic,
          "`\(section.family)` is unbounded below without a Lipschitz constraint on every layer "
            + "of the critic",
          at: section.span, labels: [.init(first.kindSpan, "nothing holds this layer")],
          help: "add `lipschitz: 1.0` and `constraint: {type: spectral}` to the critic, or use "
            + "`wgan_gp`")
      ]
    case .penalty:
      guard
        let mixing = critic.nodes.first(where: { node in node.mixesSamples })
      else { return [] }
      return [
        Diagnostic(
          .uncontrolledCritic,
          "`\(section.family)` penalises the critic's gradient at single samples, and "
            + "`\(mixing.kind)` makes it a function of the whole batch",
          at: mixing.kindSpan, labels: [.init(section.span, "the penalty")],
          help: "use `layer_norm`, or no normalisation, in the critic")
      ]
    }
  }
}
