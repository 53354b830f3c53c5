import Diagnostics
import Rounding
import YAML

// `layers:` → LayerItem.

extension Resolver {
  /// Keys that every layer has beside its arguments.
  static let layerKeys = ["name", "lipschitz", "constraint", "activation", "residual"]
  static let blockKeys = ["name", "activation"]

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
    return nodes.flatMap { decodeLayer($0, names: &names) }
  }

  /// An entry of a list: one item, and the one that its `activation:` adds.
  private func decodeLayer(_ node: Node, names: inout LayerNames) -> [LayerItem] {
    guard let written = WrittenLayer(node, words: layerWords, into: &diagnostics) else {
      return [.invalid]
    }
    let name = name(of: written, names: &names)
    let item: LayerItem
    switch written.kind {
    case "residual": item = decodeResidualBlock(written, name: name)
    case "repeat": item = decodeRepetition(written, name: name)
    default: item = decodePlainLayer(written, name: name)
    }
    guard let activation = written.body?.entry("activation") else { return [item] }
    return [item] + decodeLayer(activation.value, names: &names)
  }

  private var layerWords: [String] {
    catalogs.layers.map { $0.kind } + ["residual", "repeat"] + Planned.layers
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
        alsoAllowed: ["residual", "repeat"], planned: Planned.layers, family: "layer")
    else { return .invalid }
    let before = diagnostics.errorCount
    let lipschitz = layer.body?.entry("lipschitz").flatMap { decodeLipschitz($0) }
    let constraint = layer.body?.entry("constraint").flatMap { decodeConstraint($0) }
    let residual = layer.body?.entry("residual").flatMap { decodeResidualFlag($0) }
    let arguments = decodeArguments(
      type.arguments, of: layer.kind, node: layer.body, named: layer.kindSpan,
      shorthand: type.shorthand, common: Self.layerKeys, later: Planned.layerKeys,
      into: &diagnostics)
    guard let arguments, diagnostics.errorCount == before,
      let unit = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any Layer in try type.init(arguments) })
    else { return .invalid }
    return .layer(
      LayerEntry(
        name: name, kind: layer.kind, type: type, layer: unit, arguments: arguments,
        lipschitz: lipschitz, constraint: constraint, residual: residual, span: layer.span,
        kindSpan: layer.kindSpan))
  }

  // MARK: residual

  private static let mode = Argument<ResidualBlock.Mode>(
    "mode", "`sum`: x + w·f(x); `convex`: (1 − w)·x + w·f(x).", default: .sum)
  private static let weight = Argument<Double>.optional(
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
      common: Self.blockKeys + ["layers", "shortcut"],
      later: Planned.layerKeys + ["lipschitz", "constraint"], into: &diagnostics)
    let setting = arguments.flatMap { residualSetting($0, span: layer.kindSpan) }
    let layers = decodeBlockLayers(body, layer)
    var shortcut: [LayerItem]?
    if let entry = body.entry("shortcut") {
      if let layers = entry.value.entry("layers") {
        _ = decodeArguments(
          [], of: "shortcut", node: entry.value, named: entry.keySpan, common: ["layers"],
          into: &diagnostics)
        shortcut = decodeLayers(layers, of: "shortcut", mayBeEmpty: true)
      } else {
        diagnostics.append(
          .missingKey("layers", of: "shortcut", at: entry.keySpan, "a list of layers"))
      }
    }
    guard let setting, let layers, diagnostics.errorCount == before else { return .invalid }
    return .residual(
      ResidualEntry(
        name: name, setting: setting, body: layers, shortcut: shortcut, span: layer.span,
        kindSpan: layer.kindSpan))
  }

  // MARK: repeat

  private func decodeRepetition(_ layer: WrittenLayer, name: String) -> LayerItem {
    let times = Argument<Int>("times", "How often the layers follow each other.", in: .atLeastOne)
    guard let body = blockBody(layer, keys: ["times", "layers"]) else { return .invalid }
    let before = diagnostics.errorCount
    let arguments = decodeArguments(
      [times], of: "repeat", node: body, named: layer.kindSpan,
      common: Self.blockKeys + ["layers"],
      later: Planned.layerKeys + ["lipschitz", "constraint", "residual"], into: &diagnostics)
    let layers = decodeBlockLayers(body, layer)
    guard let arguments, let layers, diagnostics.errorCount == before else { return .invalid }
    return .repetition(
      RepetitionEntry(
        name: name, times: arguments[times], body: layers, span: layer.span,
        kindSpan: layer.kindSpan))
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
