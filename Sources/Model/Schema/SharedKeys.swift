import Diagnostics

/// The keys that stand in a schema more than once, each written once: a reader then sees what is
/// particular to a mapping, and an editor loads a quarter of the text.
struct SharedKeys {
  private var counts: [String: Int] = [:]
  /// By their text, in the order in which they are met.
  private var names: [String: String] = [:]
  private var schemas: [(key: String, value: JSONValue)] = []

  /// The members of a schema, with a definition `NAME_key` for each key that several places share.
  static func factored(
    _ members: [(key: String, value: JSONValue)]
  ) -> [(key: String, value: JSONValue)] {
    var keys = SharedKeys()
    keys.count(.object(members))
    guard case .object(var result) = keys.replaced(.object(members)),
      let place = result.firstIndex(where: { $0.key == "definitions" }),
      case .object(let definitions) = result[place].value
    else { return members }
    result[place].value = .object(definitions + keys.schemas)
    return result
  }

  /// Counts the keys; what stands inside a repeated key is met once.
  private mutating func count(_ schema: JSONValue) {
    switch schema {
    case .array(let items):
      for item in items { count(item) }
    case .object(let members):
      for (key, value) in members {
        switch (key, value) {
        case ("properties", .object(let properties)):
          for property in properties {
            let text = property.value.compactText
            counts[text, default: 0] += 1
            if counts[text] == 1 { count(property.value) }
          }
        case ("if", _), ("then", _): break
        default: count(value)
        }
      }
    default: break
    }
  }

  private mutating func replaced(_ schema: JSONValue) -> JSONValue {
    switch schema {
    case .array(let items): return .array(items.map { replaced($0) })
    case .object(let members):
      return .object(
        members.map { key, value in
          switch (key, value) {
          case ("properties", .object(let properties)):
            (key, .object(properties.map { ($0.key, reference(to: $0.value, key: $0.key)) }))
          case ("if", _), ("then", _): (key, value)
          default: (key, replaced(value))
          }
        })
    default: return schema
    }
  }

  private mutating func reference(to schema: JSONValue, key: String) -> JSONValue {
    let text = schema.compactText
    // A reference is as long as that.
    guard counts[text, default: 0] > 1, text.utf8.count > 60 else { return replaced(schema) }
    if names[text] == nil {
      let equal = schemas.count { $0.key.hasPrefix(key + "_key") }
      let name = key + "_key" + (equal == 0 ? "" : "_\(equal + 1)")
      names[text] = name
      // Its place before those that stand in it.
      schemas.append((name, .null))
      let place = schemas.count - 1
      schemas[place].value = replaced(schema)
    }
    return ["$ref": .string("#/definitions/" + (names[text] ?? ""))]
  }
}
