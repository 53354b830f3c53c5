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
  let resolver: Resolver
  private(set) var nodes: [LayerNode] = []
  private var blocks: [ResidualBlock] = []
  var branchings: [Branching] = []
  private var places: [String: Span] = [:]
  /// What the entry of a full name gives, for `from` and `outputs`.
  private var values: [String: NetworkValue] = [:]
  /// The lists that are being read, outermost first: their prefix and the names in them.
  private var lists: [(prefix: String, names: [String])] = []
  /// Rounds after the first of a repeat with shared weights: the prefix of the round, and of the
  /// first one, outermost first.
  private var sharing: [(round: String, first: String)] = []
  /// What layers inherit where the builder stands: the network's settings and those of blocks.
  var defaults: LayerDefaults
  private var ranges: ElementRanges
  private var readsDomain = false
  /// Layers that inherit a constraint without a bound for it, and the constraint's place.
  var unbounded: [(name: String, constraint: Span)] = []

  /// More nodes than this are a mistake in a `repeat`.
  static let largestNodeCount = 20_000

  /// - Parameters:
  ///   - scope: what the names of the network's tensors begin with.
  ///   - domain: what the elements of the input lie in; nil: anywhere.
  init(
    _ model: ModelSection, name: String, scope: String = "", domain: ClosedRange<Double>? = nil,
    diagnostics resolver: Resolver
  ) {
    ranges = ElementRanges(domain: domain)
    self.model = model
    self.name = name
    self.scope = scope
    self.resolver = resolver
    defaults = LayerDefaults(lipschitz: model.lipschitz, constraint: model.constraint)
  }

  consuming func build() -> Network? {
    var output = append(model.layers, to: .input, prefix: "")
    reportConstraintsWithoutBound()
    if let last = output { output = appendOutputs(model.outputs, last: last) }
    guard let output, everythingIsRead(output) else { return nil }
    return Network(
      name: name, inputShape: model.input, norm: model.lipschitz?.norm ?? .l2, nodes: nodes,
      output: output, blocks: blocks, branchings: branchings, span: model.span,
      noise: model.noise, classes: model.classes, domain: readsDomain ? ranges.domain : nil)
  }

  func shape(_ value: NetworkValue) -> Shape {
    switch value {
    case .input: model.input
    case .node(let index): nodes[index].outputShape
    }
  }

  /// nil: something in the list was reported.
  mutating func append(
    _ items: [LayerItem], to input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    lists.append((prefix, items.compactMap(\.name)))
    defer { lists.removeLast() }
    var value = input
    for item in items {
      let next: NetworkValue?
      switch item {
      case .layer(let entry):
        next = sources(entry.from, else: value).flatMap {
          append(entry, to: $0, prefix: prefix)
        }
      case .residual(let entry):
        next = source(entry.from, else: value).flatMap { append(entry, to: $0, prefix: prefix) }
      case .repetition(let entry):
        next = source(entry.from, else: value).flatMap { append(entry, to: $0, prefix: prefix) }
      case .parallel(let entry):
        next = source(entry.from, else: value).flatMap { append(entry, to: $0, prefix: prefix) }
      case .invalid: next = nil
      }
      guard let next else { return nil }
      if let name = item.name { values[prefix + name] = next }
      value = next
    }
    return value
  }

  // MARK: names

  /// What `from` names, else the value before; nil: reported.
  private func sources(_ from: NameList?, else before: NetworkValue) -> [NetworkValue]? {
    guard let from else { return [before] }
    let values = from.names.map { name in
      resolver.hasEnoughErrors ? nil : value(of: name.name, at: name.span)
    }
    return values.contains { $0 == nil } ? nil : values.map { $0! }
  }

  private func source(_ from: NameList?, else before: NetworkValue) -> NetworkValue? {
    guard let values = sources(from, else: before) else { return nil }
    if values.count == 1 { return values[0] }
    resolver.diagnostics.append(
      Diagnostic(
        .shapeMismatch, "a block takes one input, not \(values.count)", at: from!.span,
        help: "join them first with `add` or `concat`"))
    return nil
  }

  /// An earlier layer or block by its name: in its own list, then in the lists around it. `input`
  /// is the network's input where no layer is called so.
  private func value(of name: String, at span: Span) -> NetworkValue? {
    for list in lists.reversed() {
      if let value = values[list.prefix + name] { return value }
    }
    if let value = values[name] { return value }
    if name == "input" { return .input }
    var known = ["input"]
    for list in lists {
      known += list.names.filter { values[list.prefix + $0] != nil }
    }
    if lists.isEmpty { known += values.keys.sorted() }
    resolver.diagnostics.append(
      lists.contains { $0.names.contains(name) }
        ? Diagnostic(
          .unknownName, "`\(name)` does not stand before this layer", at: span,
          help: "a layer reads what was computed earlier; move it up")
        : Diagnostic(
          .unknownName, "there is no layer `\(name)`", at: span,
          notes: ["what can be read here: " + listed(known)],
          help: didYouMean(name, among: known)))
    return nil
  }

  /// The value that leaves: the last, the one that `outputs` names, or those it names one after the
  /// other along axis 0.
  private mutating func appendOutputs(
    _ outputs: NameList?, last: NetworkValue
  ) -> NetworkValue? {
    guard let outputs else { return last }
    guard let values = sources(outputs, else: last) else { return nil }
    if values.count == 1 { return values[0] }
    return join(
      Concatenation(axis: 0), values, name: "outputs", kind: "concat", span: outputs.span)
  }

  /// A layer whose result goes nowhere is a mistake in the wiring.
  private func everythingIsRead(_ output: NetworkValue) -> Bool {
    var read = Set(nodes.flatMap(\.inputs))
    read.insert(output)
    var places: Set<Span> = []
    for (index, node) in nodes.enumerated()
    where !read.contains(.node(index)) && places.insert(node.kindSpan).inserted
      && !resolver.hasEnoughErrors
    {
      resolver.diagnostics.append(
        Diagnostic(
          .unreadLayer, "nothing reads `\(node.name)`", at: node.kindSpan,
          help: bypassed(index).map {
            "a `from` that names `\($0)` reads what `\($0)` gives before `\(node.name)`; name "
              + "`\(node.name)` there"
          } ?? "name it in the `from` of a later layer or in `outputs` of the model, or leave "
            + "it out"))
    }
    return places.isEmpty
  }

  /// The layer before an unread one, where others read that past it.
  private func bypassed(_ index: Int) -> String? {
    guard nodes[index].inputs.count == 1, case .node(let before) = nodes[index].inputs[0],
      nodes.contains(where: { $0.inputs.contains(.node(before)) && $0.name != nodes[index].name })
    else { return nil }
    return nodes[before].name
  }

  // MARK: layers

  private mutating func append(
    _ entry: LayerEntry, to inputs: [NetworkValue], prefix: String
  ) -> NetworkValue? {
    let name = prefix + entry.name
    let inputShapes = inputs.map(shape)
    let output: Shape
    do throws(ShapeProblem) {
      output = try entry.layer.outputShape(inputShapes)
    } catch {
      report(error, entry, inputs: inputs)
      return nil
    }
    guard output.checkedElementCount != nil else {
      resolver.diagnostics.append(
        .tensorTooLarge("the output of `\(name)`", output, at: sizeSpan(entry)))
      return nil
    }
    let weights = entry.layer.weights(inputShapes)
    for weight in weights where weight.shape.checkedElementCount == nil {
      resolver.diagnostics.append(
        .tensorTooLarge("the tensor `\(name).\(weight.name)`", weight.shape, at: sizeSpan(entry)))
      return nil
    }
    var operation = entry.layer.operation(inputShapes)
    let bounded = ranges.constants(of: entry.layer, inputs, inputShapes, nodes)
    if let bounded {
      operation = .stored(bounded.constants)
      readsDomain = readsDomain || bounded.readsDomain
    }
    guard claim(name, at: entry.kindSpan) else { return nil }
    guard let claim = layerClaim(entry, name: name, weights: weights, operation: operation)
    else { return nil }
    let source = weights.isEmpty ? nil : weightSource(of: name)
    nodes.append(
      LayerNode(
        name: name, kind: entry.kind, layer: entry.layer, inputs: inputs,
        inputShapes: inputShapes, outputShape: output, weights: source == nil ? weights : [],
        operation: operation, declared: claim.declared, constraint: claim.constraint,
        span: entry.span, kindSpan: entry.kindSpan, scope: scope, weightSource: source,
        isRangeBound: bounded != nil))
    let body = NetworkValue.node(nodes.count - 1)
    guard let residual = entry.residual else { return body }
    guard inputs.count == 1 else {
      resolver.diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`residual` adds the layer's input, and `\(name)` has "
            + "\(inputs.count)", at: residual.span, labels: [.init(entry.kindSpan, "this layer")]))
      return nil
    }
    guard output == inputShapes[0] else {
      resolver.diagnostics.append(
        .shapeNotPreserved(
          name, from: inputShapes[0], to: output, at: residual.span, layer: entry.kindSpan))
      return nil
    }
    return merge(
      residual, name: name + ".residual", entry: inputs[0], body: body, shortcut: inputs[0],
      span: residual.span)
  }

  /// Whose tensors the layer of a later round reads; nil: its own.
  private func weightSource(of name: String) -> WeightSource? {
    var owner = name
    for place in sharing.reversed() where owner.hasPrefix(place.round) {
      owner = place.first + owner.dropFirst(place.round.count)
    }
    if owner == name { return nil }
    guard let index = nodes.firstIndex(where: { $0.name == owner }) else {
      fatalError("lgc's own bug: `\(name)` has no first round")
    }
    return WeightSource(node: index, name: owner, weights: nodes[index].weights)
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
    let parts = with(entry.defaults) { builder -> (body: NetworkValue, shortcut: NetworkValue)? in
      guard let body = builder.append(entry.body, to: input, prefix: name + ".") else {
        return nil
      }
      guard let items = entry.shortcut else { return (body, input) }
      return builder.append(items, to: input, prefix: name + ".shortcut.").map { (body, $0) }
    }
    guard let (body, shortcut) = parts else { return nil }
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

  /// Appends what stands in a block that has settings for its layers.
  mutating func with<Result>(
    _ settings: LayerDefaults, _ body: (inout NetworkBuilder) -> Result?
  ) -> Result? {
    let outer = defaults
    let first = nodes.count
    defaults = settings.within(outer)
    let result = body(&self)
    defaults = outer
    // A block of a later round reads the weights of the first.
    if result != nil, let span = settings.span,
      !nodes[first...].contains(where: { $0.readWeights.contains(where: \.isConstrained) })
    {
      resolver.diagnostics.append(
        Diagnostic(
          .conflictingKeys, "no layer of this block has weights that could be constrained",
          at: span, help: "leave it out"))
      return nil
    }
    return result
  }

  /// A block's value, joined to the value that the block reads where `residual` says so.
  mutating func closed(
    _ body: NetworkValue, from input: NetworkValue, _ residual: ResidualSetting?, name: String,
    kindSpan: Span
  ) -> NetworkValue? {
    guard let residual else { return body }
    guard shape(body) == shape(input) else {
      resolver.diagnostics.append(
        .shapeNotPreserved(
          name, from: shape(input), to: shape(body), at: residual.span, layer: kindSpan))
      return nil
    }
    return merge(
      residual, name: name + ".residual", entry: input, body: body, shortcut: input,
      span: residual.span)
  }

  func lastPlace(_ value: NetworkValue) -> Span? {
    if case .node(let index) = value { nodes[index].kindSpan } else { nil }
  }

  private mutating func merge(
    _ setting: ResidualSetting, name: String, entry: NetworkValue, body: NetworkValue,
    shortcut: NetworkValue, span: Span
  ) -> NetworkValue? {
    let sum = WeightedSum(coefficients: setting.mode.coefficients(setting.weight))
    guard
      let output = join(sum, [shortcut, body], name: name, kind: WeightedSum.kind, span: span)
    else { return nil }
    blocks.append(
      ResidualBlock(
        name: name, mode: setting.mode, weight: setting.weight, entry: entry, body: body,
        shortcut: shortcut, merge: output, span: span))
    return output
  }

  /// A node without weights that closes a block; nil: reported.
  mutating func join(
    _ layer: any Layer, _ inputs: [NetworkValue], name: String, kind: String, span: Span
  ) -> NetworkValue? {
    let shapes = inputs.map(shape)
    let output: Shape
    do throws(ShapeProblem) {
      output = try layer.outputShape(shapes)
    } catch {
      resolver.diagnostics.append(
        Diagnostic(
          .shapeMismatch, "`\(name)`: \(error.message)", at: span, labels: labels(inputs),
          help: error.help))
      return nil
    }
    guard claim(name, at: span) else { return nil }
    nodes.append(
      LayerNode(
        name: name, kind: kind, layer: layer, inputs: inputs, inputShapes: shapes,
        outputShape: output, weights: [], operation: layer.operation(shapes), declared: nil,
        span: span, kindSpan: span))
    return .node(nodes.count - 1)
  }

  /// Where each of several values comes from and what its shape is.
  private func labels(_ inputs: [NetworkValue]) -> [Diagnostic.Label] {
    var labels: [Diagnostic.Label] = []
    for input in inputs {
      guard let span = lastPlace(input), !labels.contains(where: { $0.span == span }) else {
        continue
      }
      labels.append(.init(span, "gives \(shape(input).shapeText)"))
    }
    return labels
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
    guard let body = with(entry.defaults, { $0.rounds(of: entry, on: input, prefix: prefix) })
    else { return nil }
    return closed(
      body, from: input, entry.residual, name: prefix + entry.name, kindSpan: entry.kindSpan)
  }

  private mutating func rounds(
    of entry: RepetitionEntry, on input: NetworkValue, prefix: String
  ) -> NetworkValue? {
    func roundName(_ round: Int) -> String { "\(prefix)\(entry.name).\(round)." }
    var value = input
    for round in 1...entry.times {
      let isAgain = entry.isShared && round > 1
      if isAgain { sharing.append((roundName(round), roundName(1))) }
      let next = append(entry.body, to: value, prefix: roundName(round))
      if isAgain { sharing.removeLast() }
      guard let next else { return nil }
      value = next
      // Then every layer has the shape, and so the operator, that it has in the first round.
      guard !entry.isShared || shape(value) == shape(input) else {
        resolver.diagnostics.append(
          .sharedShapes(
            prefix + entry.name, from: shape(input), to: shape(value), at: entry.kindSpan,
            last: lastPlace(value)))
        return nil
      }
    }
    return value
  }

  private func report(_ problem: ShapeProblem, _ entry: LayerEntry, inputs: [NetworkValue]) {
    resolver.diagnostics.append(
      Diagnostic(
        .shapeMismatch, problem.message,
        at: problem.argument.map { entry.arguments.span(of: $0) } ?? entry.kindSpan,
        labels: labels(inputs), help: problem.help))
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

  fileprivate static func sharedShapes(
    _ name: String, from input: Shape, to output: Shape, at span: Span, last: Span?
  ) -> Diagnostic {
    Diagnostic(
      .shapeNotPreserved,
      "`\(name)` turns \(input.shapeText) into \(output.shapeText), so its next round could not "
        + "use the same weights",
      at: span, labels: last.map { [.init($0, "gives \(output.shapeText)")] } ?? [],
      help: "end the layers with the shape they begin with, or leave out `shared`")
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
