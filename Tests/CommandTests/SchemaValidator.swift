import Foundation
import YAML

/// JSON Schema draft-07, those keywords that lgc's schema uses; a keyword it does not know is a
/// fault of the test.
struct SchemaValidator {
  let root: [String: Any]

  init(_ text: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    root = try (value as? [String: Any]) ?? { throw CocoaError(.propertyListReadCorrupt) }()
  }

  func accepts(_ instance: Any) -> Bool { accepts(instance, root) }

  private func accepts(_ instance: Any, _ schema: Any) -> Bool {
    if let isOpen = schema as? Bool, !(schema is [String: Any]) { return isOpen }
    let schema = schema as! [String: Any]
    return schema.allSatisfy { keyword, value in accepts(instance, keyword, value, schema) }
  }

  private func accepts(
    _ instance: Any, _ keyword: String, _ value: Any, _ schema: [String: Any]
  ) -> Bool {
    let members = instance as? [String: Any]
    let items = instance as? [Any]
    let number = instance as? Number
    switch keyword {
    case "$schema", "title", "description", "definitions", "then", "default": return true
    case "$ref":
      let name = (value as! String).replacing("#/definitions/", with: "")
      return accepts(instance, (root["definitions"] as! [String: Any])[name]!)
    case "anyOf": return (value as! [Any]).contains { accepts(instance, $0) }
    case "allOf": return (value as! [Any]).allSatisfy { accepts(instance, $0) }
    case "not": return !accepts(instance, value)
    case "if": return !accepts(instance, value) || accepts(instance, schema["then"]!)
    case "const": return Self.areEqual(instance, value)
    case "enum": return (value as! [Any]).contains { Self.areEqual(instance, $0) }
    case "type":
      switch value as! String {
      case "object": return members != nil
      case "array": return items != nil
      case "string": return instance is String
      case "boolean": return instance is Truth
      case "null": return instance is NSNull
      case "number": return number != nil
      case "integer": return number.map { $0.value == $0.value.rounded() } ?? false
      default: fatalError("unknown type \(value)")
      }
    case "required": return members.map { m in (value as! [String]).allSatisfy { m[$0] != nil } } ?? true
    case "properties":
      return members.map { m in
        (value as! [String: Any]).allSatisfy { key, inner in m[key].map { accepts($0, inner) } ?? true }
      } ?? true
    case "patternProperties": return true
    case "additionalProperties":
      guard let members, value as? Bool == false else { return true }
      let known = Set((schema["properties"] as? [String: Any] ?? [:]).keys)
      let patterns = (schema["patternProperties"] as? [String: Any] ?? [:]).keys
      return members.keys.allSatisfy { key in
        known.contains(key) || patterns.contains { Self.matches(key, $0) }
      }
    case "minProperties": return members.map { $0.count >= value as! Int } ?? true
    case "maxProperties": return members.map { $0.count <= value as! Int } ?? true
    case "items": return items.map { $0.allSatisfy { accepts($0, value) } } ?? true
    case "minItems": return items.map { $0.count >= value as! Int } ?? true
    case "maxItems": return items.map { $0.count <= value as! Int } ?? true
    case "pattern": return (instance as? String).map { Self.matches($0, value as! String) } ?? true
    case "minimum": return number.map { $0.value >= (value as! NSNumber).doubleValue } ?? true
    case "maximum": return number.map { $0.value <= (value as! NSNumber).doubleValue } ?? true
    case "exclusiveMinimum": return number.map { $0.value > (value as! NSNumber).doubleValue } ?? true
    case "exclusiveMaximum": return number.map { $0.value < (value as! NSNumber).doubleValue } ?? true
    default: fatalError("unknown keyword \(keyword)")
    }
  }

  private static func matches(_ text: String, _ pattern: String) -> Bool {
    text.range(of: pattern, options: .regularExpression) != nil
  }

  private static func areEqual(_ instance: Any, _ value: Any) -> Bool {
    if let text = value as? String { return instance as? String == text }
    return (instance as? Number)?.value == (value as! NSNumber).doubleValue
  }

  /// NSNumber takes `true` for 1, so instances have types of their own.
  private struct Number { let value: Double }
  private struct Truth { let value: Bool }

  /// A document as an editor's YAML reader sees it (aliases and merges resolved).
  static func instance(_ node: Node) -> Any {
    switch node.content {
    case .mapping(let entries):
      return Dictionary(entries.map { ($0.key, instance($0.value)) }) { first, _ in first }
    case .sequence(let items): return items.map(instance)
    case .scalar(let scalar):
      if scalar.isQuoted { return scalar.text }
      if scalar.isNull { return NSNull() }
      if let truth = scalar.bool { return Truth(value: truth) }
      // A fraction is a string to every reader but ours.
      if let number = scalar.double, !scalar.text.contains("/") { return Number(value: number) }
      return scalar.text
    }
  }
}
