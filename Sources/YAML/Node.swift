import Diagnostics

/// A node of a parsed YAML document, with the characters it was written with.
///
/// Aliases and merge keys are already resolved: an aliased node is the anchored node itself, with
/// the anchored node's span, plus `alias`, the span of the `*name` that brought it here.
public struct Node: Sendable {
  public indirect enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([Entry])
  }

  public var content: Content
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
