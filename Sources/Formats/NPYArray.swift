/// An array of NumPy's format (https://numpy.org/neps/nep-0001-npy-format.html, versions 1 to 3):
/// booleans, integers and floating point of either byte order, in C or Fortran order.
public struct NPYArray: Sendable {
  public enum ElementType: String, Sendable {
    case bool = "b1"
    case int8 = "i1", int16 = "i2", int32 = "i4", int64 = "i8"
    case uint8 = "u1", uint16 = "u2", uint32 = "u4", uint64 = "u8"
    case float16 = "f2", float32 = "f4", float64 = "f8"

    public var size: Int { Int(rawValue.utf8.last! - UInt8(ascii: "0")) }
    public var isFloat: Bool { self == .float16 || self == .float32 || self == .float64 }
  }

  public let shape: [Int]
  public let type: ElementType
  /// Row-major, whatever the order of the file.
  private let bytes: [UInt8]
  private let isBigEndian: Bool

  public var count: Int { shape.reduce(1, *) }

  /// The array in the file at `path`.
  public static func read(_ path: String) throws(FormatError) -> NPYArray {
    try NPYArray(InputFile.bytes(path), path: path)
  }

  /// The array in the bytes of a file; `path` is for messages.
  public init(_ content: [UInt8], path: String) throws(FormatError) {
    func fail(_ message: String) -> FormatError { FormatError(path: path, message: message) }
    guard content.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw fail("is not a NumPy array: it does not begin with `\\x93NUMPY`")
    }
    guard content.count >= 12 else { throw fail("is cut off inside its header") }
    let version = content[6]
    guard (1...3).contains(version) else { throw fail("has the unknown format version \(version)") }
    let lengthSize = version == 1 ? 2 : 4
    let length = content[8..<8 + lengthSize].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthSize + length
    guard content.count >= start else { throw fail("is cut off inside its header") }
    let text = String(decoding: content[8 + lengthSize..<start], as: UTF8.self)
    guard let header = NPYHeader(text) else { throw fail("has a header that cannot be read") }
    guard let type = ElementType(rawValue: String(header.type.dropFirst())),
      let order = header.type.first, "<>|=".contains(order)
    else { throw fail("holds `\(header.type)`, neither numbers nor booleans") }

    var size = type.size
    for extent in header.shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw fail("has the impossible shape \(header.shape)") }
      size = product
    }
    let held = content.count - start
    guard held >= size else {
      throw fail("is cut off: shape \(header.shape) needs \(size) bytes, \(held) follow the header")
    }
    guard held == size else {
      throw fail("holds \(held - size) bytes more than its shape \(header.shape)")
    }
    shape = header.shape
    self.type = type
    isBigEndian = order == ">"
    let data = Array(content[start...])
    bytes =
      header.isFortran && shape.count > 1 ? Self.rowMajor(data, shape, type.size) : data
  }

  /// Elements in Fortran order, the first index fastest, put in C order.
  private static func rowMajor(_ data: [UInt8], _ shape: [Int], _ size: Int) -> [UInt8] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    let count = data.count / size
    var result = [UInt8](repeating: 0, count: data.count)
    var index = [Int](repeating: 0, count: shape.count)
    var source = 0
    for element in 0..<count {
      for byte in 0..<size { result[element * size + byte] = data[source * size + byte] }
      var axis = shape.count - 1
      while axis >= 0 {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  // MARK: values

  /// Of `uint8`: the elements themselves.
  public var unsignedBytes: [UInt8]? { type == .uint8 ? bytes : nil }

  /// Every element as float32, rounded to nearest.
  public func floats() -> [Float] {
    switch type {
    case .bool: bytes.map { $0 == 0 ? 0 : 1 }
    case .int8: elements(Int8.self) { Float($0) }
    case .int16: elements(Int16.self) { Float($0) }
    case .int32: elements(Int32.self) { Float($0) }
    case .int64: elements(Int64.self) { Float($0) }
    case .uint8: bytes.map { Float($0) }
    case .uint16: elements(UInt16.self) { Float($0) }
    case .uint32: elements(UInt32.self) { Float($0) }
    case .uint64: elements(UInt64.self) { Float($0) }
    case .float16: elements(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .float32: elements(UInt32.self) { Float(bitPattern: $0) }
    case .float64: elements(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }

  /// Every element as a whole number; nil at those that are none or do not fit.
  public func integers() -> [Int?] {
    switch type {
    case .bool: bytes.map { $0 == 0 ? 0 : 1 }
    case .int8: elements(Int8.self) { Int($0) }
    case .int16: elements(Int16.self) { Int($0) }
    case .int32: elements(Int32.self) { Int($0) }
    case .int64: elements(Int64.self) { Int($0) }
    case .uint8: bytes.map { Int($0) }
    case .uint16: elements(UInt16.self) { Int($0) }
    case .uint32: elements(UInt32.self) { Int($0) }
    case .uint64: elements(UInt64.self) { Int(exactly: $0) }
    case .float16, .float32: floats().map { Int(exactly: $0) }
    case .float64: elements(UInt64.self) { Int(exactly: Double(bitPattern: $0)) }
    }
  }

  private func elements<Raw: FixedWidthInteger, Value>(
    _ raw: Raw.Type, _ value: (Raw) -> Value
  ) -> [Value] {
    bytes.withUnsafeBytes { buffer in
      (0..<buffer.count / MemoryLayout<Raw>.size).map { index in
        let word = buffer.loadUnaligned(
          fromByteOffset: index * MemoryLayout<Raw>.size, as: Raw.self)
        return value(isBigEndian ? Raw(bigEndian: word) : Raw(littleEndian: word))
      }
    }
  }
}

/// The header's Python dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct NPYHeader {
  let type: String
  let isFortran: Bool
  let shape: [Int]

  /// nil: anything else.
  init?(_ text: String) {
    var parser = LiteralParser(text)
    guard parser.take("{") else { return nil }
    var (type, isFortran, shape): (String?, Bool?, [Int]?)
    while !parser.take("}") {
      guard let key = parser.string(), parser.take(":") else { return nil }
      switch key {
      case "descr" where type == nil: type = parser.string()
      case "fortran_order" where isFortran == nil: isFortran = parser.boolean()
      case "shape" where shape == nil: shape = parser.tuple()
      default: return nil
      }
      if !parser.take(",") {
        guard parser.take("}") else { return nil }
        break
      }
    }
    guard parser.isAtEnd, let type, let isFortran, let shape else { return nil }
    self.type = type
    self.isFortran = isFortran
    self.shape = shape
  }
}

/// As much of Python's literals as a header has.
private struct LiteralParser {
  private let bytes: [UInt8]
  private var place = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  private mutating func skipBlanks() {
    while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
  }

  var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return place == bytes.count
    }
  }

  mutating func take(_ word: String) -> Bool {
    skipBlanks()
    guard bytes[place...].starts(with: word.utf8) else { return false }
    place += word.utf8.count
    return true
  }

  mutating func string() -> String? {
    for quote in ["'", "\""] where take(quote) {
      guard let end = bytes[place...].firstIndex(of: quote.utf8.first!) else { return nil }
      defer { place = end + 1 }
      return String(decoding: bytes[place..<end], as: UTF8.self)
    }
    return nil
  }

  mutating func boolean() -> Bool? { take("True") ? true : take("False") ? false : nil }

  mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var numbers: [Int] = []
    while !take(")") {
      skipBlanks()
      let digits = bytes[place...].prefix { (0x30...0x39).contains($0) }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
      place += digits.count
      // Python 2 wrote long numbers so.
      _ = take("L")
      numbers.append(number)
      if !take(",") { return take(")") ? numbers : nil }
    }
    return numbers
  }
}
