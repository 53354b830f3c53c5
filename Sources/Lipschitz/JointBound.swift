import Model
import Rounding

/// Proved joint bounds of one stretch; nil where a search or its proof failed.
struct JointBound {
  private let weights: NetworkWeights
  private let stretch: JointStretch
  private let matrices: [Int: JointWeight]
  private var search: JointSearch
  /// The stretch from its entry, with radii: what is proved about.
  private let maps: JointMaps

  init?(_ weights: NetworkWeights, _ stretch: JointStretch) throws(ProofError) {
    try LinearAlgebra.open()
    self.weights = weights
    self.stretch = stretch
    matrices = weights.jointWeights(stretch)
    guard let search = JointSearch(weights, stretch, matrices) else { return nil }
    self.search = search
    let count = weights.network.shape(stretch.entry).reduce(1, *)
    maps = JointMaps(
      weights, stretch, matrices: matrices, from: (stretch.entry, .identity(count)),
      withRadii: true)
  }

  /// With multipliers in closed form.
  func fast() -> (evidence: JointEvidence, multipliers: [[Double]])? {
    guard let start = search.closedForm(), let evidence = proved(start) else { return nil }
    return (evidence, start)
  }

  /// With multipliers found by search from those.
  mutating func improved(from start: [[Double]]) -> JointEvidence? {
    guard !start.isEmpty else { return nil }
    _ = search.evaluate(start, temperature: 0.05)
    // A budget in multiplications, so that the result does not depend on the machine's speed.
    let steps = Int(min(300, 6e10 / max(search.work, 1)))
    guard steps >= 4 else { return nil }
    return proved(search.descend(from: start, steps: steps))
  }

  /// The smallest square, up to a slack that grows until the proof holds, for the multipliers
  /// rounded to float32.
  func proved(_ multipliers: [[Double]]) -> JointEvidence? {
    var slack = 1e-9
    for _ in 0..<12 {
      defer { slack *= 4 }
      // A little smaller: a multiplier that rounds up could leave the feasible set.
      let rounded = multipliers.map { $0.map { Float($0 * (1 - slack)) } }
      guard rounded.allSatisfy({ $0.allSatisfy { $0 > 0x1p-120 && $0 < 0x1p120 } }) else {
        return nil
      }
      let exact = rounded.map { $0.map(Double.init) }
      guard let least = search.square(exact) else { continue }
      let square = least * (1 + slack)
      guard square > 0x1p-280, square < 0x1p280 else { return nil }
      let activations = zip(maps.activations, rounded).map {
        JointEvidence.Activation(node: $0.node, multipliers: $1)
      }
      if Self.isProved(maps, multipliers: exact, square: square, margin: 16) {
        return JointEvidence(
          entry: stretch.entry, exit: stretch.exit, activations: activations,
          // A larger square is proved too, and leaves room for a checker with other constants
          // beyond the proof's own margin.
          square: square * (1 + 1e-8))
      }
    }
    return nil
  }

  static func isProved(
    _ maps: JointMaps, multipliers: [[Double]], square: Double, margin: Double = 1
  ) -> Bool {
    JointInequality(maps, multipliers: multipliers, square: square, withRadii: true)
      .isProvedPositiveDefinite(margin: margin)
  }
}

extension JointEvidence {
  /// Whether the claim is proved of these weights (by the prover's own code).
  func isProved(_ weights: NetworkWeights) -> Bool {
    guard let stretch = weights.network.jointStretches().first(where: {
      $0.entry == entry && $0.exit == exit
    }), square > 0, square.isFinite else { return false }
    let count = weights.network.shape(entry).reduce(1, *)
    let maps = JointMaps(
      weights, stretch, matrices: weights.jointWeights(stretch),
      from: (entry, .identity(count)), withRadii: true)
    guard maps.activations.map(\.node) == activations.map(\.node),
      zip(maps.activations, activations).allSatisfy({ $0.count == $1.multipliers.count })
    else { return false }
    return JointBound.isProved(
      maps, multipliers: activations.map { $0.multipliers.map(Double.init) }, square: square)
  }
}
