import Diagnostics

/// Builds the node tree from events, without recursion: the depth of the text is the length of a
/// stack of frames, bounded by `Limits.depth`.
struct TreeBuilder {
  let file: SourceFile
  let limits: Limits
  private(set) var root: Node?
  private(set) var diagnostics: [Diagnostic] = []

  private var stack: [Frame] = []
  private var anchors: [String: Anchor] = [:]
  /// In written order; a message names the last of them.
  private var anchorNames: [String] = []
  private var documents = 0
  /// Nodes so far, aliases expanded.
  private var nodes = 0
  /// After a syntax error the tree is not kept, and anchors may be missing.
  private var isResumed = false
  private var cannotBeTrusted = false

  /// A collection whose end has not been read.
  private struct Frame {
    let isMapping: Bool
    let isFlow: Bool
    let start: Int
    /// Where the last child ends.
    var end: Int
    let anchor: String?
    var items: [Node] = []
    var entries: [Entry] = []
    var key: Key?
    /// The key was refused: its value is read and dropped.
    var dropsValue = false
    var keyIndices: [String: Int] = [:]
    var merges: [Merge] = []
    /// Nodes within, itself included, and collections within one another, itself included.
    var nodes = 1
    var height = 1
  }

  private struct Key {
    let text: String
    let span: Span
    let isMerge: Bool
  }

  private struct Merge {
    let index: Int
    let key: Span
    let value: Node
  }

  private struct Anchor {
    /// nil while the anchored collection is still open.
    var value: (node: Node, nodes: Int, height: Int)?
    let span: Span
  }

  init(file: SourceFile, limits: Limits) {
    self.file = file
    self.limits = limits
  }

  /// False: stop reading.
  mutating func take(_ event: Event) -> Bool {
    guard diagnostics.count <= limits.errors else {
      cannotBeTrusted = true
      return false
    }
    let span = Span(file: file, start: event.start, end: event.end)
    switch event.kind {
    case .documentStart:
      documents += 1
      if documents > 1 {
        diagnostics.append(.severalDocuments(Span(file: file, start: span.start, end: span.end)))
        return false
      }
    case .scalar(let text, let isQuoted):
      guard count(1, at: span, byAlias: false) else { return false }
      var scalar = Scalar(text, isQuoted: isQuoted)
      if let tag = event.tag { apply(tag, to: &scalar, at: span) }
      let node = Node(.scalar(scalar), span: span)
      if let anchor = event.anchor { define(anchor, Anchor(value: (node, 1, 0), span: span)) }
      let isMergeKey = text == "<<" && !isQuoted
      attach(node, nodes: 1, height: 0, isMergeKey: isMergeKey)
    case .alias(let name):
      return takeAlias(name, span)
    case .sequenceStart(let isFlow):
      return open(event, span, isMapping: false, isFlow: isFlow)
    case .mappingStart(let isFlow):
      return open(event, span, isMapping: true, isFlow: isFlow)
    case .sequenceEnd, .mappingEnd:
      close(span)
    case .other:
      break
    }
    return true
  }

  /// Forgets the unfinished tree; what follows is read only for its errors.
  mutating func restart() {
    stack = []
    documents = 0
    isResumed = true
  }

  mutating func finish(hasSyntaxErrors: Bool) {
    if isResumed || cannotBeTrusted { root = nil }
    guard !hasSyntaxErrors, !cannotBeTrusted else { return }
    if root?.isNull ?? true {
      root = nil
      diagnostics.append(.emptyDocument(Span(file: file, start: 0, end: 0)))
    }
  }

  // MARK: - Collections

  private mutating func open(
    _ event: Event, _ span: Span, isMapping: Bool, isFlow: Bool
  ) -> Bool {
    let opening = Span(file: file, start: event.start, end: min(event.start + 1, span.end))
    guard count(1, at: opening, byAlias: false) else { return false }
    guard stack.count < limits.depth else {
      diagnostics.append(.tooDeep(opening, limit: limits.depth))
      cannotBeTrusted = true
      return false
    }
    if let tag = event.tag {
      let own = isMapping ? "map" : "seq"
      if tag != "!", tag != Self.coreTag + own {
        diagnostics.append(.unsupportedTag(tag, before: opening))
      }
    }
    if let anchor = event.anchor { define(anchor, Anchor(value: nil, span: opening)) }
    stack.append(
      Frame(
        isMapping: isMapping, isFlow: isFlow, start: event.start, end: event.start,
        anchor: event.anchor))
    return true
  }

  private mutating func close(_ span: Span) {
    var frame = stack.removeLast()
    // Only a bracket ends a collection; in block style (and after the one pair of `[a: 1]`) the
    // end event stands at the next token, blank lines and comments later.
    if frame.isFlow, span.end > span.start { frame.end = span.end }
    if !frame.merges.isEmpty { merge(&frame) }
    let node = Node(
      frame.isMapping ? .mapping(frame.entries) : .sequence(frame.items),
      span: Span(file: file, start: frame.start, end: frame.end))
    if let anchor = frame.anchor {
      anchors[anchor]?.value = (node, frame.nodes, frame.height)
    }
    attach(node, nodes: frame.nodes, height: frame.height)
  }

  /// Puts a finished node where it belongs. `end` is where its text ends in the collection.
  private mutating func attach(
    _ node: Node, nodes: Int, height: Int, isMergeKey: Bool = false
  ) {
    guard let top = stack.indices.last else {
      if !isResumed, documents <= 1 { root = node }
      return
    }
    let end = node.alias?.end ?? node.span.end
    stack[top].end = max(stack[top].end, end)
    stack[top].nodes += nodes
    stack[top].height = max(stack[top].height, height + 1)
    guard stack[top].isMapping else {
      stack[top].items.append(node)
      return
    }
    if stack[top].dropsValue {
      stack[top].dropsValue = false
    } else if let key = stack[top].key {
      stack[top].key = nil
      if key.isMerge {
        stack[top].merges.append(
          Merge(index: stack[top].entries.count, key: key.span, value: node))
      } else {
        stack[top].entries.append(Entry(key: key.text, keySpan: key.span, value: node))
      }
    } else {
      takeKey(node, isMergeKey: isMergeKey, top)
    }
  }

  private mutating func takeKey(_ node: Node, isMergeKey: Bool, _ top: Int) {
    let span = node.alias ?? node.span
    guard let scalar = node.scalar, scalar.isQuoted || !scalar.text.isEmpty else {
      diagnostics.append(.keyNotScalar(node, span))
      stack[top].dropsValue = true
      return
    }
    if let first = firstUse(of: scalar.text, isMergeKey: isMergeKey, top) {
      diagnostics.append(.duplicateKey(scalar.text, span, first: first))
      stack[top].dropsValue = true
      return
    }
    stack[top].key = Key(text: scalar.text, span: span, isMerge: isMergeKey)
  }

  /// Where a key already stands in the open mapping. Small mappings are searched, large ones have
  /// an index, so that a mapping of 50 000 keys is not 50 000² comparisons.
  private mutating func firstUse(of key: String, isMergeKey: Bool, _ top: Int) -> Span? {
    if isMergeKey { return stack[top].merges.first?.key }
    let entries = stack[top].entries
    if entries.count < 16 { return entries.first { $0.key == key }?.keySpan }
    for index in stack[top].keyIndices.count..<entries.count {
      stack[top].keyIndices[entries[index].key] = index
    }
    return stack[top].keyIndices[key].map { entries[$0].keySpan }
  }

  // MARK: - Aliases and merge keys

  private mutating func define(_ name: String, _ anchor: Anchor) {
    if anchors.updateValue(anchor, forKey: name) == nil { anchorNames.append(name) }
  }

  private mutating func takeAlias(_ name: String, _ span: Span) -> Bool {
    guard let anchor = anchors[name] else {
      guard !isResumed else {
        attach(Node(.scalar(Scalar("")), span: span), nodes: 1, height: 0)
        return true
      }
      diagnostics.append(.unknownAlias(name, span, known: anchorNames.suffix(30).sorted()))
      cannotBeTrusted = true
      attach(Node(.scalar(Scalar(name)), span: span), nodes: 1, height: 0)
      return true
    }
    guard let (anchored, nodes, height) = anchor.value else {
      diagnostics.append(.recursiveAlias(name, span, anchor: anchor.span))
      cannotBeTrusted = true
      attach(Node(.scalar(Scalar(name)), span: span), nodes: 1, height: 0)
      return true
    }
    guard count(nodes, at: span, byAlias: true) else { return false }
    guard stack.count + height <= limits.depth else {
      diagnostics.append(.tooDeep(span, limit: limits.depth))
      cannotBeTrusted = true
      return false
    }
    var node = anchored
    node.alias = span
    attach(node, nodes: nodes, height: height)
    return true
  }

  /// Expands `<<: *a` and `<<: [*a, *b]`: a key written in the mapping itself wins, then the
  /// earlier of the merged mappings.
  private mutating func merge(_ frame: inout Frame) {
    var known = Set(frame.entries.map(\.key))
    var entries: [Entry] = []
    var next = 0
    for merge in frame.merges {
      entries += frame.entries[next..<merge.index]
      next = merge.index
      for source in merge.value.sequence ?? [merge.value] {
        guard let added = source.mapping else {
          diagnostics.append(.invalidMerge(source, merge.key))
          cannotBeTrusted = true
          continue
        }
        for var entry in added where known.insert(entry.key).inserted {
          entry.value.alias = source.alias ?? merge.value.alias ?? merge.key
          entries.append(entry)
        }
      }
    }
    frame.entries = entries + frame.entries[next...]
  }

  /// False, with a diagnostic, once the document has too many nodes.
  private mutating func count(_ added: Int, at span: Span, byAlias: Bool) -> Bool {
    nodes += added
    guard nodes > limits.nodes else { return true }
    diagnostics.append(.tooManyNodes(span, limit: limits.nodes, byAlias: byAlias))
    cannotBeTrusted = true
    return false
  }

  // MARK: - Tags

  private static let coreTag = "tag:yaml.org,2002:"

  /// `!!str 3` is a string and `!!int "3"` a number; a tag that the text does not fit, and every
  /// other tag, is refused.
  private mutating func apply(_ tag: String, to scalar: inout Scalar, at span: Span) {
    let plain = Scalar(scalar.text)
    let fits: Bool
    switch tag {
    case "!", Self.coreTag + "str":
      scalar.isQuoted = true
      return
    case Self.coreTag + "int": fits = plain.int != nil
    case Self.coreTag + "float": fits = plain.double != nil
    case Self.coreTag + "bool": fits = plain.bool != nil
    case Self.coreTag + "null": fits = plain.isNull
    default: fits = false
    }
    if fits { scalar = plain } else { diagnostics.append(.unsupportedTag(tag, before: span)) }
  }
}

extension Diagnostic {
  fileprivate static func severalDocuments(_ span: Span) -> Diagnostic {
    Diagnostic(
      .severalDocuments, "a second document begins here", at: span,
      notes: ["a file describes one experiment"], help: "move it to a file of its own")
  }

  fileprivate static func emptyDocument(_ span: Span) -> Diagnostic {
    Diagnostic(
      .emptyDocument, "the description is empty", at: span, help: "begin it with `lgc: 1`")
  }

  fileprivate static func tooDeep(_ span: Span, limit: Int) -> Diagnostic {
    Diagnostic(
      .tooDeep, "lists and mappings are nested more than \(limit) deep", at: span)
  }

  fileprivate static func tooManyNodes(_ span: Span, limit: Int, byAlias: Bool) -> Diagnostic {
    Diagnostic(
      .tooManyNodes,
      byAlias
        ? "with this alias the description has more than \(limit) nodes"
        : "the description has more than \(limit) nodes", at: span,
      notes: byAlias ? ["an alias counts as all the nodes that it stands for"] : [])
  }

  fileprivate static func duplicateKey(_ key: String, _ span: Span, first: Span) -> Diagnostic {
    Diagnostic(
      .duplicateKey, "the key `\(key)` stands twice in one mapping", at: span,
      labels: [Label(first, "first written here")], help: "keep one of them")
  }

  fileprivate static func keyNotScalar(_ node: Node, _ span: Span) -> Diagnostic {
    Diagnostic(
      .keyNotScalar,
      node.scalar != nil
        ? "a key is missing before `:`" : "\(node.kindDescription) stands as a key",
      at: span, notes: ["a key is a word or a number"])
  }

  fileprivate static func unknownAlias(
    _ name: String, _ span: Span, known: [String]
  ) -> Diagnostic {
    let anchors = known.map { "`&\($0)`" }.joined(separator: ", ")
    return Diagnostic(
      .unknownAlias, "no anchor `&\(name)` stands before this alias", at: span,
      notes: known.isEmpty
        ? [] : ["\(known.count < 30 ? "anchors so far" : "the last anchors"): \(anchors)"],
      help: Suggestion.closest(to: name, among: known).map { "did you mean `*\($0)`?" })
  }

  fileprivate static func recursiveAlias(
    _ name: String, _ span: Span, anchor: Span
  ) -> Diagnostic {
    Diagnostic(
      .unknownAlias, "`*\(name)` stands inside the very value that it names", at: span,
      labels: [Label(anchor, "the value begins here")])
  }

  fileprivate static func invalidMerge(_ source: Node, _ key: Span) -> Diagnostic {
    Diagnostic(
      .invalidMerge, "`<<` merges mappings, and this is \(source.kindDescription)",
      at: source.alias ?? source.span, labels: [Label(key, "the merge key")])
  }

  fileprivate static func unsupportedTag(_ tag: String, before span: Span) -> Diagnostic {
    let short = tag.hasPrefix("tag:yaml.org,2002:") ? "!!" + tag.dropFirst(18) : tag
    return Diagnostic(
      .unsupportedTag, "the tag `\(short)` does not apply here", at: span,
      notes: ["known tags: !!str, !!int, !!float, !!bool, !!null, !!seq, !!map"])
  }
}
