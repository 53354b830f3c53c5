import Diagnostics
import Rounding
import YAML

// `layers:` → LayerItem.

extension Resolver {
  /// Keys that every layer has beside its arguments.
  static let layerKeys = ["name", "from", "lipschitz", "constraint", "activation", "residual"]
  static let blockKeys = ["name", "from", "lipschitz", "constraint", "activation"]
  /// The kinds of entries that have layers of their own.
  static let blockKinds = ["residual", "repeat", "parallel"]

  /// nil where there is no list; a wrong entry of a list is `.invalid` and the rest is read.
  func decodeLayers(_ entry: Entry, of owner: String, mayBeEmpty: Bool = false) -> [LayerItem]? {
    guard let nodes = entry.value.sequence else {
      diagnostics.append(
        .expected(
          "a list of layers", found: entry.value,
          help: entry.value.mapping == nil ? nil : "begin each layer with `- `"))
      return nil
    }
    if nodes.isEmpty, !mayBeEmpty {
      diagnostics.append(
        Diagnostic(.outOfRange, "`\(owner)` needs at least one layer", at: entry.value.span))
    }
    var names = LayerNames()
    return nodes.flatMap { hasEnoughErrors ? [.invalid] : decodeLayer($0, names: &names) }
  }

  /// An entry of a list: one item, and the one that its `activation:` adds.
  private func decodeLayer(_ node: Node, names: inout LayerNames) -> [LayerItem] {
    guard let written = WrittenLayer(node, words: layerWords, into: &diagnostics) else {
      return [.invalid]
    }
    let isBlock = Self.blockKinds.contains(written.kind)
    if isBlock { blockDepth += 1 }
    defer { if isBlock { blockDepth -= 1 } }
    // Variables nest deeper than text can.
    if blockDepth > Limits.standard.blocks {
      diagnostics.append(
        Diagnostic(
          .tooDeep, "blocks are nested more than \(Limits.standard.blocks) deep",
          at: written.kindSpan))
      return [.invalid]
    }
    let name = name(of: written, names: &names)
    let item: LayerItem
    switch written.kind {
    case "residual": item = decodeResidualBlock(written, name: name)
    case "repeat": item = decodeRepetition(written, name: name)
    case "parallel": item = decodeParallel(written, name: name)
    default: item = decodePlainLayer(written, name: name)
    }
    guard let activation = written.body?.entry("activation") else { return [item] }
    return [item] + decodeLayer(activation.value, names: &names)
  }

  private var layerWords: [String] {
    catalogs.layers.map { $0.kind } + Self.blockKinds
  }

  /// The layer's own name, or its kind and its ordinal among that kind in its list.
  private func name(of layer: WrittenLayer, names: inout LayerNames) -> String {
    var given: (name: String, span: Span)?
    if let node = layer.body?["name"],
      let name = String.decode(node, range: nil, into: &diagnostics)
    {
      if name.isLayerName {
        given = (name, node.span)
      } else {
        diagnostics.append(
          Diagnostic(
            .outOfRange, "`\(name)` cannot be a layer's name", at: node.span,
            help: "use letters, digits, `_`, `-`, and dots between them"))
      }
    }
    let automatic = names.next(layer.kind)
    let name = given?.name ?? automatic
    let span = given?.span ?? layer.kindSpan
    if let first = names.spans[name] {
      diagnostics.append(.duplicateName(name, at: span, first: first))
      // A name nobody can write, so that the clash is not found again among the full names.
      return "\(name) again at \(span.start)"
    }
    names.spans[name] = span
    return name
  }

  private func decodePlainLayer(_ layer: WrittenLayer, name: String) -> LayerItem {
    guard
      let type = kind(
        layer.kind, at: layer.kindSpan, of: catalogs.layers, { $0.kind },
        alsoAllowed: Self.blockKinds, family: "layer")
    else { return .invalid }
    let before = diagnostics.errorCount
    let lipschitz = layer.body?.entry("lipschitz").flatMap { decodeLipschitz($0) }
    let constraint = layer.body?.entry("constraint").flatMap { decodeConstraint($0) }
    let residual = layer.body?.entry("residual").flatMap { decodeResidualFlag($0) }
    let from = decodeFrom(layer)
    let arguments = decodeArguments(
      type.arguments, of: layer.kind, node: layer.body, named: layer.kindSpan,
      shorthand: type.shorthand, common: Self.layerKeys, into: &diagnostics)
    guard let arguments, diagnostics.errorCount == before,
      let unit = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any Layer in try type.init(arguments) })
    else { return .invalid }
    return .layer(
      LayerEntry(
        name: name, from: from, kind: layer.kind, type: type, layer: unit, arguments: arguments,
        lipschitz: lipschitz, constraint: constraint, residual: residual, span: layer.span,
        kindSpan: layer.kindSpan))
  }

  // MARK: residual

  static let mode = Argument<ResidualBlock.Mode>(
    "mode", "`sum`: x + w·f(x); `convex`: (1 − w)·x + w·f(x).", default: .sum)
  static let weight = Argument<Double>.optional(
    "weight", "w; 1 for `sum`, 0.5 for `convex` where it is not given.")

  /// `residual: true | false | sum | convex | {mode, weight}` of a layer; nil: no connection.
  private func decodeResidualFlag(_ entry: Entry) -> ResidualSetting? {
    let node = entry.value
    if let flag = node.bool {
      return flag ? ResidualSetting(mode: .sum, weight: 1, span: entry.keySpan) : nil
    }
    guard node.mapping != nil || node.string != nil else {
      diagnostics.append(
        .expected(
          "`true`, `false`, `sum`, `convex`, or a mapping of `mode` and `weight`", found: node))
      return nil
    }
    if let word = node.string, ResidualBlock.Mode(rawValue: word) == nil {
      diagnostics.append(
        .expected(
          "`true`, `false`, `sum`, `convex`, or a mapping of `mode` and `weight`", found: node,
          help: node.booleanHelp ?? didYouMean(word, among: ["sum", "convex"])))
      return nil
    }
    return decodeArguments(
      [Self.mode, Self.weight], of: "residual", node: node, named: entry.keySpan,
      shorthand: "mode", into: &diagnostics
    ).flatMap { residualSetting($0, span: entry.keySpan) }
  }

  private func residualSetting(_ arguments: Arguments, span: Span) -> ResidualSetting? {
    let mode = arguments[Self.mode]
    let weight = arguments[optional: Self.weight] ?? (mode == .sum ? 1 : 0.5)
    if mode == .convex, !ArgumentRange.unit.contains(weight) {
      diagnostics.append(
        Diagnostic(
          .outOfRange, "the weight of a convex block is \(weight.yamlText)",
          at: arguments.span(of: "weight"), notes: ["(1 − w)·x + w·f(x) is convex for 0 ≤ w ≤ 1"]))
      return nil
    }
    return ResidualSetting(mode: mode, weight: weight, span: span)
  }

  private func decodeResidualBlock(_ layer: WrittenLayer, name: String) -> LayerItem {
    guard let body = blockBody(layer, keys: ["layers", "mode", "weight", "shortcut"]) else {
      return .invalid
    }
    let before = diagnostics.errorCount
    let arguments = decodeArguments(
      [Self.mode, Self.weight], of: "residual", node: layer.body, named: layer.kindSpan,
      common: Self.blockKeys + ["layers", "shortcut"], into: &diagnostics)
    let from = decodeFrom(layer)
    let defaults = decodeDefaults(layer)
    let setting = arguments.flatMap { residualSetting($0, span: layer.kindSpan) }
    let layers = decodeBlockLayers(body, layer)
    var shortcut: [LayerItem]?
    if let entry = body.entry("shortcut") {
      let settings = decodeArguments(
        [], of: "shortcut", node: entry.value, named: entry.keySpan, common: ["layers"],
        into: &diagnostics)
      if let layers = entry.value.entry("layers") {
        shortcut = decodeLayers(layers, of: "shortcut", mayBeEmpty: true)
      } else if settings != nil {
        diagnostics.append(
          .missingKey("layers", of: "shortcut", at: entry.keySpan, "a list of layers"))
      }
    }
    guard let setting, let layers, diagnostics.errorCount == before else { return .invalid }
    return .residual(
      ResidualEntry(
        name: name, from: from, defaults: defaults, setting: setting, body: layers,
        shortcut: shortcut, span: layer.span, kindSpan: layer.kindSpan))
  }

  // MARK: repeat

  static let times = Argument<Int>(
    "times", "How often the layers follow each other.", in: .atLeastOne)
  static let shared = Argument<Bool>(
    "shared", "Whether all rounds use the weights of the first.", default: false)

  private func decodeRepetition(_ layer: WrittenLayer, name: String) -> LayerItem {
    guard let body = blockBody(layer, keys: ["times", "layers", "shared"]) else { return .invalid }
    let before = diagnostics.errorCount
    let arguments = decodeArguments(
      [Self.times, Self.shared], of: "repeat", node: body, named: layer.kindSpan,
      common: Self.blockKeys + ["layers", "residual"], into: &diagnostics)
    let from = decodeFrom(layer)
    let defaults = decodeDefaults(layer)
    let residual = layer.body?.entry("residual").flatMap { decodeResidualFlag($0) }
    let layers = decodeBlockLayers(body, layer)
    guard let arguments, let layers, diagnostics.errorCount == before else { return .invalid }
    return .repetition(
      RepetitionEntry(
        name: name, from: from, defaults: defaults, residual: residual,
        times: arguments[Self.times], isShared: arguments[Self.shared], body: layers,
        span: layer.span, kindSpan: layer.kindSpan))
  }

  // MARK: parallel

  static let combination = Argument<ParallelEntry.Combination>(
    "combine", "How the branches' results join.", default: .sum)
  static let weights = Argument<[Double]>.optional(
    "weights", "One number a branch, for `combine: weighted`.")
  static let axis = Argument<Int>(
    "axis", "The axis of `combine: concat`; 0 is the channels.", default: 0, in: .nonNegative)

  private func decodeParallel(_ layer: WrittenLayer, name: String) -> LayerItem {
    let declared: [any ArgumentDeclaration] = [Self.combination, Self.weights, Self.axis]
    guard let body = blockBody(layer, keys: ["branches"] + declared.map(\.name)) else {
      return .invalid
    }
    let before = diagnostics.errorCount
    let arguments = decodeArguments(
      declared, of: "parallel", node: body, named: layer.kindSpan,
      common: Self.blockKeys + ["branches", "residual"], into: &diagnostics)
    let from = decodeFrom(layer)
    let defaults = decodeDefaults(layer)
    let residual = layer.body?.entry("residual").flatMap { decodeResidualFlag($0) }
    guard let entry = body.entry("branches") else {
      if body.mapping?.misspells("branches", allowed: ["branches"] + declared.map(\.name)) != true {
        diagnostics.append(
          .missingKey(
            "branches", of: "parallel", at: layer.kindSpan, "a list of lists of layers"))
      }
      return .invalid
    }
    guard let nodes = entry.value.sequence else {
      diagnostics.append(.expected("a list of lists of layers", found: entry.value))
      return .invalid
    }
    if nodes.count < 2 {
      diagnostics.append(
        Diagnostic(
          .outOfRange, "`parallel` has \(nodes.count == 0 ? "no branch" : "one branch only")",
          at: entry.value.span, help: "each branch is a list of layers, `[]` for none"))
    }
    let branches = nodes.map { node in
      decodeLayers(
        Entry(key: "branches", keySpan: node.span, value: node), of: "parallel", mayBeEmpty: true)
    }
    guard let arguments, diagnostics.errorCount == before else { return .invalid }
    let combination = arguments[Self.combination]
    let weights = arguments[optional: Self.weights]
    if let problem = problem(weights, combination, branches.count) {
      diagnostics.append(
        Diagnostic(
          problem.code, problem.message,
          at: arguments.spans[weights == nil ? "combine" : "weights"] ?? layer.kindSpan,
          help: problem.help))
      return .invalid
    }
    if combination != .concat, let span = arguments.spans["axis"] {
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`axis` is of `combine: concat` and not of `\(combination.rawValue)`",
          at: span))
      return .invalid
    }
    return .parallel(
      ParallelEntry(
        name: name, from: from, defaults: defaults, residual: residual,
        branches: branches.map { $0! }, combination: combination, weights: weights ?? [],
        axis: arguments[Self.axis], arguments: arguments, span: layer.span,
        kindSpan: layer.kindSpan))
  }

  private func problem(
    _ weights: [Double]?, _ combination: ParallelEntry.Combination, _ branches: Int
  ) -> ArgumentProblem? {
    guard combination == .weighted else {
      if weights == nil { return nil }
      return ArgumentProblem(
        "`\(combination.rawValue)` takes no weights", help: "write `combine: weighted`",
        code: .conflictingKeys)
    }
    if weights?.count == branches { return nil }
    return ArgumentProblem(
      "\(weights.map { "\($0.count)" } ?? "no") weights for \(branches) branches",
      help: "give each branch one, as `weights: [0.5, 0.5]`")
  }

  // MARK: names

  /// `lipschitz` and `constraint` of a block, for the layers in it that say nothing themselves.
  private func decodeDefaults(_ layer: WrittenLayer) -> LayerDefaults {
    LayerDefaults(
      lipschitz: layer.body?.entry("lipschitz").flatMap { decodeLipschitz($0) },
      constraint: layer.body?.entry("constraint").flatMap { decodeConstraint($0) })
  }

  private func decodeFrom(_ layer: WrittenLayer) -> NameList? {
    layer.body?.entry("from").flatMap { decodeNames($0, of: "from") }
  }

  /// A name of a layer, or a list of them.
  func decodeNames(_ entry: Entry, of key: String) -> NameList? {
    let nodes = entry.value.sequence ?? [entry.value]
    if nodes.isEmpty {
      diagnostics.append(
        Diagnostic(.outOfRange, "`\(key)` needs at least one name", at: entry.value.span))
      return nil
    }
    let names = nodes.map { node -> (name: String, span: Span)? in
      guard let name = node.string else {
        let help = node.int.map { _ in "layers are addressed by name; give the layer a `name`" }
        diagnostics.append(.expected("the name of a layer", found: node, help: help))
        return nil
      }
      return (name, node.span)
    }
    if names.contains(where: { $0 == nil }) { return nil }
    return NameList(
      names: names.map { $0! }, isList: entry.value.sequence != nil, span: entry.value.span)
  }

  private func blockBody(_ layer: WrittenLayer, keys: [String]) -> Node? {
    if let body = layer.body, body.mapping != nil { return body }
    diagnostics.append(
      .notArguments(
        layer.body ?? Node(.scalar(Scalar("")), span: layer.kindSpan), of: layer.kind,
        keys + Self.blockKeys))
    return nil
  }

  private func decodeBlockLayers(_ body: Node, _ layer: WrittenLayer) -> [LayerItem]? {
    if let entry = body.entry("layers") { return decodeLayers(entry, of: layer.kind) }
    diagnostics.append(
      .missingKey("layers", of: layer.kind, at: layer.kindSpan, "a list of layers"))
    return nil
  }
}

extension ResidualBlock.Mode: ArgumentValue {}
