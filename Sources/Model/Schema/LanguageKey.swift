import Diagnostics

/// A key of the description outside the kinds' own arguments, or one of these, as the schema, the
/// reference and `lgc explain key` know it.
public struct LanguageKey: Sendable {
  public let name: String
  public let summary: String
  /// `a whole number ≥ 1`
  public let expectation: String
  /// As it would be written; nil: none.
  public let defaultText: String?
  public let isRequired: Bool
  public let schema: JSONValue
  /// What stands inside.
  public let members: [LanguageKey]

  init(
    _ name: String, _ summary: String, _ expectation: String, default defaultText: String? = nil,
    isRequired: Bool = false, schema: JSONValue = .object([]), members: [LanguageKey] = []
  ) {
    self.name = name
    self.summary = summary
    self.expectation = expectation
    self.defaultText = defaultText
    self.isRequired = isRequired
    self.schema = schema
    self.members = members
  }

  public init(_ declaration: any ArgumentDeclaration) {
    self.init(
      declaration.name, declaration.summary, declaration.expectation,
      default: declaration.defaultText, isRequired: declaration.isRequired,
      schema: declaration.schema)
  }

  /// The key at `path` (`train.epochs`) among `keys`, and those beside its last word.
  public static func find(
    _ path: String, among keys: [LanguageKey]
  ) -> (key: LanguageKey?, siblings: [LanguageKey]) {
    var siblings = keys
    var found: LanguageKey?
    for word in path.split(separator: ".") {
      if let found { siblings = found.members }
      guard let next = siblings.first(where: { $0.name == word }) else { return (nil, siblings) }
      found = next
    }
    return (found, siblings)
  }

  // MARK: schema

  /// The schema with the sentence that an editor shows.
  var described: JSONValue {
    guard case .object(let members) = schema else { return schema }
    return .object([("description", .string(summary))] + members)
  }

  /// A mapping with these keys and free ones, and no others.
  static func object(
    _ keys: [LanguageKey], more: [(key: String, value: JSONValue)] = [], isOpen: Bool = false
  ) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      (key: "type", value: "object"),
      (key: "properties", value: .object(more + keys.map { ($0.name, $0.described) })),
      // `<<` takes members from elsewhere.
      (key: "patternProperties", value: ["^(x-|<<$)": .object([])]),
      (key: "additionalProperties", value: .bool(isOpen)),
    ]
    let required = keys.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { members.append((key: "required", value: .array(required))) }
    return .object(members)
  }
}
