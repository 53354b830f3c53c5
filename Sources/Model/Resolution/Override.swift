import Diagnostics
import YAML

/// One `--set path=value`: replaces or adds a value before the description is resolved.
///
/// A path is keys joined by dots; `[name]` after `layers` picks a layer by its name, given or
/// automatic: `train.epochs`, `model.layers[fc1].units`, `model.layers[block1].layers[fc2].bias`.
/// The value is YAML. Mappings on the way that do not exist yet are made; nothing or `null` takes
/// the key away (`train.epochs=` before `train.steps=500`).
public struct Override: Sendable {
  public let path: String
  public let value: String

  public init(path: String, value: String) {
    self.path = path
    self.value = value
  }

  /// `train.epochs=3`; nil where there is no `=`.
  public init?(argument: String) {
    guard let equals = argument.firstIndex(of: "=") else { return nil }
    path = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }

  func apply(to root: inout Node, catalogs: Catalogs, into diagnostics: inout [Diagnostic]) {
    // The text as typed, so that a diagnostic can show it with a caret.
    let file = SourceFile(path: "--set", text: "\(path)=\(value)")
    let pathSpan = Span(file: file, start: 0, end: path.utf8.count)
    guard let steps = Self.steps(path) else {
      diagnostics.append(.badPath(path, at: pathSpan))
      return
    }
    var node: Node?
    let trimmed = value.utf8.filter { $0 != UInt8(ascii: " ") }
    if !Scalar(String(decoding: trimmed, as: UTF8.self)).isNull {
      let (parsed, problems) = parse(SourceFile(path: "--set \(path)", text: value))
      guard let parsed, problems.errorCount == 0 else {
        diagnostics += problems.map { $0.asInvalidOverride() }
        return
      }
      node = parsed
    }
    let setter = OverrideSetter(value: node, pathSpan: pathSpan, catalogs: catalogs)
    if let problem = setter.set(&root, steps[...]) { diagnostics.append(problem) }
  }

  enum Step: Equatable {
    case key(String)
    case layer(String)
  }

  /// nil: the path is not well-formed.
  static func steps(_ path: String) -> [Step]? {
    var steps: [Step] = []
    var rest = path[...]
    while true {
      let key = rest.prefix { $0 != "." && $0 != "[" && $0 != "]" }
      guard !key.isEmpty else { return nil }
      steps.append(.key(String(key)))
      rest = rest.dropFirst(key.count)
      while rest.first == "[" {
        let name = rest.dropFirst().prefix { $0 != "]" && $0 != "[" }
        guard !name.isEmpty, rest.dropFirst(name.count + 1).first == "]" else { return nil }
        steps.append(.layer(String(name)))
        rest = rest.dropFirst(name.count + 2)
      }
      if rest.isEmpty { return steps }
      guard rest.first == "." else { return nil }
      rest = rest.dropFirst()
    }
  }
}

/// Walks a path down the tree and rebuilds the way back.
private struct OverrideSetter {
  /// nil: the key is taken away.
  let value: Node?
  let pathSpan: Span
  let catalogs: Catalogs

  /// nil: done.
  func set(
    _ node: inout Node, _ steps: ArraySlice<Override.Step>, key: String? = nil
  ) -> Diagnostic? {
    guard let step = steps.first else {
      if let value { node = value }
      return nil
    }
    switch step {
    case .key(let next):
      guard var entries = entries(of: node, key: key) else {
        return .notReached(
          "`\(key ?? "the description")` is \(node.kindDescription), so it has no key `\(next)`",
          at: pathSpan, because: node.span)
      }
      let index = entries.firstIndex { $0.key == next }
      if value == nil, steps.count == 1 {
        if let index { entries.remove(at: index) }
      } else if let index {
        if let problem = set(&entries[index].value, steps.dropFirst(), key: next) {
          return problem
        }
      } else {
        var added = Node(.scalar(Scalar("")), span: pathSpan)
        if let problem = set(&added, steps.dropFirst(), key: next) { return problem }
        entries.append(Entry(key: next, keySpan: pathSpan, value: added))
      }
      node.content = .mapping(entries)
      return nil
    case .layer(let name):
      guard var items = node.sequence else {
        return .notReached(
          "`\(key ?? "")` is \(node.kindDescription), so it has no layer `\(name)`", at: pathSpan,
          because: node.span)
      }
      let names = Self.names(of: items)
      guard let index = names.firstIndex(of: name) else {
        return .unknownLayer(name, names.compactMap { $0 }, at: pathSpan)
      }
      if steps.count == 1 {
        if let value { items[index] = value } else { items.remove(at: index) }
      } else if let problem = setInLayer(&items[index], steps.dropFirst()) {
        return problem
      }
      node.content = .sequence(items)
      return nil
    }
  }

  /// A mapping's entries; nothing counts as an empty mapping, and a section's short form as its
  /// long one (`optimizer: adam` is `optimizer: {type: adam}`).
  private func entries(of node: Node, key: String?) -> [Entry]? {
    if let entries = node.mapping { return entries }
    if node.isNull { return [] }
    let longForm = [
      "data": "type", "loss": "family", "optimizer": "type", "constraint": "type",
      "lipschitz": "bound", "schedule": "type", "clip_gradient": "norm", "checkpoint": "every",
    ]
    guard node.scalar != nil, let word = longForm[key ?? ""] else { return nil }
    return [Entry(key: word, keySpan: node.span, value: node)]
  }

  /// The rest of the path inside one layer: `- relu`, `- dense: 512` and `- dense: {…}` all become
  /// the last form.
  private func setInLayer(
    _ item: inout Node, _ steps: ArraySlice<Override.Step>
  ) -> Diagnostic? {
    var ignored: [Diagnostic] = []
    guard let written = WrittenLayer(item, words: [], into: &ignored) else {
      return .notReached("the layer cannot be read", at: pathSpan, because: item.span)
    }
    var body = written.body ?? Node(.mapping([]), span: written.kindSpan)
    if body.mapping == nil {
      let shorthand = catalogs.layers.first { $0.kind == written.kind }?.shorthand
      guard let shorthand else {
        return .notReached(
          "`\(written.kind)` is written without keys", at: pathSpan, because: body.span)
      }
      body.content = .mapping([Entry(key: shorthand, keySpan: written.kindSpan, value: body)])
    }
    if let problem = set(&body, steps, key: written.kind) { return problem }
    item.content = .mapping([Entry(key: written.kind, keySpan: written.kindSpan, value: body)])
    return nil
  }

  /// The name of each entry of a list as resolution will give it; nil for an entry that it will
  /// refuse.
  private static func names(of items: [Node]) -> [String?] {
    var names = LayerNames()
    return items.map { item in
      var ignored: [Diagnostic] = []
      guard let written = WrittenLayer(item, words: [], into: &ignored) else { return nil }
      let automatic = names.next(written.kind)
      if let activation = written.body?["activation"],
        let next = WrittenLayer(activation, words: [], into: &ignored)
      {
        _ = names.next(next.kind)
      }
      return written.body?["name"]?.string ?? automatic
    }
  }
}

// MARK: messages

extension Diagnostic {
  fileprivate static func badPath(_ path: String, at span: Span) -> Diagnostic {
    Diagnostic(
      .invalidOverride, "`\(path)` is not a path", at: span,
      help: "write keys joined by dots, as `train.epochs` or `model.layers[fc1].units`")
  }

  fileprivate static func notReached(
    _ message: String, at span: Span, because place: Span
  ) -> Diagnostic {
    Diagnostic(.invalidOverride, message, at: span, labels: [.init(place, "this stands there")])
  }

  fileprivate static func unknownLayer(
    _ name: String, _ names: [String], at span: Span
  ) -> Diagnostic {
    Diagnostic(
      .invalidOverride, "there is no layer `\(name)` in this list", at: span,
      notes: names.isEmpty ? [] : ["layers: " + listed(names)],
      help: didYouMean(name, among: names))
  }

  /// An override that is not YAML, with the parser's reason.
  fileprivate func asInvalidOverride() -> Diagnostic {
    Diagnostic(
      .invalidOverride, "the value is not YAML: \(message)", at: span, label: label,
      labels: labels, notes: notes, help: help)
  }
}
