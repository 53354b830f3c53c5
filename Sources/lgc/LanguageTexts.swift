import Diagnostics
import Model

/// What `lgc explain` says of kinds and keys.
enum LanguageTexts {
  static var language: Language { Language(DescriptionFile.catalogs) }

  /// What `lgc schema` prints, with a line break at the end.
  static var schema: String { language.schema.text(columns: 100) + "\n" }

  // MARK: kinds

  /// A kind, in one family or wherever there is one; nil: none.
  static func kind(_ word: String, family: String? = nil) -> String? {
    let found = language.families.flatMap { group in
      group.kinds.filter { $0.kind == word && (family == nil || matches(group, family!)) }
        .map { text($0, group) }
    }
    return found.isEmpty ? nil : found.joined(separator: "\n")
  }

  /// The kinds of a family, one a line; nil: no such family.
  static func kinds(of family: String) -> String? {
    let groups = language.families.filter { matches($0, family) }
    if groups.isEmpty { return nil }
    let rows = groups.flatMap { group in group.kinds.map { [$0.kind, $0.summary] } }
    return aligned(rows, rightAligned: []).joined(separator: "\n") + "\n"
  }

  /// `layer` and `layers` for the one, `loss` for both kinds of losses.
  private static func matches(_ group: Language.Family, _ word: String) -> Bool {
    let plural = group.name.hasSuffix("s") ? group.name + "es" : group.name + "s"
    return word == group.name || word == plural
      || (group.name.hasSuffix("loss") && ["loss", "losses"].contains(word))
  }

  private static func text(_ kind: any CatalogUnit.Type, _ group: Language.Family) -> String {
    var out = "\(kind.kind) (\(group.name))\n\n\(kind.summary)\n"
    let keys = kind.arguments.map { LanguageKey($0) }
    if !keys.isEmpty { out += "\n" + table(keys) }
    if let shorthand = kind.shorthand {
      out += "\nA bare value sets `\(shorthand)`.\n"
    }
    if group.name == "layer" {
      out += "\nEvery layer also has " + language.layerKeys.map { "`\($0.name)`" }
        .joined(separator: ", ") + ".\n"
    }
    let good = kind.examples.filter { $0.code == nil }
    let bad = kind.examples.filter { $0.code != nil }
    if !good.isEmpty {
      out += "\nRight:\n" + good.map { "    \($0.yaml)\n" }.joined()
    }
    if !bad.isEmpty {
      let rows = bad.map { [$0.yaml, "\($0.code!.id) \($0.code!.name)"] }
      out += "\nWrong, at the mark:\n"
        + aligned(rows, rightAligned: []).map { "    \($0)\n" }.joined()
    }
    return out
  }

  private static func table(_ keys: [LanguageKey]) -> String {
    let rows = keys.map { key in
      [
        key.name, key.expectation,
        key.defaultText.map { "default \($0)" } ?? (key.isRequired ? "required" : "optional"),
        key.summary,
      ]
    }
    return aligned(rows, rightAligned: []).map { "  \($0)\n" }.joined()
  }

  // MARK: keys

  /// A key by its path, with what stands in it; nil: none.
  static func key(_ path: String) -> String? {
    guard let key = LanguageKey.find(path, among: language.keys).key else { return nil }
    var out = "\(path)\n\n\(key.summary)\n\nTakes \(key.expectation)."
    out += key.defaultText.map { " Default \($0)." } ?? (key.isRequired ? " Required." : "")
    out += "\n"
    if !key.members.isEmpty { out += "\nIn it:\n" + table(key.members) }
    return out
  }

  /// All top-level keys.
  static var keys: String { table(language.keys) }

  // MARK: what is near

  static var families: [String] { language.families.map(\.name) }

  /// Every word that `lgc explain` knows.
  static var words: [String] {
    language.families.flatMap { $0.kinds.map { $0.kind } } + Explanation.all.map(\.code.name)
      + language.keys.map(\.name)
  }

  static func near(key path: String) -> String? {
    let siblings = LanguageKey.find(path, among: language.keys).siblings
    let last = path.split(separator: ".").last.map(String.init) ?? ""
    return Suggestion.closest(to: last, among: siblings.map(\.name))
  }
}
