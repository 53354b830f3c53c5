import Diagnostics
import Rounding

// Which bound and which constraint hold for a layer.

extension NetworkBuilder {
  /// The bound declared for a layer and what holds its weights; nil: something was reported.
  ///
  /// A layer that says `lipschitz: unconstrained` itself also leaves the constraint that it would
  /// inherit; inherited, `unconstrained` is no more than no bound.
  mutating func layerClaim(
    _ entry: LayerEntry, name: String, weights: [WeightDeclaration], operation: LayerOperation
  ) -> (declared: DeclaredBound?, constraint: LayerConstraint?)? {
    if let problem = problem(entry, weights, operation) {
      resolver.diagnostics.append(problem)
      return nil
    }
    guard weights.contains(where: \.isConstrained) else { return (nil, nil) }
    if case .unbounded = operation { return (nil, nil) }
    let claim = LayerDefaults(lipschitz: entry.lipschitz, constraint: entry.constraint)
      .within(defaults)
    let setting = claim.constraint
    let constraint = setting.flatMap { setting in
      setting.constraint.map { LayerConstraint($0, kind: setting.kind) }
    }
    guard case .bound(let bound, let norm, let boundSpan, _) = claim.lipschitz else {
      guard let constraint, let setting else { return (nil, nil) }
      if !constraint.unit.needsBound { return (nil, constraint) }
      if claim.lipschitz == nil { unbounded.append((name, setting.span)) }
      return (nil, nil)
    }
    let declared = DeclaredBound(norm: norm ?? .l2, bound: bound, boundSpan: boundSpan)
    guard let constraint, let setting else { return (declared, nil) }
    if let problem = problem(entry, name, declared, constraint, setting, weights, operation) {
      resolver.diagnostics.append(problem)
      return nil
    }
    return (declared, constraint)
  }

  /// What is wrong with asking for a bound of this layer at all.
  private func problem(
    _ entry: LayerEntry, _ weights: [WeightDeclaration], _ operation: LayerOperation
  ) -> Diagnostic? {
    guard let span = entry.lipschitz?.span ?? entry.constraint?.span else { return nil }
    // `unconstrained` asks for nothing.
    if case .unconstrained = entry.lipschitz, entry.constraint?.constraint == nil,
      !weights.isEmpty
    {
      return nil
    }
    func conflict(_ message: String, help: String?) -> Diagnostic {
      Diagnostic(
        .conflictingKeys, message, at: span, labels: [.init(entry.kindSpan, "this layer")],
        help: help)
    }
    if weights.isEmpty {
      return conflict("`\(entry.kind)` has no weights that could be constrained", help: nil)
    }
    if let refusal = entry.layer.constraintRefusal {
      return conflict(refusal.message, help: refusal.help)
    }
    if case .unbounded(let reason) = operation {
      return conflict("no bound of `\(entry.kind)` can hold: \(reason)", help: nil)
    }
    if weights.contains(where: \.isConstrained) { return nil }
    return conflict(
      "`\(entry.kind)` has no weight matrix that a constraint could hold",
      help: "leave it out; `lgc bound` proves the layer's constant from what it has learned")
  }

  /// What is wrong with this constraint for this bound of the layer.
  private func problem(
    _ entry: LayerEntry, _ name: String, _ declared: DeclaredBound, _ constraint: LayerConstraint,
    _ setting: ConstraintSetting, _ weights: [WeightDeclaration], _ operation: LayerOperation
  ) -> Diagnostic? {
    let node = LayerNode(
      name: name, kind: entry.kind, layer: entry.layer, inputs: [], inputShapes: [],
      outputShape: [], weights: weights, operation: operation, declared: declared,
      constraint: constraint, span: entry.span, kindSpan: entry.kindSpan)
    for weight in weights where weight.isConstrained {
      guard let linear = node.heldOperator(weight) else { continue }
      if let refusal = constraint.unit.refusal(linear, norm: declared.norm) {
        return Diagnostic(
          .constraintNorm, refusal, at: setting.span,
          labels: [
            .init(declared.boundSpan, "the bound is asked for here, in \(declared.norm.rawValue)")
          ])
      }
    }
    guard let shortfall = node.shortfall else { return nil }
    return Diagnostic(
      .boundNotHeld, "\(shortfall.message) of `\(name)`", at: setting.span,
      labels: [.init(declared.boundSpan, "the bound is declared here")], help: shortfall.help)
  }

  func reportConstraintsWithoutBound() {
    for (span, layers) in Dictionary(grouping: unbounded, by: \.constraint)
    where !resolver.hasEnoughErrors {
      let names = layers.map(\.name)
      let shown = names.count <= 4 ? listed(names) : "\(listed(Array(names.prefix(3)))), …"
      resolver.diagnostics.append(
        Diagnostic(
          .missingKey, "the constraint has no bound to hold for \(shown)", at: span,
          help: "add `lipschitz: 1.0` to `model`, or `lipschitz: unconstrained` to the layer"))
    }
  }
}

extension LayerNode {
  /// Why the constraint can never keep the declared bound.
  fileprivate var shortfall: Refusal? {
    guard let declared, let constraint else { return nil }
    switch operation {
    case .linear(let linear):
      return constraint.unit.shortfall(of: linear, norm: declared.norm, bound: declared.bound)
    case .stored:
      let proved = boundOfHeldMatrices(declared.norm)
      guard !constraint.unit.isCertifiedAfterTraining, proved.isFinite,
        proved.value > declared.bound
      else { return nil }
      return Refusal(
        "`\(constraint.kind)` proves \(proved.text(significant: 4)) in \(declared.norm.rawValue), "
          + "above the declared bound \(declared.bound.yamlText)",
        help: "without `lipschitz:` the bound is what `\(constraint.kind)` proves")
    default: return nil
    }
  }
}
