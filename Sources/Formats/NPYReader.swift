/// NumPy's arrays (https://numpy.org/neps/nep-0001-npy-format.html, versions 1 to 3) of booleans,
/// integers and floating point, in C or Fortran order.
extension NPY {
  /// The array in the file at `path`.
  public static func read(_ path: String) throws(FormatError) -> NumberArray {
    try parse(InputFile.bytes(path), path: path)
  }

  /// The array in the bytes of a file; `path` is for messages.
  public static func parse(
    _ content: [UInt8], path: String
  ) throws(FormatError) -> NumberArray {
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
    guard let type = NumberArray.ElementType(rawValue: String(header.type.dropFirst())),
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
    return NumberArray(
      shape: header.shape, type: type, bytes: Array(content[start...]), isBigEndian: order == ">",
      isFortran: header.isFortran)
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
