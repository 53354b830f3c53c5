import Diagnostics
import Rounding
import Tensors

/// ModelSection → Network: infers shapes, expands blocks and repeats, gives every layer the bound
/// and constraint that hold for it.
///
/// A layer that cannot take its input ends its chain, so one wrong shape gives one error.
struct NetworkBuilder {
  private let model: ModelSection
  private let name: String
  private let scope: String
  private let resolver: Resolver
  private var nodes: [LayerNode] = []
  private var blocks: [ResidualBlock] = []
  private var places: [String: Span] = [:]
  /// Layers that inherit a constraint without a bound for it, and the constraint's place.
  private var unbounded: [(name: String, constraint: Span)] = []

  /// More nodes than this are a mistake in a `repeat`.
  static let largestNodeCount = 100_000

  /// - Parameter scope: what the names of the network's tensors begin with.
  init(_ model: ModelSection, name: String, scope: String = "", diagnostics resolver: Resolver) {
    self.model = model
    self.name = name
    self.scope = scope
    self.resolver = resolver
  }

  consuming func build() -> Network? {
    let output = append(model.layers, to: .input, prefix: "")
    reportConstraintsWithoutBound()
    guard let output else { return nil }
    return Network(
      name: name, inputShape: model.input, norm: model.lipschitz?.norm ?? .l2, nodes: nodes,
      output: output, blocks: blocks, span: model.span, noise: model.noise)
  }

  private func shape(_ value: NetworkValue) -> Shape {
    switch value {
    case .input: model.input
    case .node(let index): nodes[index].outputShape
    }
  }

  /// nil: something in the list was reported.
  private mutating func append(
    _ items: [LayerItem], to input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    var value = input
    for item in items {
      let next: NetworkValue?
      switch item {
      case .layer(let entry): next = append(entry, to: value, prefix: prefix)
      case .residual(let entry): next = append(entry, to: value, prefix: prefix)
      case .repetition(let entry): next = append(entry, to: value, prefix: prefix)
      case .invalid: next = nil
      }
      guard let next else { return nil }
      value = next
    }
    return value
  }

  // MARK: layers

  private mutating func append(
    _ entry: LayerEntry, to input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    let name = prefix + entry.name
    let inputShape = shape(input)
    let output: Shape
    do throws(ShapeProblem) {
      output = try entry.layer.outputShape([inputShape])
    } catch {
      report(error, entry, input: input)
      return nil
    }
    guard output.checkedElementCount != nil else {
      resolver.diagnostics.append(
        .tensorTooLarge("the output of `\(name)`", output, at: sizeSpan(entry)))
      return nil
    }
    let weights = entry.layer.weights([inputShape])
    for weight in weights where weight.shape.checkedElementCount == nil {
      resolver.diagnostics.append(
        .tensorTooLarge("the tensor `\(name).\(weight.name)`", weight.shape, at: sizeSpan(entry)))
      return nil
    }
    let operation = entry.layer.operation([inputShape])
    guard claim(name, at: entry.kindSpan) else { return nil }
    guard let claim = layerClaim(entry, name: name, weights: weights, operation: operation)
    else { return nil }
    nodes.append(
      LayerNode(
        name: name, kind: entry.kind, layer: entry.layer, inputs: [input],
        inputShapes: [inputShape], outputShape: output, weights: weights, operation: operation,
        declared: claim.declared, constraint: claim.constraint, span: entry.span,
        kindSpan: entry.kindSpan, scope: scope))
    let body = NetworkValue.node(nodes.count - 1)
    guard let residual = entry.residual else { return body }
    guard output == inputShape else {
      resolver.diagnostics.append(
        .shapeNotPreserved(
          name, from: inputShape, to: output, at: residual.span, layer: entry.kindSpan))
      return nil
    }
    return merge(
      residual, name: name + ".residual", entry: input, body: body, shortcut: input,
      span: residual.span)
  }

  /// Where a layer that became too large is wrong: its first size, else its kind.
  private func sizeSpan(_ entry: LayerEntry) -> Span {
    entry.type.arguments.lazy.compactMap { entry.arguments.spans[$0.name] }.first ?? entry.kindSpan
  }

  /// A full name is used once, also across blocks; and blocks and repeats stay within reason.
  private mutating func claim(_ name: String, at span: Span) -> Bool {
    if let first = places[name] {
      resolver.diagnostics.append(.duplicateName(name, at: span, first: first))
      return false
    }
    places[name] = span
    guard nodes.count < Self.largestNodeCount else {
      resolver.diagnostics.append(
        Diagnostic(
          .tensorTooLarge, "the network has more than \(Self.largestNodeCount) layers", at: span))
      return false
    }
    return true
  }

  // MARK: residual blocks and repeats

  private mutating func append(
    _ entry: ResidualEntry, to input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    let name = prefix + entry.name
    guard let body = append(entry.body, to: input, prefix: name + ".") else { return nil }
    var shortcut = input
    if let items = entry.shortcut {
      guard let value = append(items, to: input, prefix: name + ".shortcut.") else { return nil }
      shortcut = value
    }
    guard shape(body) == shape(shortcut) else {
      resolver.diagnostics.append(
        .blockShapes(
          name, body: shape(body), shortcut: shape(shortcut), at: entry.kindSpan,
          hasShortcut: entry.shortcut != nil, last: lastPlace(body)))
      return nil
    }
    return merge(
      entry.setting, name: name, entry: input, body: body, shortcut: shortcut,
      span: entry.kindSpan)
  }

  private func lastPlace(_ value: NetworkValue) -> Span? {
    if case .node(let index) = value { nodes[index].kindSpan } else { nil }
  }

  private mutating func merge(
    _ setting: ResidualSetting, name: String, entry: NetworkValue, body: NetworkValue,
    shortcut: NetworkValue, span: Span
  ) -> NetworkValue? {
    guard claim(name, at: span) else { return nil }
    let sum = WeightedSum(coefficients: setting.mode.coefficients(setting.weight))
    let shapes = [shape(shortcut), shape(body)]
    nodes.append(
      LayerNode(
        name: name, kind: WeightedSum.kind, layer: sum, inputs: [shortcut, body],
        inputShapes: shapes, outputShape: shapes[0], weights: [], operation: sum.operation(shapes),
        declared: nil, span: span, kindSpan: span))
    let output = NetworkValue.node(nodes.count - 1)
    blocks.append(
      ResidualBlock(
        name: name, mode: setting.mode, weight: setting.weight, entry: entry, body: body,
        shortcut: shortcut, merge: output, span: span))
    return output
  }

  private mutating func append(
    _ entry: RepetitionEntry, to input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    // Without this, `times: 1000000000` of nothing but invalid or empty blocks would run for long.
    guard entry.times <= Self.largestNodeCount else {
      resolver.diagnostics.append(
        Diagnostic(
          .tensorTooLarge, "the network has more than \(Self.largestNodeCount) layers",
          at: entry.kindSpan))
      return nil
    }
    var value = input
    for round in 1...entry.times {
      let name = "\(prefix)\(entry.name).\(round)."
      guard let next = append(entry.body, to: value, prefix: name) else { return nil }
      value = next
    }
    return value
  }

  // MARK: bounds and constraints

  /// The bound declared for a layer and what holds its weights; nil: something was reported.
  ///
  /// A layer that says `lipschitz: unconstrained` itself also leaves the constraint that it would
  /// inherit; inherited, `unconstrained` is no more than no bound.
  private mutating func layerClaim(
    _ entry: LayerEntry, name: String, weights: [WeightDeclaration], operation: LayerOperation
  ) -> (declared: DeclaredBound?, constraint: LayerConstraint?)? {
    guard weights.contains(where: \.isConstrained) else {
      if let span = entry.lipschitz?.span ?? entry.constraint?.span {
        resolver.diagnostics.append(
          Diagnostic(
            .conflictingKeys, "`\(entry.kind)` has no weights that could be constrained", at: span,
            labels: [.init(entry.kindSpan, "this layer")]))
        return nil
      }
      return (nil, nil)
    }
    var inherited = model.constraint
    if case .unconstrained = entry.lipschitz { inherited = nil }
    let setting = entry.constraint ?? inherited
    let constraint = setting.flatMap { setting in
      setting.constraint.map { LayerConstraint($0, kind: setting.kind) }
    }
    guard case .bound(let bound, let norm, let boundSpan, _) = entry.lipschitz ?? model.lipschitz
    else {
      guard let constraint, let setting else { return (nil, nil) }
      if !constraint.unit.needsBound { return (nil, constraint) }
      if entry.lipschitz == nil, model.lipschitz == nil { unbounded.append((name, setting.span)) }
      return (nil, nil)
    }
    let declared = DeclaredBound(
      norm: norm ?? model.lipschitz?.norm ?? .l2, bound: bound, boundSpan: boundSpan)
    if let constraint, let setting, case .linear(let linear) = operation {
      if let refusal = constraint.unit.refusal(linear, norm: declared.norm) {
        resolver.diagnostics.append(
          Diagnostic(
            .constraintNorm, refusal, at: setting.span,
            labels: [.init(boundSpan, "the bound is asked for here, in \(declared.norm.rawValue)")]))
        return nil
      }
      if let shortfall = constraint.unit.shortfall(
        of: linear, norm: declared.norm, bound: bound)
      {
        resolver.diagnostics.append(
          Diagnostic(
            .boundNotHeld, "\(shortfall.message) of `\(name)`", at: setting.span,
            labels: [.init(boundSpan, "the bound is declared here")], help: shortfall.help))
        return nil
      }
    }
    return (declared, constraint)
  }

  private func reportConstraintsWithoutBound() {
    for span in Set(unbounded.map(\.constraint)) {
      let names = unbounded.filter { $0.constraint == span }.map(\.name)
      let shown = names.count <= 4 ? listed(names) : "\(listed(Array(names.prefix(3)))), …"
      resolver.diagnostics.append(
        Diagnostic(
          .missingKey, "the constraint has no bound to hold for \(shown)", at: span,
          help: "add `lipschitz: 1.0` to `model`, or `lipschitz: unconstrained` to the layer"))
    }
  }

  private func report(_ problem: ShapeProblem, _ entry: LayerEntry, input: NetworkValue) {
    var labels: [Diagnostic.Label] = []
    if let span = lastPlace(input) {
      labels.append(.init(span, "gives \(shape(input).shapeText)"))
    }
    resolver.diagnostics.append(
      Diagnostic(
        .shapeMismatch, problem.message,
        at: problem.argument.map { entry.arguments.span(of: $0) } ?? entry.kindSpan,
        labels: labels, help: problem.help))
  }
}

// MARK: messages

extension Diagnostic {
  fileprivate static func shapeNotPreserved(
    _ name: String, from input: Shape, to output: Shape, at span: Span, layer: Span
  ) -> Diagnostic {
    Diagnostic(
      .shapeNotPreserved,
      "`\(name)` turns \(input.shapeText) into \(output.shapeText), so they cannot be added",
      at: span, labels: [.init(layer, "this layer")],
      help: "use a `residual:` block with a `shortcut`, or make the shapes equal")
  }

  fileprivate static func blockShapes(
    _ name: String, body: Shape, shortcut: Shape, at span: Span, hasShortcut: Bool, last: Span?
  ) -> Diagnostic {
    Diagnostic(
      .shapeNotPreserved,
      hasShortcut
        ? "`\(name)` adds \(body.shapeText) to its shortcut's \(shortcut.shapeText)"
        : "`\(name)` adds \(body.shapeText) to its input of \(shortcut.shapeText)",
      at: span, labels: last.map { [.init($0, "gives \(body.shapeText)")] } ?? [],
      help: hasShortcut
        ? nil : "end the block with the shape of its input, or add `shortcut: {layers: [...]}`")
  }
}
