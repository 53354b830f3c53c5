import Diagnostics
import Rounding
import Tensors
import YAML

/// Parses and resolves one description. Everything that is wrong is in `diagnostics`, ordered by
/// place; `experiment` is nil when any of it is an error.
///
/// - Parameters:
///   - directory: where relative paths in the description start, those of parents' data too.
///   - overrides: `--set`, applied in order after `extends` and before variables are replaced.
public func loadExperiment(
  _ file: SourceFile, catalogs: Catalogs, directory: String, overrides: [Override] = []
) -> (experiment: Experiment?, diagnostics: [Diagnostic]) {
  let (root, parseDiagnostics) = parse(file)
  var diagnostics = parseDiagnostics
  guard let root else { return (nil, inOrder(diagnostics, of: [file])) }
  var extending = Extending(file, directory: directory, read: readDescription)
  let merged = extending.merged(root, directory: directory)
  diagnostics += extending.diagnostics
  guard var root = merged else { return (nil, inOrder(diagnostics, of: extending.files)) }
  for override in overrides {
    override.apply(to: &root, catalogs: catalogs, into: &diagnostics)
  }
  var variables = Variables()
  let substituted = variables.substituted(root)
  diagnostics += variables.diagnostics
  guard let root = substituted else { return (nil, inOrder(diagnostics, of: extending.files)) }
  let resolver = Resolver(file: file, catalogs: catalogs)
  let experiment = resolver.resolve(root)
  diagnostics += resolver.diagnostics
  diagnostics = inOrder(diagnostics, of: extending.files)
  return (diagnostics.errorCount == 0 ? experiment : nil, diagnostics)
}

/// By place in the first of `files`, then in the others (places in overrides come last), each said
/// once: an anchored node or a repeated block is looked at several times.
private func inOrder(_ diagnostics: [Diagnostic], of files: [SourceFile]) -> [Diagnostic] {
  struct Key: Hashable {
    var code: DiagnosticCode
    var message: String
    var span: Span?
  }
  var seen: Set<Key> = []
  let distinct = diagnostics.filter {
    seen.insert(Key(code: $0.code, message: $0.message, span: $0.span)).inserted
  }
  func rank(_ diagnostic: Diagnostic) -> (Int, Int) {
    guard let span = diagnostic.span else { return (0, 0) }
    return (files.firstIndex { $0 === span.file } ?? files.count, span.start)
  }
  let ordered = distinct.enumerated().sorted { a, b in
    let (x, y) = (rank(a.element), rank(b.element))
    return x == y ? a.offset < b.offset : x < y
  }.map(\.element)
  let limit = Limits.standard.errors
  return ordered.count <= limit
    ? ordered : ordered.prefix(limit) + [.tooManyErrors(limit, at: ordered[limit].span)]
}

extension Diagnostic {
  fileprivate static func tooManyErrors(_ limit: Int, at span: Span?) -> Diagnostic {
    Diagnostic(
      .tooManyErrors, "the description has more than \(limit) errors", at: span,
      notes: ["what is wrong from here on is not told"],
      help: "repair the first ones, and check again")
  }
}

/// The state of one resolution: the catalogs and what was found wrong.
final class Resolver {
  let file: SourceFile
  let catalogs: Catalogs
  var diagnostics: [Diagnostic] = []
  /// Of the layer that is being decoded: how many blocks it stands in.
  var blockDepth = 0

  init(file: SourceFile, catalogs: Catalogs) {
    self.file = file
    self.catalogs = catalogs
  }

  static let topLevelKeys = [
    "lgc", "name", "extends", "vars", "data", "model", "models", "loss", "regularize", "optimizer",
    "train", "targets", "report",
  ]

  /// Past the limit nothing more is looked for: the description is refused anyway.
  var hasEnoughErrors: Bool { diagnostics.count > Limits.standard.errors }

  func resolve(_ root: Node) -> Experiment? {
    guard let entries = root.mapping else {
      diagnostics.append(
        .expected("a mapping of top-level keys", found: root, help: "begin the file with `lgc: 1`"))
      return nil
    }
    // The keys of a newer language may mean something else: say only that it is newer.
    guard checkVersion(root) else { return nil }
    for entry in entries
    where !Self.topLevelKeys.contains(entry.key) && !entry.key.isFreeKey && !hasEnoughErrors {
      diagnostics.append(.unknownTopLevelKey(entry))
    }
    let name = resolveName(root)
    if let models = root.entry("models") { return resolveModels(models, of: root, name: name) }
    let model = root.entry("model")
    if model == nil, !entries.misspells("model", allowed: Self.topLevelKeys),
      !entries.misspells("models", allowed: Self.topLevelKeys)
    {
      diagnostics.append(
        .missingKey("model", of: "the description", at: root.startSpan, "the network"))
    }
    let section = model.flatMap { decodeModel($0) }
    let data = root.entry("data").flatMap { resolveData($0, input: section?.input) }
    var network = section.flatMap {
      NetworkBuilder($0, name: "model", domain: data?.inputDomain, diagnostics: self).build()
    }
    let regularisers = root.entry("regularize").map { resolveRegularisers($0) }
    network?.regularisers = regularisers ?? []
    let loss = root.entry("loss").flatMap { resolveLoss($0, network: network) }
    if let network {
      checkRegularisers(of: network, labels: loss?.section.loss.usualLabels ?? .classes)
    }
    let optimizer = resolveOptimizer(root.entry("optimizer"))
    let train = resolveTrain(root.entry("train"))
    checkStopping(train, data)
    let targets = root.entry("targets").map {
      resolveTargets($0.value, networks: ["model"], norm: section?.lipschitz?.norm ?? .l2)
    }
    let report = resolveReport(root, isAdversarial: false)
    guard let name, let section, let network, let train else { return nil }
    var experiment = Experiment(
      name: name, file: file, networks: [network], data: data, loss: loss?.section,
      optimizer: optimizer?.section, train: train, targets: targets ?? [],
      report: report)
    experiment.resolvedText = resolvedText(
      experiment, models: [(section, nil)], data: data, loss: loss?.arguments,
      optimizer: optimizer?.arguments)
    return experiment
  }

  /// false: the rest of the file is in a language that this lgc does not know.
  private func checkVersion(_ root: Node) -> Bool {
    guard let entry = root.entry("lgc") else {
      diagnostics.append(
        Diagnostic(
          .missingKey, "the description does not say its language version", at: root.startSpan,
          help: "begin the file with `lgc: 1`"))
      return true
    }
    guard let version = Int.decode(entry.value, range: nil, into: &diagnostics) else {
      return true
    }
    if version == 1 { return true }
    diagnostics.append(
      Diagnostic(
        .languageVersion,
        version > 1
          ? "the description is in version \(version) of the language, this lgc reads version 1"
          : "there is no version \(version) of the language",
        at: entry.value.span,
        help: version > 1 ? "use a newer lgc" : "write `lgc: 1`"))
    return version < 1
  }

  private func resolveName(_ root: Node) -> String? {
    guard let entry = root.entry("name") else {
      if root.mapping?.misspells("name", allowed: Self.topLevelKeys) == true { return nil }
      diagnostics.append(
        .missingKey(
          "name", of: "the description", at: root.startSpan, "what its runs are called after"))
      return nil
    }
    guard let name = String.decode(entry.value, range: nil, into: &diagnostics) else {
      return nil
    }
    // The name becomes part of a folder's name.
    let isUsable =
      !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 100
      && name.unicodeScalars.allSatisfy { $0 != "/" && $0.value >= 0x20 && $0.value != 0x7F }
    guard isUsable else {
      diagnostics.append(
        Diagnostic(
          .outOfRange, "the name cannot be part of a folder's name", at: entry.value.span,
          help: "use up to 100 bytes without `/` and line breaks, and not a dot at the start"))
      return nil
    }
    return name
  }

  /// The kind of a family that a word names, or a diagnostic: unknown.
  func kind<Kind>(
    _ word: String, at span: Span, of kinds: [Kind], _ name: (Kind) -> String,
    alsoAllowed: [String] = [], family: String
  ) -> Kind? {
    if let kind = kinds.first(where: { name($0) == word }) { return kind }
    let words = kinds.map(name) + alsoAllowed.filter { !kinds.map(name).contains($0) }
    diagnostics.append(
      Diagnostic(
        .unknownKind, "unknown \(family) `\(word)`", at: span,
        notes: ["known: " + words.map { "`\($0)`" }.joined(separator: ", ")],
        help: didYouMean(word, among: words)))
    return nil
  }

  /// A section whose kind stands under `key` (`type`, `family`), or is the whole section
  /// (`loss: mse`). The body is nil in the latter case.
  func sectionKind(_ entry: Entry, key: String) -> (word: String, span: Span, body: Node?)? {
    if entry.value.mapping != nil {
      guard let kind = entry.value.entry(key) else {
        let misspelled = entry.value.mapping?.first {
          meant(by: $0.key, among: [key]) != nil
        }
        diagnostics.append(
          misspelled.map { .unknownKey($0, of: entry.key, allowed: [key]) }
            ?? .missingKey(
              key, of: entry.key, at: entry.keySpan, "the kind of `\(entry.key)`"))
        return nil
      }
      guard let word = String.decode(kind.value, range: nil, into: &diagnostics) else {
        return nil
      }
      return (word, kind.value.span, entry.value)
    }
    guard let word = entry.value.string else {
      diagnostics.append(.expected("a mapping with the key `\(key)`", found: entry.value))
      return nil
    }
    return (word, entry.value.span, nil)
  }
}

extension Resolver {
  /// Keys of sections that are no top-level keys.
  fileprivate static let homes: [(section: String, keys: [String])] = [
    ("model", modelKeys),
    ("train", ["epochs", "steps", "batch", "seed", "checkpoint", "stop_when", "critic_steps"]),
    ("data", ["range", "standardize", "shuffle", "validation", "augment"]),
    ("optimizer", ["lr", "schedule", "clip_gradient"]),
  ]
}

extension Diagnostic {
  /// A key that belongs in a section was not indented, more often than it was misspelled.
  fileprivate static func unknownTopLevelKey(_ entry: Entry) -> Diagnostic {
    let home = Resolver.homes.first { $0.keys.contains(entry.key) }?.section
    var diagnostic = unknownKey(entry, of: "the description", allowed: Resolver.topLevelKeys)
    if let home {
      diagnostic.help = "indent it: it belongs in `\(home)`"
    }
    return diagnostic
  }
}

extension Node {
  /// The first line of the node, for what is missing as a whole: a caret under the whole file
  /// would say nothing.
  var startSpan: Span {
    if let first = mapping?.first { return first.keySpan }
    return Span(file: span.file, start: span.start, end: min(span.start + 1, span.end))
  }
}
