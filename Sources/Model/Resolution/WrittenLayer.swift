import Diagnostics
import Tensors
import YAML

/// An entry of a `layers:` list as written. The kind is the key: `relu`, `dense: 512`,
/// `dense: {units: 512}`.
struct WrittenLayer {
  var kind: String
  var kindSpan: Span
  var span: Span
  /// What stands after the kind; nil for a bare word.
  var body: Node?

  /// - Parameters:
  ///   - what: what the list is of.
  ///   - words: the kinds a list may name, to explain a mapping of several keys.
  init?(
    _ node: Node, what: String = "layer", words: [String], into diagnostics: inout [Diagnostic]
  ) {
    span = node.span
    if let word = node.string {
      kind = word
      kindSpan = node.span
      return
    }
    guard let entries = node.mapping else {
      diagnostics.append(.expected("a \(what): its kind, or `kind: {…}`", found: node))
      return nil
    }
    guard entries.count == 1 else {
      diagnostics.append(.severalKeys(node, entries, what: what, words: words))
      return nil
    }
    kind = entries[0].key
    kindSpan = entries[0].keySpan
    body = entries[0].value.isNull ? nil : entries[0].value
  }
}

/// The names of one list, given in order.
struct LayerNames {
  private var ordinals: [String: Int] = [:]
  /// Where each name was given.
  var spans: [String: Span] = [:]

  /// `dense_2` for the second `dense` of the list, whether or not the first has its own name.
  mutating func next(_ kind: String) -> String {
    ordinals[kind, default: 0] += 1
    return "\(kind)_\(ordinals[kind]!)"
  }
}

// MARK: messages

extension Diagnostic {
  /// Mostly a wrong indentation: `- dense:` and `units: 3` below the word instead of inside it.
  fileprivate static func severalKeys(
    _ node: Node, _ entries: [Entry], what: String, words: [String]
  ) -> Diagnostic {
    if let type = entries.first(where: { $0.key == "type" }), let word = type.value.string {
      return Diagnostic(
        .wrongType, "in a list of \(what)s the kind is the key, not `type`", at: type.keySpan,
        help: "write `- \(word): {…}`")
    }
    guard let kind = entries.first(where: { words.contains($0.key) }),
      let other = entries.first(where: { $0.key != kind.key })
    else {
      return .expected("a \(what): its kind, or `kind: {…}`", found: node)
    }
    if words.contains(other.key) {
      return Diagnostic(
        .wrongType, "`\(kind.key)` and `\(other.key)` are two \(what)s in one entry",
        at: other.keySpan, labels: [.init(kind.keySpan, "the entry's first \(what)")],
        help: "begin each \(what) with `- `")
    }
    return Diagnostic(
      .wrongType, "`\(other.key)` stands beside `\(kind.key)`, not inside it", at: other.keySpan,
      labels: [.init(kind.keySpan, "the \(what)")],
      help: "indent `\(other.key)` further than `\(kind.key)`, or write "
        + "`\(kind.key): {\(other.key): …}`")
  }

  static func duplicateName(_ name: String, at span: Span, first: Span) -> Diagnostic {
    Diagnostic(
      .duplicateName, "two layers are called `\(name)`", at: span,
      labels: [.init(first, "the first one")])
  }

  static func tensorTooLarge(_ what: String, _ shape: [Int], at span: Span) -> Diagnostic {
    Diagnostic(
      .tensorTooLarge, "\(what) would be \(shape.shapeText)", at: span,
      notes: ["a tensor has at most \([Int].largestElementCount) elements"])
  }
}
