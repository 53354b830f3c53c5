import Diagnostics

/// A node of a parsed YAML document, with the characters it was written with.
///
/// Aliases and merge keys are already resolved: an aliased node is the anchored node itself, with
/// the anchored node's span, plus `alias`, the span of the `*name` that brought it here.
public struct Node: Sendable {
  public enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([Entry])
  }

  public var content: Content
  /// From the first to the last character of the value itself: without anchor, tag, comment and
  /// trailing blanks. An absent value (`key:`) has an empty span just after the colon.
  public var span: Span
  /// Where the node was brought in by `*name` or `<<`, if it was.
  public var alias: Span?

  public init(_ content: Content, span: Span, alias: Span? = nil) {
    self.content = content
    self.span = span
    self.alias = alias
  }
}

/// One `key: value` of a mapping, in written order.
public struct Entry: Sendable {
  public var key: String
  public var keySpan: Span
  public var value: Node

  public init(key: String, keySpan: Span, value: Node) {
    self.key = key
    self.keySpan = keySpan
    self.value = value
  }
}

/// A scalar's text and whether it was written in quotes (then it is a string whatever it holds).
public struct Scalar: Sendable, Hashable {
  public var text: String
  public var isQuoted: Bool

  public init(_ text: String, isQuoted: Bool = false) {
    self.text = text
    self.isQuoted = isQuoted
  }
}

extension Node {
  public var scalar: Scalar? {
    if case .scalar(let scalar) = content { scalar } else { nil }
  }
  public var sequence: [Node]? {
    if case .sequence(let items) = content { items } else { nil }
  }
  public var mapping: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  /// The entry of a mapping under a key; nil where there is none or the node is no mapping.
  public func entry(_ key: String) -> Entry? {
    mapping?.first { $0.key == key }
  }
  public subscript(_ key: String) -> Node? { entry(key)?.value }

  /// What stands here, as a message says it: "a list", "a mapping", "the string `x`",
  /// "the number 3", "the boolean true", "nothing".
  public var kindDescription: String {
    switch content {
    case .sequence: return "a list"
    case .mapping: return "a mapping"
    case .scalar(let scalar):
      if scalar.isNull { return "nothing" }
      if scalar.bool != nil { return "the boolean \(scalar.text)" }
      if scalar.double != nil { return "the number \(scalar.text)" }
      // By scalars of the first forty: the text may be megabytes.
      let start = scalar.text.unicodeScalars.prefix(41)
      let oneLine = start.prefix { $0 != "\n" }
      let isWhole = oneLine.count == start.count && start.count <= 40
      return "the string `\(String(isWhole ? oneLine : oneLine.prefix(39)))\(isWhole ? "" : "…")`"
    }
  }
}
