import Diagnostics
import Glibc
import YAML

/// `extends: other.yaml`: one parent, its path relative to the file that names it.
///
/// Mappings merge key by key, the child's values before the parent's; lists and scalars replace; a
/// mapping that names another kind (`type`, `family`) replaces as a whole, since the parent's
/// arguments belong to the other kind; nothing or `null` takes a parent's key away. Every node keeps
/// the place where it was written, so a diagnostic points into the parent's file.
struct Extending {
  private let read: (String) throws(DiagnosticError) -> SourceFile
  /// The files so far, the child first, and their real paths.
  private(set) var files: [SourceFile]
  private var paths: [String]
  private(set) var diagnostics: [Diagnostic] = []

  /// Parents of parents of …: more are a mistake.
  private static let longestChain = 32
  /// Bytes and nodes of all files together: a chain has the limits of one description.
  private var bytes: Int
  private var nodes = 0

  /// - Parameters:
  ///   - directory: of `file`.
  ///   - read: reads a parent.
  init(
    _ file: SourceFile, directory: String,
    read: @escaping (String) throws(DiagnosticError) -> SourceFile
  ) {
    self.read = read
    files = [file]
    bytes = file.bytes.count
    paths = [Self.realPath(file.path)]
  }

  /// The tree of a file and all its parents; nil: one cannot be read.
  mutating func merged(_ root: Node, directory: String) -> Node? {
    guard let entry = root.entry("extends") else { return root }
    if files.count == 1 { nodes = root.size.nodes }
    let node = entry.value
    guard let name = node.string, !name.isEmpty else {
      diagnostics.append(
        .expected(
          "the path of a description", found: node,
          help: node.sequence == nil ? nil : "a description has one parent, which may have one"))
      return nil
    }
    let path = name.hasPrefix("/") || directory == "." ? name : "\(directory)/\(name)"
    let real = Self.realPath(path)
    if let index = paths.firstIndex(of: real) {
      diagnostics.append(.cycle(name, at: node.span, files[index...].map(\.path)))
      return nil
    }
    guard paths.count <= Self.longestChain else {
      diagnostics.append(
        Diagnostic(
          .invalidExtends, "more than \(Self.longestChain) descriptions extend each other",
          at: node.span))
      return nil
    }
    let file: SourceFile
    do throws(DiagnosticError) {
      file = try read(path)
    } catch {
      diagnostics.append(
        Diagnostic(
          .invalidExtends, error.diagnostics.first?.message ?? "cannot read `\(path)`",
          at: node.span, help: "the path is relative to the file that says `extends`"))
      return nil
    }
    files.append(file)
    paths.append(real)
    bytes += file.bytes.count
    guard bytes <= Limits.standard.bytes else {
      diagnostics.append(
        .tooMuch(.tooLarge, "are larger than \(Limits.standard.bytes >> 20) MiB", at: node.span))
      return nil
    }
    let (parsed, problems) = parse(file)
    diagnostics += problems
    guard let parsed else { return nil }
    nodes += parsed.size.nodes
    guard nodes <= Limits.standard.nodes else {
      diagnostics.append(
        .tooMuch(.tooManyNodes, "have more than \(Limits.standard.nodes) nodes", at: node.span))
      return nil
    }
    guard parsed.mapping != nil else {
      diagnostics.append(.expected("a mapping of top-level keys", found: parsed))
      return nil
    }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard var parent = merged(parsed, directory: folder) else { return nil }
    var child = root
    child.content = .mapping((root.mapping ?? []).filter { $0.key != "extends" })
    parent = Self.merge(child, over: parent)
    // Positions of the whole are the child's.
    parent.span = root.span
    return parent
  }

  /// `child` where it says something, else `parent`.
  private static func merge(_ child: Node, over parent: Node) -> Node {
    guard let ours = child.mapping, let theirs = parent.mapping else { return child }
    for key in ["type", "family"] {
      if let a = child[key]?.scalar, let b = parent[key]?.scalar, a.text != b.text { return child }
    }
    var places: [String: Int] = [:]
    for (index, entry) in ours.enumerated() { places[entry.key] = index }
    var isUsed = [Bool](repeating: false, count: ours.count)
    var entries: [Entry] = []
    for entry in theirs {
      guard let place = places[entry.key] else {
        entries.append(entry)
        continue
      }
      isUsed[place] = true
      if ours[place].value.isNull { continue }
      var merged = ours[place]
      merged.value = merge(ours[place].value, over: entry.value)
      entries.append(merged)
    }
    entries += zip(ours, isUsed).filter { !$1 }.map(\.0)
    var result = child
    result.content = .mapping(entries)
    return result
  }

  /// The path without links and dots; itself where there is no such file.
  private static func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

// MARK: messages

extension Diagnostic {
  fileprivate static func tooMuch(
    _ code: DiagnosticCode, _ what: String, at span: Span
  ) -> Diagnostic {
    Diagnostic(code, "with this parent the descriptions together \(what)", at: span)
  }

  fileprivate static func cycle(_ name: String, at span: Span, _ files: [String]) -> Diagnostic {
    Diagnostic(
      .invalidExtends, "`\(name)` extends this description itself", at: span,
      notes: files.count < 2 ? [] : ["the way round: " + listed(files)],
      help: "leave out one `extends`")
  }
}
