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

  /// The key of a section of a description that may have a parent: it may be left to the parent,
  /// and nothing takes the parent's away.
  var asOptional: LanguageKey {
    LanguageKey(
      name, summary, expectation, default: defaultText, isRequired: false,
      schema: schema.with(["type": "null"]), members: members)
  }

  /// The key in an element of a list: it is there with all that it must have, as its `whole` schema
  /// says.
  func asWhole(_ whole: JSONValue) -> LanguageKey {
    let forms = [schema, whole.requirements([:])].compactMap(\.self)
    return LanguageKey(
      name, summary, expectation, default: defaultText, isRequired: isRequired,
      schema: ["allOf": .array(forms)], members: members)
  }

  /// The schema with the sentence that an editor shows.
  var described: JSONValue {
    guard case .object(let members) = schema else { return schema }
    return .object([("description", .string(summary))] + members)
  }

  /// A mapping with these keys and free ones, and no others.
  static func object(_ keys: [LanguageKey]) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      (key: "type", value: "object"),
      (key: "properties", value: .object(keys.map { ($0.name, $0.described) })),
      // `<<` takes members from elsewhere.
      (key: "patternProperties", value: ["^(x-|<<$)": .object([])]),
      (key: "additionalProperties", value: false),
    ]
    let required = keys.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { members.append((key: "required", value: .array(required))) }
    return .object(members)
  }
}

extension JSONValue {
  /// The schema, or also what `other` accepts.
  func with(_ other: JSONValue) -> JSONValue {
    guard case .object(let members) = self, !members.isEmpty else { return self }
    if members.count == 1, members[0].key == "anyOf", case .array(let forms) = members[0].value {
      return ["anyOf": .array(forms + [other])]
    }
    return ["anyOf": [self, other]]
  }

  /// The schema with `$name` allowed wherever a key's value or an element of a list stands that may
  /// not be any string.
  var allowingVariables: JSONValue {
    switch self {
    case .array(let items): return .array(items.map(\.allowingVariables))
    case .object(let members):
      return .object(
        members.map { key, value in
          switch (key, value) {
          case ("properties", .object(let properties)):
            (key, .object(properties.map { ($0.key, $0.value.orVariable) }))
          case ("items", _): (key, value.orVariable)
          // Those say what is missing, and no more.
          case ("then", _), ("if", _): (key, value)
          default: (key, value.allowingVariables)
          }
        })
    default: return self
    }
  }

  private var orVariable: JSONValue {
    guard case .object(let members) = self else { return self }
    let description = members.filter { $0.key == "description" }
    let rest = members.filter { $0.key != "description" }
    if rest.isEmpty || rest.contains(where: { $0.key == "type" && $0.value.isAnyString(rest) }) {
      return self
    }
    let inner = JSONValue.object(rest).allowingVariables
    guard case .object(let both) = inner.with(["$ref": "#/definitions/variable"]) else {
      return self
    }
    return .object(description + both)
  }

  /// Whether `self`, the value of `type`, is that of a schema of any string.
  private func isAnyString(_ members: [(key: String, value: JSONValue)]) -> Bool {
    if case .string("string") = self { return !members.contains { $0.key == "pattern" } }
    return false
  }
}
