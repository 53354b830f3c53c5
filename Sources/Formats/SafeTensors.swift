/// A tensor with its name, row-major.
public struct NamedTensor: Sendable, Hashable {
  public var name: String
  public var shape: [Int]
  public var values: TensorValues
  public init(name: String, shape: [Int], values: TensorValues) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

public enum TensorValues: Sendable, Hashable {
  case float32([Float])
  case float64([Double])

  public var count: Int {
    switch self {
    case .float32(let values): values.count
    case .float64(let values): values.count
    }
  }
}

/// The safetensors format: 8 bytes little-endian header length, a JSON header
/// `{"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {…}}`, the data.
///
/// Everything the format promises is checked: the data has no gap, no overlap and no rest, each
/// range has the size that dtype and shape say. (https://github.com/huggingface/safetensors)
public enum SafeTensors {
  /// One tensor of the header; `begin` and `end` count from the first byte of data.
  struct Entry {
    let name: String
    let type: ElementType
    let shape: [Int]
    let begin: Int
    let end: Int
  }

  enum ElementType: String {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case i64 = "I64"
    case u64 = "U64"
    case i32 = "I32"
    case u32 = "U32"
    case i16 = "I16"
    case u16 = "U16"
    case i8 = "I8"
    case u8 = "U8"
    case bool = "BOOL"

    var size: Int {
      switch self {
      case .f64, .i64, .u64: 8
      case .f32, .i32, .u32: 4
      case .f16, .bf16, .i16, .u16: 2
      case .i8, .u8, .bool: 1
      }
    }
  }

  /// The limit of the reference implementation.
  static let longestHeader = 100_000_000

  /// The floating-point tensors of a file in the order of their data; F16 and BF16 are widened to
  /// float32, which is exact. Integer tensors (a state dict's step counters) are left out.
  public static func read(_ path: String) throws(FormatError) -> [NamedTensor] {
    try contents(path).tensors
  }

  /// The tensors as `read` gives them, and the metadata.
  public static func contents(
    _ path: String
  ) throws(FormatError) -> (tensors: [NamedTensor], metadata: [String: String]) {
    let file = try InputFile(path)
    guard file.size >= 8 else { throw FormatError(path: path, message: tooShort(file.size)) }
    let length = try file.array(of: UInt64.self, at: 0, count: 1)[0]
    guard length <= UInt64(longestHeader) else {
      throw FormatError(path: path, message: headerTooLong(length))
    }
    let start = 8 + Int(length)
    guard start <= file.size else {
      throw FormatError(path: path, message: headerCut(length, file.size))
    }
    let text = try file.array(of: UInt8.self, at: 8, count: Int(length))
    let (entries, metadata) = try header(text, dataSize: file.size - start, path: path)

    var tensors: [NamedTensor] = []
    for entry in entries {
      guard let values = try values(of: entry, in: file, at: start + entry.begin) else { continue }
      tensors.append(NamedTensor(name: entry.name, shape: entry.shape, values: values))
    }
    return (tensors, metadata)
  }

  private static func values(
    of entry: Entry, in file: InputFile, at offset: Int
  ) throws(FormatError) -> TensorValues? {
    let count = (entry.end - entry.begin) / entry.type.size
    switch entry.type {
    case .f64: return .float64(try file.array(of: Double.self, at: offset, count: count))
    case .f32: return .float32(try file.array(of: Float.self, at: offset, count: count))
    case .f16:
      let bits = try file.array(of: UInt16.self, at: offset, count: count)
      return .float32(bits.map(widenedHalf))
    case .bf16:
      let bits = try file.array(of: UInt16.self, at: offset, count: count)
      return .float32(bits.map { Float(bitPattern: UInt32($0) << 16) })
    default: return nil
    }
  }

  /// The float32 with the value of an IEEE binary16 (by hand: `Float16` does not exist on every
  /// platform Swift has).
  static func widenedHalf(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: magnitude.bitPattern | sign)
    case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}

// MARK: header

extension SafeTensors {
  static func header(
    _ text: [UInt8], dataSize: Int, path: String
  ) throws(FormatError) -> ([Entry], [String: String]) {
    func fail(_ message: String) -> FormatError { FormatError(path: path, message: message) }
    let json: JSON
    do throws(JSONError) {
      json = try JSON(text, depth: 4)
    } catch {
      throw fail("the header is not JSON: \(error)")
    }
    guard let members = json.members else { throw fail("the header is not a JSON object") }

    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for member in members {
      guard member.name == "__metadata__" else {
        do throws(Flaw) {
          entries.append(try entry(member.name, member.value))
        } catch {
          throw fail("tensor `\(member.name)`: \(error.message)")
        }
        continue
      }
      guard let pairs = member.value.members else { throw fail("`__metadata__` is not an object") }
      for pair in pairs {
        guard let value = pair.value.string else {
          throw fail("`__metadata__` entry `\(pair.name)` is not a string")
        }
        metadata[pair.name] = value
      }
    }

    entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
    var position = 0
    for entry in entries {
      guard entry.begin == position else {
        throw fail(gap(entry.name, begin: entry.begin, expected: position))
      }
      guard entry.end <= dataSize else {
        throw fail(beyond(entry.name, end: entry.end, dataSize: dataSize))
      }
      position = entry.end
    }
    guard position == dataSize else { throw fail(rest(dataSize - position)) }
    return (entries, metadata)
  }

  /// What is wrong with one entry.
  private struct Flaw: Error {
    let message: String
  }

  private static func entry(_ name: String, _ json: JSON) throws(Flaw) -> Entry {
    guard let members = json.members else { throw Flaw(message: "its entry is not an object") }
    for member in members where !["dtype", "shape", "data_offsets"].contains(member.name) {
      throw Flaw(message: "unknown key `\(member.name)`")
    }
    guard let dtype = json["dtype"]?.string else { throw Flaw(message: "no `dtype`") }
    guard let type = ElementType(rawValue: dtype) else {
      throw Flaw(message: "dtype `\(dtype)` is not supported")
    }
    guard let extents = json["shape"]?.array else { throw Flaw(message: "no `shape`") }
    guard let offsets = json["data_offsets"]?.array, offsets.count == 2,
      let begin = offsets[0].integer, let end = offsets[1].integer
    else { throw Flaw(message: "`data_offsets` is not two whole numbers") }
    guard begin >= 0, end >= begin else {
      throw Flaw(message: "data_offsets [\(begin), \(end)] are not a range")
    }

    var shape: [Int] = []
    var size = type.size
    var isEmpty = false
    for extent in extents {
      guard let number = extent.integer, number >= 0 else {
        throw Flaw(message: "the shape holds something other than whole numbers ≥ 0")
      }
      shape.append(number)
      if number == 0 { isEmpty = true }
      let (product, overflow) = size.multipliedReportingOverflow(by: max(number, 1))
      guard !overflow else { throw Flaw(message: "the shape \(shape) overflows") }
      size = product
    }
    if isEmpty { size = 0 }
    guard size == end - begin else {
      throw Flaw(message: "shape \(shape) of \(dtype) takes \(size) bytes, not \(end - begin)")
    }
    return Entry(name: name, type: type, shape: shape, begin: begin, end: end)
  }
}

// MARK: messages

extension SafeTensors {
  fileprivate static func tooShort(_ size: Int) -> String {
    "is not a safetensors file: \(size) bytes are too few"
  }
  fileprivate static func headerTooLong(_ length: UInt64) -> String {
    "is not a safetensors file: a header of \(length) bytes (at most \(longestHeader) are allowed)"
  }
  fileprivate static func headerCut(_ length: UInt64, _ size: Int) -> String {
    "is cut off: the header should have \(length) bytes, the whole file has \(size)"
  }
  fileprivate static func gap(_ name: String, begin: Int, expected: Int) -> String {
    begin < expected
      ? "tensor `\(name)`: its data overlaps another tensor's (begins at \(begin), not \(expected))"
      : "tensor `\(name)`: bytes \(expected)..<\(begin) before its data belong to no tensor"
  }
  fileprivate static func beyond(_ name: String, end: Int, dataSize: Int) -> String {
    "tensor `\(name)`: its data ends at byte \(end) of \(dataSize): the file is cut off"
  }
  fileprivate static func rest(_ count: Int) -> String {
    "\(count) bytes after the last tensor belong to no tensor"
  }
}
