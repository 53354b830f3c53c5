/// A JSON value as read; numbers keep their text, so that 64-bit offsets lose nothing.
public enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  /// One `"name": value`, in written order; names are unique.
  public struct Member: Sendable, Hashable {
    public let name: String
    public let value: JSON
    public init(name: String, value: JSON) {
      self.name = name
      self.value = value
    }
  }

  public subscript(_ name: String) -> JSON? {
    if case .object(let members) = self { return members.first { $0.name == name }?.value }
    return nil
  }
  /// A number written as a whole one that fits 64 bits.
  public var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

  /// Parses one JSON text (RFC 8259), strictly: UTF-8, no duplicate names, no comments, no lone
  /// surrogates, at most `depth` levels; white space may stand around it, nothing else.
  public init(_ bytes: [UInt8], depth: Int = 64) throws(JSONError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw JSONError("is not UTF-8", at: 0)
    }
    var reader = JSONReader(bytes: bytes, depth: depth)
    self = try reader.document()
  }
}

/// Where a text stops being JSON.
public struct JSONError: Error, Hashable, CustomStringConvertible {
  public let message: String
  public let offset: Int
  init(_ message: String, at offset: Int) {
    self.message = message
    self.offset = offset
  }
  public var description: String { "\(message) at byte \(offset)" }
}

private struct JSONReader {
  let bytes: [UInt8]
  var depth: Int
  var at = 0

  init(bytes: [UInt8], depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  /// The next byte; 0, which JSON never holds, at the end.
  private var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

  mutating func document() throws(JSONError) -> JSON {
    let value = try value()
    skipSpace()
    guard at == bytes.count else { throw JSONError("something follows the JSON value", at: at) }
    return value
  }

  private mutating func skipSpace() {
    while next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { at += 1 }
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
    skipSpace()
    guard at < bytes.count, next == UInt8(ascii: character) else {
      throw JSONError("expected `\(character)`", at: at)
    }
    at += 1
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard at < bytes.count, next == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func value() throws(JSONError) -> JSON {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw JSONError("expected a value", at: at)
    }
  }

  private mutating func word(_ text: String, _ value: JSON) throws(JSONError) -> JSON {
    guard bytes[at...].starts(with: text.utf8) else { throw JSONError("expected a value", at: at) }
    at += text.utf8.count
    return value
  }

  private mutating func enter() throws(JSONError) {
    depth -= 1
    guard depth >= 0 else { throw JSONError("is nested too deeply", at: at) }
    at += 1
  }

  private mutating func object() throws(JSONError) -> JSON {
    try enter()
    var members: [JSON.Member] = []
    var names: Set<String> = []
    if !take("}") {
      repeat {
        skipSpace()
        let start = at
        guard next == UInt8(ascii: "\"") else { throw JSONError("expected a name", at: at) }
        let name = try string()
        guard names.insert(name).inserted else {
          throw JSONError("the name `\(name)` occurs twice", at: start)
        }
        try expect(":")
        members.append(JSON.Member(name: name, value: try value()))
      } while take(",")
      try expect("}")
    }
    depth += 1
    return .object(members)
  }

  private mutating func array() throws(JSONError) -> JSON {
    try enter()
    var values: [JSON] = []
    if !take("]") {
      repeat { values.append(try value()) } while take(",")
      try expect("]")
    }
    depth += 1
    return .array(values)
  }

  private mutating func digits() throws(JSONError) {
    guard isDigit(next) else { throw JSONError("expected a digit", at: at) }
    while isDigit(next) { at += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = at
    if next == UInt8(ascii: "-") { at += 1 }
    if next == UInt8(ascii: "0") { at += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      at += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    return .number(String(decoding: bytes[start..<at], as: UTF8.self))
  }

  private mutating func string() throws(JSONError) -> String {
    at += 1
    var text: [UInt8] = []
    while true {
      guard at < bytes.count else { throw JSONError("the text ends inside a string", at: at) }
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        text.append(contentsOf: try escape())
      case 0..<0x20:
        throw JSONError("a control character stands in a string", at: at)
      default:
        text.append(byte)
        at += 1
      }
    }
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    let start = at
    at += 1
    let byte = next
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if code & 0xFC00 == 0xD800, next == UInt8(ascii: "\\") {
        at += 1
        guard next == UInt8(ascii: "u") else { throw JSONError("a lone surrogate", at: start) }
        at += 1
        let low = try hexadecimal()
        guard low & 0xFC00 == 0xDC00 else { throw JSONError("a lone surrogate", at: start) }
        code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
      }
      guard let scalar = Unicode.Scalar(code) else {
        throw JSONError("a lone surrogate", at: start)
      }
      return Array(String(Character(scalar)).utf8)
    default: throw JSONError("an unknown escape", at: start)
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard at + 4 <= bytes.count, bytes[at..<at + 4].allSatisfy(isHexadecimal),
      let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
    else { throw JSONError("expected four hexadecimal digits", at: at) }
    at += 4
    return code
  }

  private func isHexadecimal(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "f"))
  }
}
