/// A JSON text to be written; objects keep the order of their keys.
///
/// Numbers are printed as the shortest decimal that reads back as the very same double, so an upper
/// bound never shrinks and a lower bound never grows. Infinities and NaN, which JSON lacks, become
/// `null`.
public enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  /// A number that is printed already (rounded in a direction of its own), or `null`.
  case decimal(String)
  case string(String)
  case array([JSONValue])
  case object([(key: String, value: JSONValue)])

  /// `null` for nil.
  public init(_ string: String?) { self = string.map(JSONValue.string) ?? .null }
  public init(_ number: Int?) { self = number.map(JSONValue.int) ?? .null }
  public init(_ number: Double?) { self = number.map(JSONValue.double) ?? .null }

  /// The value indented by two blanks a level; what has no object in it and is short stands on one
  /// line. Without a line break at the end.
  public var text: String {
    var out = ""
    write(to: &out, indent: 0) { value, _ in value.isShort }
    return out
  }

  /// The value indented by two blanks a level; what ends before `columns` stands on one line.
  /// Without a line break at the end.
  public func text(columns: Int) -> String {
    var out = ""
    write(to: &out, indent: 0) { value, start in
      start + value.compactText.unicodeScalars.count <= columns
    }
    return out
  }

  /// The value on one line (a record of a JSON-lines file).
  public var compactText: String {
    var out = ""
    writeCompact(to: &out)
    return out
  }

  /// - Parameter isOneLine: of a value and the columns before it on its line.
  private func write(
    to out: inout String, indent: Int, key: Int = 0, isOneLine: (JSONValue, Int) -> Bool
  ) {
    func newLine(_ indent: Int) {
      out += "\n" + String(repeating: "  ", count: indent)
    }
    if isOneLine(self, 2 * indent + key) { return writeCompact(to: &out) }
    switch self {
    case .array(let items) where !items.isEmpty:
      out += "["
      for (index, item) in items.enumerated() {
        if index > 0 { out += "," }
        newLine(indent + 1)
        item.write(to: &out, indent: indent + 1, isOneLine: isOneLine)
      }
      newLine(indent)
      out += "]"
    case .object(let members) where !members.isEmpty:
      out += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { out += "," }
        newLine(indent + 1)
        Self.write(member.key, to: &out)
        out += ": "
        member.value.write(
          to: &out, indent: indent + 1, key: member.key.utf8.count + 5, isOneLine: isOneLine)
      }
      newLine(indent)
      out += "}"
    default:
      writeCompact(to: &out)
    }
  }

  /// At most four members, all of them numbers, booleans, null or short strings; for an array any
  /// number of numbers.
  private var isShort: Bool {
    func isSmall(_ value: JSONValue) -> Bool {
      switch value {
      case .null, .bool, .int, .double, .decimal: true
      case .string(let text): text.utf8.count <= 20
      case .array, .object: false
      }
    }
    switch self {
    case .array(let items):
      return items.allSatisfy { if case .string = $0 { false } else { isSmall($0) } }
    case .object(let members): return members.count <= 4 && members.allSatisfy { isSmall($0.value) }
    default: return true
    }
  }

  private func writeCompact(to out: inout String) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .int(let value): out += String(value)
    case .double(let value): out += value.isFinite ? value.description : "null"
    case .decimal(let text): out += text
    case .string(let text): Self.write(text, to: &out)
    case .array(let items):
      out += "["
      for (index, item) in items.enumerated() {
        if index > 0 { out += ", " }
        item.writeCompact(to: &out)
      }
      out += "]"
    case .object(let members):
      out += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { out += ", " }
        Self.write(member.key, to: &out)
        out += ": "
        member.value.writeCompact(to: &out)
      }
      out += "}"
    }
  }

  private static func write(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..."\u{1F}", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { (key: $0.0, value: $0.1) })
  }
  public init(nilLiteral: ()) { self = .null }
}
