import Diagnostics
import Rounding
import Tensors
import YAML

// `model:` → ModelSection: kinds, arguments and names, without shapes.

extension Resolver {
  static let modelKeys = ["input", "lipschitz", "constraint", "layers", "outputs"]
  /// Those of a network of `models:`.
  static let networkKeys = modelKeys + ["regularize", "optimizer"]

  /// `model:`, or a network of `models:` by its name there.
  func decodeModel(_ entry: Entry) -> ModelSection? {
    let name = entry.key
    let allowed = name == "model" ? Self.modelKeys : Self.networkKeys
    guard let entries = entry.value.mapping else {
      diagnostics.append(.notArguments(entry.value, of: name, allowed))
      return nil
    }
    for entry in entries where !allowed.contains(entry.key) && !entry.key.isFreeKey {
      diagnostics.append(.unknownKey(entry, of: name, allowed: allowed))
    }
    let node = entry.value
    var lipschitz = node.entry("lipschitz").flatMap { decodeLipschitz($0) }
    if case .bound(let bound, nil, let boundSpan, let span) = lipschitz {
      lipschitz = .bound(bound, norm: .l2, boundSpan: boundSpan, span: span)
    }
    // A wrong bound is one error, and not also one of each constraint that has none to hold.
    if let entry = node.entry("lipschitz"), lipschitz == nil {
      lipschitz = .unconstrained(entry.keySpan)
    } else if entries.misspells("lipschitz", allowed: allowed) {
      lipschitz = .unconstrained(entry.keySpan)
    }
    let constraint = node.entry("constraint").flatMap { decodeConstraint($0) }
    var input: WrittenInput?
    if let entry = node.entry("input") {
      input = decodeInput(entry, of: name)
    } else if !entries.misspells("input", allowed: allowed) {
      diagnostics.append(
        .missingKey(
          "input", of: name, at: entry.keySpan,
          name == "generator"
            ? "the noise it reads: `{noise: normal, shape: [64]}`"
            : "the shape of one sample: `[features]` or `[channels, height, width]`"))
    }
    var layers: [LayerItem]?
    if let entry = node.entry("layers") {
      layers = decodeLayers(entry, of: name)
    } else if !entries.misspells("layers", allowed: allowed) {
      diagnostics.append(.missingKey("layers", of: name, at: entry.keySpan, "a list of layers"))
    }
    let outputs = node.entry("outputs").flatMap { decodeNames($0, of: "outputs") }
    guard let input, let layers else { return nil }
    return ModelSection(
      input: input.shape, noise: input.noise, classes: input.classes, lipschitz: lipschitz, constraint: constraint,
      layers: layers, outputs: outputs,
      regularisers: name == "model" ? nil : node.entry("regularize"),
      optimizer: name == "model" ? nil : node.entry("optimizer"), span: entry.keySpan)
  }

  /// `input:` as written; `shape` with the planes of the classes.
  private struct WrittenInput {
    var shape: Shape
    var noise: Noise?
    var classes: Int?
  }

  /// A generator reads noise, and the class it is asked for; every other network data.
  private func decodeInput(_ entry: Entry, of owner: String) -> WrittenInput? {
    let node = entry.value
    guard owner == "generator" else {
      if node.mapping != nil {
        diagnostics.append(
          .expected(
            "the shape of one sample", found: node,
            help: "only the generator of `models` reads noise"))
        return nil
      }
      return decodeShape(node).map { WrittenInput(shape: $0) }
    }
    guard node.mapping != nil else {
      diagnostics.append(
        .expected(
          "a mapping of `noise` and `shape`", found: node,
          help: "write `input: {noise: normal, shape: [64]}`"))
      return nil
    }
    let noise = Argument<Noise>("noise", "Its distribution.", default: .normal)
    let classes = Argument<Int>.optional("classes", "Of the data.", in: ArgumentRange(lower: 2))
    guard
      let arguments = decodeArguments(
        [noise, classes], of: "input", node: node, named: entry.keySpan, common: ["shape"],
        into: &diagnostics)
    else { return nil }
    guard let shape = node["shape"] else {
      diagnostics.append(
        .missingKey("shape", of: "input", at: entry.keySpan, "the noise of one sample: `[64]`"))
      return nil
    }
    return decodeShape(shape).flatMap { shape in
      let classes = arguments[optional: classes]
      let whole = [shape[0] + (classes ?? 0)] + shape.dropFirst()
      guard whole.checkedElementCount != nil else {
        diagnostics.append(.tensorTooLarge("the input", whole, at: node.span))
        return nil
      }
      return WrittenInput(shape: whole, noise: arguments[noise], classes: classes)
    }
  }

  private static let shapeHelp =
    "write `[features]`, `[channels, length]` or `[channels, height, width]`; the batch is implicit"

  private func decodeShape(_ node: Node) -> Shape? {
    if node.sequence == nil, node.int == nil {
      diagnostics.append(
        .expected("the shape of one sample", found: node, help: Self.shapeHelp))
      return nil
    }
    guard
      let shape = OneOrMany<Int>.decode(node, range: .atLeastOne, into: &diagnostics)?.values
    else { return nil }
    guard (1...3).contains(shape.count) else {
      diagnostics.append(
        Diagnostic(
          .outOfRange, "an input has one to three axes, this has \(shape.count)", at: node.span,
          help: Self.shapeHelp))
      return nil
    }
    guard shape.checkedElementCount != nil else {
      diagnostics.append(.tensorTooLarge("the input", shape, at: node.span))
      return nil
    }
    return shape
  }

  func decodeLipschitz(_ entry: Entry) -> LipschitzSetting? {
    let node = entry.value
    if let word = node.string {
      if word == "unconstrained" { return .unconstrained(node.span) }
      diagnostics.append(
        Diagnostic.expected(
          "a number > 0, a mapping of `norm` and `bound`, or `unconstrained`", found: node,
          help: node.numberHelp ?? didYouMean(word, among: ["unconstrained"])))
      return nil
    }
    let norm = Argument<Norm>.optional("norm", "The norm on input and output.")
    let bound = Argument<Double>("bound", "The Lipschitz constant that must hold.", in: .positive)
    guard
      let arguments = decodeArguments(
        [norm, bound], of: "lipschitz", node: node, named: entry.keySpan, shorthand: "bound",
        into: &diagnostics)
    else { return nil }
    return .bound(
      arguments[bound], norm: arguments[optional: norm], boundSpan: arguments.span(of: "bound"),
      span: entry.keySpan)
  }

  func decodeConstraint(_ entry: Entry) -> ConstraintSetting? {
    guard let (word, span, body) = sectionKind(entry, key: "type") else { return nil }
    if word == "none" {
      _ = decodeArguments(
        [], of: word, node: body, named: span, common: ["type"], into: &diagnostics)
      return ConstraintSetting(kind: word, span: span)
    }
    guard
      let type = kind(
        word, at: span, of: catalogs.constraints, { $0.kind }, alsoAllowed: ["none"],
        family: "constraint"),
      let arguments = decode(
        unit: type, node: body, named: span, common: ["type"], into: &diagnostics),
      let constraint = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any Constraint in try type.init(arguments) })
    else { return nil }
    return ConstraintSetting(
      kind: word, type: type, constraint: constraint, arguments: arguments, span: span)
  }
}

extension Noise: ArgumentValue {}
