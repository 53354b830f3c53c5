import Diagnostics

// A description may leave to its parent what a mapping must have, so the schema of a section asks
// for nothing, and what must be there is asked of descriptions without a parent only. What stands in
// a list is whole: a list is replaced, never merged.

extension JSONValue {
  /// The schema without `required`, but in lists.
  var withoutRequirements: JSONValue {
    switch self {
    case .array(let items): return .array(items.map(\.withoutRequirements))
    case .object(let members):
      return .object(
        members.compactMap { key, value in
          switch (key, value) {
          case ("required", .array): nil
          case ("items", _): (key, value)
          default: (key, value.withoutRequirements)
          }
        })
    default: return self
    }
  }

  /// What ``withoutRequirements`` leaves out: a schema of its own, nil for none.
  ///
  /// - Parameter definitions: what a reference names; what is not among these asks for nothing.
  func requirements(_ definitions: [String: JSONValue]) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    func member(_ name: String) -> JSONValue? { members.first { $0.key == name }?.value }
    if case .string(let reference) = member("$ref") {
      let name = reference.split(separator: "/").last.map(String.init) ?? ""
      return definitions[name]?.requirements(definitions)
    }
    if case .array(let forms) = member("anyOf") {
      return Self.requirements(ofMappingsAmong: forms, definitions)
    }
    var result: [(key: String, value: JSONValue)] = []
    if let required = member("required") { result.append(("required", required)) }
    if case .object(let properties) = member("properties") {
      let inner = properties.compactMap { key, value in
        value.requirements(definitions).map { (key: key, value: $0) }
      }
      if !inner.isEmpty { result.append(("properties", .object(inner))) }
    }
    return result.isEmpty ? nil : .object(result)
  }

  /// Of one mapping, what it asks for; of several, what each kind asks for, known by the key that
  /// names the kind.
  private static func requirements(
    ofMappingsAmong forms: [JSONValue], _ definitions: [String: JSONValue]
  ) -> JSONValue? {
    let mappings = forms.filter { form in
      if case .object(let members) = form { members.contains { $0.key == "properties" } } else { false }
    }
    if mappings.count < 2 { return mappings.first?.requirements(definitions) }
    var isKindRequired = true
    var cases: [JSONValue] = []
    var kindKey: String?
    for mapping in mappings {
      guard let (key, kind) = mapping.kind else { return nil }
      kindKey = key
      var needed: [(key: String, value: JSONValue)] = []
      if case .object(let members) = mapping.requirements(definitions) { needed = members }
      if let place = needed.firstIndex(where: { $0.key == "required" }),
        case .array(let names) = needed[place].value
      {
        let others = names.filter { if case .string(key) = $0 { false } else { true } }
        if others.count == names.count { isKindRequired = false }
        needed[place].value = .array(others)
        if others.isEmpty { needed.remove(at: place) }
      } else {
        isKindRequired = false
      }
      if needed.isEmpty { continue }
      cases.append([
        "if": ["required": [.string(key)], "properties": [key: ["const": kind]]],
        "then": .object(needed),
      ])
    }
    var result: [(key: String, value: JSONValue)] = []
    if isKindRequired, let kindKey { result.append(("required", [.string(kindKey)])) }
    if !cases.isEmpty { result.append(("allOf", .array(cases))) }
    return result.isEmpty ? nil : .object(result)
  }

  /// The property with a constant, and the constant.
  private var kind: (key: String, value: JSONValue)? {
    guard case .object(let members) = self,
      case .object(let properties) = members.first(where: { $0.key == "properties" })?.value
    else { return nil }
    for (key, value) in properties {
      if case .object(let members) = value, let constant = members.first(where: { $0.key == "const" }) {
        return (key, constant.value)
      }
    }
    return nil
  }
}
