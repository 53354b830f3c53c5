/// Checks that bytes are UTF-8, and turns libyaml's marks, which count Unicode scalars, into byte
/// offsets.
struct TextMap {
  struct Invalid: Error {
    var start: Int
    var end: Int
  }

  /// 3 after a byte-order mark, else 0. libyaml is given the text from here on.
  let textStart: Int
  /// The offset of every 64th scalar, the first being scalar 0 at `textStart`; nil for ASCII text,
  /// where scalars are bytes.
  private let checkpoints: [Int]?

  private static let stride = 64

  static func check(_ bytes: [UInt8]) -> Result<TextMap, Invalid> {
    bytes.withUnsafeBufferPointer { check($0) }
  }

  private static func check(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<TextMap, Invalid> {
    let hasMark = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    let start = hasMark ? 3 : 0
    var offset = asciiEnd(bytes, from: start)
    if offset == bytes.count {
      return .success(TextMap(textStart: start, checkpoints: nil))
    }
    var checkpoints = Array(Swift.stride(from: start, to: offset, by: stride))
    var scalars = offset - start
    while offset < bytes.count {
      if scalars % stride == 0 { checkpoints.append(offset) }
      let length = sequenceLength(bytes, at: offset)
      guard length > 0 else {
        return .failure(Invalid(start: offset, end: offset + 1))
      }
      offset += length
      scalars += 1
    }
    return .success(TextMap(textStart: start, checkpoints: checkpoints))
  }

  /// Where the ASCII prefix ends, eight bytes at a time.
  private static func asciiEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let raw = UnsafeRawBufferPointer(bytes)
    var offset = start
    while offset + 8 <= raw.count,
      raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
      offset += 8
    }
    while offset < raw.count, raw[offset] < 0x80 { offset += 1 }
    return offset
  }

  /// The length of the well-formed UTF-8 sequence at `offset` (Unicode 15, table 3-7), 0 if there
  /// is none: no overlong forms, no surrogates, nothing past U+10FFFF.
  private static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> Int {
    let first = bytes[offset]
    if first < 0x80 { return 1 }
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return 0
    }
    guard offset + length <= bytes.count, second.contains(bytes[offset + 1]) else { return 0 }
    for index in 2..<max(2, length) where bytes[offset + index] & 0xC0 != 0x80 { return 0 }
    return length
  }

  /// The scalar number of a byte offset that begins a scalar.
  func scalar(at offset: Int, in bytes: [UInt8]) -> Int {
    guard let checkpoints else { return offset - textStart }
    var low = 0
    var high = checkpoints.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if checkpoints[middle] <= offset { low = middle } else { high = middle }
    }
    var scalar = low * Self.stride
    for byte in bytes[checkpoints[low]..<offset] where byte & 0xC0 != 0x80 { scalar += 1 }
    return scalar
  }

  /// The byte offset of a scalar; scalars past the end are clamped to it.
  func offset(ofScalar scalar: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    guard let checkpoints else { return min(textStart + scalar, bytes.count) }
    let checkpoint = min(scalar / Self.stride, checkpoints.count - 1)
    var offset = checkpoints[checkpoint]
    var remaining = scalar - checkpoint * Self.stride
    while remaining > 0, offset < bytes.count {
      offset += 1
      while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
      remaining -= 1
    }
    return offset
  }
}
