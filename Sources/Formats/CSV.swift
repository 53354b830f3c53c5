import Glibc

/// Comma-separated values (RFC 4180), record by record.
///
/// Fields stand between delimiters; a field in double quotes may hold delimiters, line breaks and,
/// doubled, quotes. Records end with LF, CRLF or CR; blank lines are skipped, as is a byte order
/// mark at the start.
public struct CSVReader {
  /// A field's place in the bytes, without its quotes.
  public struct Field: Sendable {
    public var range: Range<Int>
    /// Whether it holds doubled quotes.
    public var isEscaped: Bool
  }

  /// Bytes that are no CSV, and which.
  public struct Problem: Error {
    public var message: String
    public var range: Range<Int>
    public init(_ message: String, _ range: Range<Int>) {
      self.message = message
      self.range = range
    }
  }

  public let bytes: [UInt8]
  private let delimiter: UInt8
  private var place: Int

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  public init(_ bytes: [UInt8], delimiter: UInt8 = UInt8(ascii: ",")) {
    self.bytes = bytes
    self.delimiter = delimiter
    place = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// Lines of the file, and one more: at least as many as it has records.
  public var lineCount: Int {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return 1 }
      var (count, rest) = (1, 0)
      while let found = memchr(base + rest, 0x0A, buffer.count - rest) {
        rest = UnsafeRawPointer(found) - base + 1
        count += 1
      }
      return count
    }
  }

  /// The next record's fields; false at the end of the file.
  public mutating func next(_ fields: inout [Field]) throws(Problem) -> Bool {
    skipBlankLines()
    fields.removeAll(keepingCapacity: true)
    guard place < bytes.count else { return false }
    while true {
      fields.append(try field())
      guard place < bytes.count else { return true }
      let byte = bytes[place]
      place += 1
      if byte == delimiter { continue }
      if byte == Self.carriageReturn, place < bytes.count, bytes[place] == Self.lineFeed {
        place += 1
      }
      return true
    }
  }

  private mutating func skipBlankLines() {
    while place < bytes.count, bytes[place] == Self.lineFeed || bytes[place] == Self.carriageReturn {
      place += 1
    }
  }

  private func ends(_ byte: UInt8) -> Bool {
    byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn
  }

  /// The field that begins here; afterwards its delimiter, line break or end of file is next.
  private mutating func field() throws(Problem) -> Field {
    let start = place
    guard place < bytes.count, bytes[place] == Self.quote else {
      while place < bytes.count, !ends(bytes[place]) {
        if bytes[place] == Self.quote {
          throw Problem("a quote stands inside a field without quotes", place..<place + 1)
        }
        place += 1
      }
      return Field(range: start..<place, isEscaped: false)
    }
    place += 1
    var isEscaped = false
    while place < bytes.count {
      guard bytes[place] == Self.quote else {
        place += 1
        continue
      }
      if place + 1 < bytes.count, bytes[place + 1] == Self.quote {
        isEscaped = true
        place += 2
        continue
      }
      let field = Field(range: start + 1..<place, isEscaped: isEscaped)
      place += 1
      if place < bytes.count, !ends(bytes[place]) {
        throw Problem("a field goes on after its closing quote", place..<place + 1)
      }
      return field
    }
    throw Problem("this quoted field does not end", start..<start + 1)
  }

  // MARK: values

  /// The field's text; bytes that are not UTF-8 become U+FFFD.
  public func text(_ field: Field) -> String {
    if !field.isEscaped { return String(decoding: bytes[field.range], as: UTF8.self) }
    var content: [UInt8] = []
    var index = field.range.lowerBound
    while index < field.range.upperBound {
      content.append(bytes[index])
      // The second quote of each pair.
      index += bytes[index] == Self.quote ? 2 : 1
    }
    return String(decoding: content, as: UTF8.self)
  }

  /// The finite or infinite number that the field spells, blanks around it aside; nil: none.
  public func number(_ field: Field) -> Double? {
    var range = field.range
    while let first = range.first, bytes[first] == 0x20 || bytes[first] == 0x09 {
      range = first + 1..<range.upperBound
    }
    while let last = range.last, bytes[last] == 0x20 || bytes[last] == 0x09 {
      range = range.lowerBound..<last
    }
    if range.isEmpty { return nil }
    return shortNumber(range) ?? Double(String(decoding: bytes[range], as: UTF8.self))
  }

  /// Up to 15 digits with or without a point, as nearly every number of a data file is: the digits
  /// and the power of ten are exact, so one division rounds correctly.
  private func shortNumber(_ range: Range<Int>) -> Double? {
    var index = range.lowerBound
    let isNegative = bytes[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    var digits = 0
    var fraction = 0
    var value = 0
    var hasPoint = false
    while index < range.upperBound {
      let byte = bytes[index]
      switch byte {
      case 0x30...0x39:
        value = value * 10 + Int(byte - 0x30)
        digits += 1
        if hasPoint { fraction += 1 }
        if digits > 15 { return nil }
      case UInt8(ascii: "."):
        if hasPoint { return nil }
        hasPoint = true
      default: return nil
      }
      index += 1
    }
    if digits == 0 { return nil }
    let magnitude = fraction == 0 ? Double(value) : Double(value) / Self.powers[fraction]
    return isNegative ? -magnitude : magnitude
  }

  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]
}
