import Diagnostics
import Model
import Rounding

/// One network with what is known of each layer in each norm.
struct NetworkClaims {
  let network: Network
  /// By node index. The claim of a node that closes a block is that of the block.
  private let claims: [Norm: [LayerClaim]]
  private let totals: [Norm: UpperBound]
  private let blocks: [Norm: [(body: UpperBound, shortcut: UpperBound, sum: UpperBound)]]
  /// The residual block that a node closes, by node index.
  private let blockClosedBy: [Int: Int]
  /// The bound of every node's value, from the network's input.
  private let values: [Norm: [UpperBound]]

  init(_ network: Network) {
    self.network = network
    var blockClosedBy: [Int: Int] = [:]
    for (block, residual) in network.blocks.enumerated() {
      if case .node(let index) = residual.merge { blockClosedBy[index] = block }
    }
    self.blockClosedBy = blockClosedBy
    var claims: [Norm: [LayerClaim]] = [:]
    var totals: [Norm: UpperBound] = [:]
    var values: [Norm: [UpperBound]] = [:]
    var blocks: [Norm: [(body: UpperBound, shortcut: UpperBound, sum: UpperBound)]] = [:]
    for norm in Norm.allCases {
      var known: [WrittenPlace: LayerClaim] = [:]
      var layers = network.nodes.map { node in
        let place = WrittenPlace(node)
        if let claim = known[place] { return claim }
        let claim = LayerClaim(node, norm: norm)
        known[place] = claim
        return claim
      }
      let own = layers.map(\.bound)
      let composition = compose(network, norm: norm) { own[$0] }
      blocks[norm] = network.blocks.map { block in
        let bounds: (body: UpperBound, shortcut: UpperBound, sum: UpperBound) =
          block.bounds(in: network, norm: norm) { own[$0] }
        if case .node(let index) = block.merge {
          layers[index] = LayerClaim(bound: bounds.sum, heldBy: block.formula)
        }
        return bounds
      }
      for branching in network.branchings {
        guard case .node(let index) = branching.merge else { continue }
        let bounds = branching.bounds(in: network, norm: norm) { own[$0] }
        layers[index] = LayerClaim(
          bound: bounds.whole, heldBy: network.joining(index, bounds.branches, norm: norm))
      }
      claims[norm] = layers
      totals[norm] = composition.total
      values[norm] = composition.values
    }
    self.claims = claims
    self.totals = totals
    self.values = values
    self.blocks = blocks
  }

  func total(_ norm: Norm) -> UpperBound { totals[norm]! }

  var analysis: NetworkAnalysis {
    let layers = network.nodes.indices.map { index in
      LayerAnalysis(
        name: network.nodes[index].name, bound: claims[network.norm]![index].bound,
        bounds: claims.mapValues { $0[index].bound },
        heldBy: claims[network.norm]![index].heldBy)
    }
    return NetworkAnalysis(network: network, norm: network.norm, layers: layers, total: totals)
  }

  // MARK: warnings

  /// One per residual sum in the text; a repeated block is said once.
  func sumWarnings() -> [Diagnostic] {
    var seen: [Span: Int] = [:]
    var repeated: Set<Int> = []
    var warnings: [Diagnostic] = []
    for (block, bounds) in zip(network.blocks, blocks[network.norm]!) where block.mode == .sum {
      if let index = seen[block.span] {
        if repeated.insert(index).inserted {
          warnings[index].notes.append("the same holds for every repetition of the block")
        }
        continue
      }
      seen[block.span] = warnings.count
      warnings.append(.residualSum(block, bounds, norm: network.norm))
    }
    return warnings
  }

  /// Layers whose declared bound nothing enforces, by the place that declares it.
  func unenforcedWarnings() -> [Diagnostic] {
    /// Where a bound is declared, and for what.
    struct Place: Hashable {
      let span: Span
      let constraint: String?
    }
    var names: [(span: Span, bound: Double, constraint: String?, layers: [String])] = []
    var places: [Place: Int] = [:]
    for node in network.nodes {
      guard let declared = node.declared, !node.isHeld, node.weightSource == nil else { continue }
      let place = Place(span: declared.boundSpan, constraint: node.constraint?.kind)
      if let index = places[place] {
        names[index].layers.append(node.name)
      } else {
        places[place] = names.count
        names.append((place.span, declared.bound, place.constraint, [node.name]))
      }
    }
    return names.map {
      .noConstraint(bound: $0.bound, constraint: $0.constraint, layers: $0.layers, at: $0.span)
    }
  }

  /// What the layers and constraints themselves warn of; a repeated layer is said once.
  func cautions() -> [Diagnostic] {
    var seen: Set<String> = []
    var warnings: [Diagnostic] = []
    for node in network.nodes {
      var cautions = node.layer.cautions(
        name: node.name, node.inputShapes, norm: network.norm,
        isHeld: node.isHeld)
      if let constraint = node.constraint, case .linear(let linear) = node.operation {
        cautions += constraint.unit.cautions(name: node.name, linear)
      }
      for caution in cautions
      where seen.insert("\(caution.code.number) \(node.kindSpan.start)").inserted {
        warnings.append(
          Diagnostic(caution.code, caution.message, at: node.kindSpan, help: caution.help))
      }
    }
    return warnings
  }

  /// Whether the description declares a bound of some layer.
  var declaresBounds: Bool { network.nodes.contains { $0.declared != nil } }

  // MARK: a target that is not proved

  /// An error where the declaration decides against the target, else a warning that it does not
  /// decide.
  func problem(norm: Norm, target: Double, at span: Span) -> Diagnostic {
    let claims = claims[norm]!
    let open = claims.indices.filter { !claims[$0].bound.isFinite && !isJoin($0) }
    if !open.isEmpty {
      let never = open.filter { claims[$0].isUnbounded }
      return unprovable(
        norm, never.isEmpty ? open : never, claims, at: span,
        severity: never.isEmpty ? .warning : .error)
    }
    let isFromOtherNorm = claims.contains(where: \.isFromOtherNorm)
    let message =
      "the declared bounds give \(total(norm).text(significant: 5)) in \(norm.rawValue), "
      + "above the target \(shortText(target))"
    if isFromOtherNorm {
      return Diagnostic(
        .unprovable, message, at: span, severity: .warning,
        label: "not decided before training", labels: culprits(norm),
        notes: ["the layers' bounds are declared in another norm; `lgc bound` measures this one"],
        help: "declare the layers' bounds in \(norm.rawValue) to have it proved")
    }
    return Diagnostic(
      .targetRefuted, message, at: span, labels: culprits(norm), help: repair(norm, target))
  }

  /// A factor that brings the whole network to the target, where it can stand at the end.
  private func repair(_ norm: Norm, _ target: Double) -> String {
    let total = total(norm)
    let lower = "lower the bounds that are marked"
    guard network.output == .node(network.nodes.count - 1), total.isFinite,
      network.nodes.last?.kind != Concatenation.kind
    else { return lower }
    let text = LowerBound(proved: Directed.quotientDown(target, total.value))
      .text(significant: 4)
    guard let factor = Double(text), factor > 0,
      (UpperBound(proved: factor) * total).value <= target
    else { return lower }
    return "\(lower), or end with `- scale: \(text)`"
  }

  /// Whether the node only joins several values, so that its bound is due to theirs.
  private func isJoin(_ index: Int) -> Bool {
    switch network.nodes[index].operation {
    case .weightedSum: true
    case .known(.one): network.nodes[index].inputs.count > 1
    default: false
    }
  }

  private func unprovable(
    _ norm: Norm, _ open: [Int], _ claims: [LayerClaim], at span: Span,
    severity: Diagnostic.Severity
  ) -> Diagnostic {
    let nodes = open.map { network.nodes[$0] }
    let more = nodes.count == 1 ? "" : " (and of \(nodes.count - 1) more)"
    var labels: [Diagnostic.Label] = [.init(span, "asked for here")]
    var seen: Set<Span> = [nodes[0].kindSpan]
    for node in nodes.dropFirst() where seen.insert(node.kindSpan).inserted && seen.count <= 4 {
      labels.append(.init(node.kindSpan, "and nothing bounds `\(node.name)`"))
    }
    return Diagnostic(
      .unprovable, "no finite bound of `\(nodes[0].name)`\(more) is known in \(norm.rawValue)",
      at: nodes[0].kindSpan, severity: severity,
      label: claims[open[0]].isUnbounded
        ? claims[open[0]].heldBy : "held by: \(claims[open[0]].heldBy)",
      labels: labels, help: repair(nodes[0], claims[open[0]]))
  }

  /// What gives a layer a bound that is known before training.
  private func repair(_ node: LayerNode, _ claim: LayerClaim) -> String {
    if claim.isUnbounded { return "use a layer that has a bound, or leave the target out" }
    if !node.readWeights.contains(where: \.isConstrained) {
      return "no constraint holds `\(node.kind)`: `lgc bound` proves it from the trained weights"
    }
    if node.isHeld, node.declared != nil {
      return "`lgc bound` proves it from the trained weights"
    }
    return "give it `lipschitz:` and a `constraint:` that is certified after training"
  }

  /// The places that lift the bound: whatever expands, or, where nothing does, the largest bounds
  /// below 1 (a target smaller than their product).
  private func culprits(_ norm: Norm) -> [Diagnostic.Label] {
    let claims = claims[norm]!
    func labels(_ isCulprit: (Int) -> Bool) -> [Diagnostic.Label] {
      var places: [(span: Span, message: String, names: [String])] = []
      for index in claims.indices where isCulprit(index) {
        let node = network.nodes[index]
        let span = node.declared?.boundSpan ?? node.kindSpan
        if let known = places.firstIndex(where: { $0.span == span }) {
          if places[known].names.count <= 4 { places[known].names.append(node.name) }
        } else if places.count < 5 {
          places.append((span, reason(index, claims[index], norm: norm), [node.name]))
        }
      }
      return places.map { place in
        let shown = place.names.prefix(4).map { "`\($0)`" }.joined(separator: ", ")
        let rest = place.names.count > 4 ? ", …" : ""
        return Diagnostic.Label(place.span, "\(shown)\(rest): \(place.message)")
      }
    }
    let expanding = labels { index in
      // A convex block above 1 is so because of its layers, which are labelled themselves.
      if blockClosedBy[index] != nil { return claims[index].bound.value > 1 && isPlainSum(index) }
      return isJoin(index) ? joinExpands(index, norm) : claims[index].bound.value > 1
    }
    if !expanding.isEmpty { return expanding }
    let largest = claims.indices.filter { network.nodes[$0].declared != nil }
      .map { claims[$0].bound }.max()
    return labels { network.nodes[$0].declared != nil && claims[$0].bound == largest }
  }

  private func isPlainSum(_ index: Int) -> Bool {
    blockClosedBy[index].map { network.blocks[$0].mode == .sum } ?? false
  }

  /// Whether a join's value has a larger bound than each value that it reads.
  private func joinExpands(_ index: Int, _ norm: Norm) -> Bool {
    values[norm]![index] > operandBounds(index, norm).max() ?? .zero
  }

  private func operandBounds(_ index: Int, _ norm: Norm) -> [UpperBound] {
    network.nodes[index].inputs.map { input in
      if case .node(let operand) = input { values[norm]![operand] } else { .one }
    }
  }

  /// Why a layer's bound is what it is, in a few words.
  private func reason(_ index: Int, _ claim: LayerClaim, norm: Norm) -> String {
    if let block = blockClosedBy[index] {
      return network.blocks[block].arithmetic(blocks[norm]![block])
    }
    if isJoin(index) {
      let whole = values[norm]![index].text(significant: 5)
      return "\(network.joining(index, operandBounds(index, norm), norm: norm)) = \(whole)"
    }
    let bound = claim.bound.text(significant: 5)
    let node = network.nodes[index]
    guard let declared = node.declared else { return "expands by \(bound)" }
    if node.constraint?.unit.isCertifiedAfterTraining != true { return "\(bound): \(claim.heldBy)" }
    if claim.isFromOtherNorm { return "\(bound) = \(claim.heldBy)" }
    return "declared \(claim.bound.value == declared.bound ? shortText(declared.bound) : bound)"
  }
}

/// Where a layer is written and what it reads: the rounds of a `repeat` have the same claims, and
/// those of a recurrent layer take a while.
private struct WrittenPlace: Hashable {
  let kindSpan: Span
  let span: Span
  let kind: String
  let inputShapes: [[Int]]
  let hasWeights: Bool
  let bound: Double?

  init(_ node: LayerNode) {
    kindSpan = node.kindSpan
    span = node.span
    kind = node.kind
    inputShapes = node.inputShapes
    hasWeights = !node.weights.isEmpty
    bound = node.declared?.bound
  }
}

// MARK: messages

extension Network {
  /// `0.5·1 + 2·L`, `√(1² + 0.5²)`, `max(1, 0.5)`: how the bounds of the values that a node joins
  /// make its own; L for one that is not known.
  fileprivate func joining(_ index: Int, _ bounds: [UpperBound], norm: Norm) -> String {
    func text(_ bound: UpperBound) -> String { bound.isFinite ? bound.text(significant: 4) : "L" }
    var parts = bounds.map(text)
    if case .weightedSum(let coefficients) = nodes[index].operation {
      parts = zip(coefficients, parts).map { coefficient, part in
        coefficient.magnitude == 1
          ? part : "\(UpperBound(proved: coefficient.magnitude).text(significant: 4))·\(part)"
      }
    }
    let shown = parts.count <= 5 ? parts : parts.prefix(4) + ["…"]
    let isSum = if case .weightedSum = nodes[index].operation { true } else { false }
    switch norm {
    case _ where isSum || norm == .l1: return shown.joined(separator: " + ")
    case .linf: return "max(\(shown.joined(separator: ", ")))"
    default: return "√(\(shown.map { "\($0)²" }.joined(separator: " + ")))"
    }
  }
}

extension ResidualBlock {
  /// `1 + 0.5·L of its layers`
  var formula: String {
    let w = shortText(abs(weight))
    switch mode {
    case .sum: return "\(skip) + \(w)·L of its layers"
    case .convex: return "\(shortText(1 - weight))\(skip == "1" ? "" : "·S") + \(w)·L of its layers"
    }
  }

  /// The shortcut's constant as a word: 1, or S where it has layers.
  private var skip: String { shortcut == entry ? "1" : "S" }

  /// `1 + 0.5·1 = 1.5`
  func arithmetic(
    _ bounds: (body: UpperBound, shortcut: UpperBound, sum: UpperBound)
  ) -> String {
    func text(_ bound: UpperBound, _ letter: String) -> String {
      bound.isFinite ? bound.text(significant: 5) : letter
    }
    let left = "\(text(bounds.shortcut, "S")) + \(shortText(abs(weight)))·\(text(bounds.body, "L"))"
    return bounds.sum.isFinite ? "\(left) = \(bounds.sum.text(significant: 5))" : left
  }
}

extension Diagnostic {
  fileprivate static func residualSum(
    _ block: ResidualBlock, _ bounds: (body: UpperBound, shortcut: UpperBound, sum: UpperBound),
    norm: Norm
  ) -> Diagnostic {
    let product = bounds.body.isFinite ? bounds.body.text(significant: 5) : "L"
    return Diagnostic(
      .residualSum,
      "the bound of `\(block.name)` is \(block.arithmetic(bounds)) in \(norm.rawValue), not the "
        + "product \(product) of its layers' bounds",
      at: block.span, label: "x + w·f(x) has the bound 1 + |w|·L",
      notes: bounds.body.isFinite
        ? [
          "certified rescale divides the weights of f and leaves x as it is: the layers reach their "
            + "bounds, the sum keeps its own"
        ] : [],
      help: "`convex` has the bound (1 − w) + w·L, which is at most 1 where L is")
  }

  fileprivate static func noConstraint(
    bound: Double, constraint: String?, layers: [String], at span: Span
  ) -> Diagnostic {
    let shown = layers.prefix(4).map { "`\($0)`" }.joined(separator: ", ")
    return Diagnostic(
      .noConstraint,
      "\(constraint.map { "`\($0)` does not enforce" } ?? "nothing enforces") the bound "
        + "\(shortText(bound)) of \(shown)\(layers.count > 4 ? ", …" : "")",
      at: span, label: "declared here",
      help: constraint == nil
        ? "add a `constraint:`, or write `lipschitz: unconstrained`"
        : "use a constraint that is certified after training, as `spectral`, or leave `lipschitz` "
          + "out: `lgc bound` proves what the trained weights keep")
  }
}
