import Diagnostics
import YAML

/// Decodes the arguments of a catalogued unit from its YAML.
///
/// `node` is what stands after the unit's word: nil or null (a bare `relu`), a mapping of
/// arguments, or the value of the unit's shorthand argument (`dense: 512`). Everything that is
/// wrong is reported, each at the smallest place: unknown and missing keys, wrong types, numbers
/// out of range. nil: something was.
///
/// - Parameters:
///   - named: the unit's word; a missing key is reported there.
///   - common: keys that the caller reads itself (`name`, `lipschitz`, …).
public func decode(
  unit: any CatalogUnit.Type, node: Node?, named: Span, common: [String] = [],
  into diagnostics: inout [Diagnostic]
) -> Arguments? {
  decodeArguments(
    unit.arguments, of: unit.kind, node: node, named: named, shorthand: unit.shorthand,
    common: common, into: &diagnostics)
}

/// The same for any set of declared keys (a section of the description).
func decodeArguments(
  _ declarations: [any ArgumentDeclaration], of unit: String, node: Node?, named: Span,
  shorthand: String? = nil, common: [String] = [],
  into diagnostics: inout [Diagnostic]
) -> Arguments? {
  let before = diagnostics.errorCount
  var values: [String: any Sendable] = [:]
  var spans: [String: Span] = [:]
  var written: Set<String> = []
  let allowed = declarations.map(\.name) + common

  func decodeValue(_ declaration: any ArgumentDeclaration, _ node: Node) {
    written.insert(declaration.name)
    spans[declaration.name] = node.span
    if let value = declaration.decodeErased(node, into: &diagnostics) {
      values[declaration.name] = value
    }
  }

  if let node, !node.isNull {
    if let entries = node.mapping {
      for entry in entries where diagnostics.count <= Limits.standard.errors {
        if let declaration = declarations.first(where: { $0.name == entry.key }) {
          decodeValue(declaration, entry.value)
        } else if !common.contains(entry.key), !entry.key.isFreeKey {
          diagnostics.append(.unknownKey(entry, of: unit, allowed: allowed))
        }
      }
    } else if let argument = declarations.first(where: { $0.name == shorthand }) {
      decodeValue(argument, node)
    } else {
      diagnostics.append(.notArguments(node, of: unit, allowed))
      return nil
    }
  }
  for declaration in declarations where !written.contains(declaration.name) {
    if let value = declaration.defaultErased {
      values[declaration.name] = value
    } else if declaration.isRequired,
      node?.mapping?.misspells(declaration.name, allowed: allowed) != true
    {
      diagnostics.append(.missingKey(declaration, of: unit, at: named))
    }
  }
  guard diagnostics.errorCount == before else { return nil }
  return Arguments(span: named, values: values, spans: spans)
}

/// Runs a unit's initialiser; a refusal becomes a diagnostic under the argument it names.
func instantiate<Unit>(
  _ arguments: Arguments, into diagnostics: inout [Diagnostic],
  _ make: (Arguments) throws(ArgumentProblem) -> Unit
) -> Unit? {
  do throws(ArgumentProblem) {
    return try make(arguments)
  } catch {
    diagnostics.append(
      Diagnostic(
        error.code, error.message,
        at: error.argument.map { arguments.span(of: $0) } ?? arguments.span, help: error.help))
    return nil
  }
}

extension [Entry] {
  /// Whether one of the keys is `key` misspelled: then that is the one error, and not a missing
  /// key as well.
  func misspells(_ key: String, allowed: [String]) -> Bool {
    contains {
      !allowed.contains($0.key) && !$0.key.isFreeKey
        && meant(by: $0.key.beforeColon ?? $0.key, among: allowed) == key
    }
  }
}

extension String {
  /// `epochs` of `epochs:10`, which YAML takes for one word; nil without such a colon.
  fileprivate var beforeColon: String? {
    guard let colon = firstIndex(of: ":"), colon > startIndex else { return nil }
    return String(self[..<colon])
  }

  /// `loss` of `loss {family: mse}`, which YAML takes for the key `loss {family`.
  fileprivate var beforeBracket: String? {
    guard let bracket = firstIndex(where: { $0 == "{" || $0 == "[" }) else { return nil }
    let word = self[..<bracket]
    return word.hasSuffix(" ") ? String(word.dropLast()) : String(word)
  }
}

extension [Diagnostic] {
  var errorCount: Int { count { $0.severity == .error } }
}

// MARK: messages

extension Diagnostic {
  static func unknownKey(_ entry: Entry, of unit: String, allowed: [String]) -> Diagnostic {
    let list = allowed.map { "`\($0)`" }.joined(separator: ", ")
    let isBare = entry.value.isNull
    var help = didYouMean(entry.key, among: allowed)
    if isBare, let word = entry.key.beforeColon, allowed.contains(word) {
      help = "put a blank after the colon: `\(word): \(entry.key.dropFirst(word.count + 1))`"
    } else if let word = entry.key.beforeBracket, allowed.contains(word) {
      help = "put a colon after the word: `\(word): \(entry.key.dropFirst(word.count + 1))…`"
    } else if isBare, Scalar(entry.key).int != nil {
      // `{bound: 1,5}`
      help = "a decimal number is written with a point, as `1.5`"
    }
    return Diagnostic(
      .unknownKey, "unknown key `\(entry.key)` in \(quoted(unit))", at: entry.keySpan,
      notes: allowed.isEmpty ? ["`\(unit)` has no keys"] : ["allowed keys: \(list)"],
      help: help)
  }

  fileprivate static func missingKey(
    _ declaration: any ArgumentDeclaration, of unit: String, at span: Span
  ) -> Diagnostic {
    missingKey(declaration.name, of: unit, at: span, declaration.expectation)
  }

  static func missingKey(
    _ key: String, of unit: String, at span: Span?, _ expectation: String
  ) -> Diagnostic {
    Diagnostic(
      .missingKey, "the key `\(key)` is missing in \(quoted(unit))", at: span,
      help: "add `\(key): …`, \(expectation)")
  }

  /// A word of the language stands in backquotes, `the description` does not.
  private static func quoted(_ unit: String) -> String {
    unit.utf8.contains(UInt8(ascii: " ")) ? unit : "`\(unit)`"
  }

  static func notArguments(_ node: Node, of unit: String, _ keys: [String]) -> Diagnostic {
    Diagnostic(
      .wrongType, "expected a mapping of the keys of `\(unit)`, found \(node.kindDescription)",
      at: node.span,
      notes: keys.isEmpty ? [] : ["its keys: " + keys.map { "`\($0)`" }.joined(separator: ", ")])
  }
}
