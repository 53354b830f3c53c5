/// The IDX format of MNIST and its relatives: 0, 0, an element type, the rank, one big-endian
/// 32-bit extent per axis, the elements, big-endian too; plain or inside gzip.
/// (http://yann.lecun.com/exdb/mnist)
public enum IDX {
  public static func read(_ path: String) throws(FormatError) -> NumberArray {
    var content = try InputFile.bytes(path)
    if Gzip.isCompressed(content) { content = try Gzip.decompress(content, path: path) }
    return try parse(&content, path: path)
  }

  static func parse(_ content: [UInt8], path: String) throws(FormatError) -> NumberArray {
    var content = content
    return try parse(&content, path: path)
  }

  /// Takes the elements out of `content` in place: a data set is not in memory twice.
  private static func parse(
    _ content: inout [UInt8], path: String
  ) throws(FormatError) -> NumberArray {
    func fail(_ message: String) -> FormatError { FormatError(path: path, message: message) }
    guard content.count >= 4, content[0] == 0, content[1] == 0 else {
      throw fail("is not an IDX file: it does not begin with two zero bytes")
    }
    guard let type = elementType(content[2]) else {
      throw fail("is not an IDX file: its element type is \(content[2])")
    }
    let rank = Int(content[3])
    guard (1...4).contains(rank) else { throw fail("has \(rank) axes; 1 to 4 are supported") }
    let start = 4 + 4 * rank
    guard content.count >= start else { throw fail("is cut off inside its header") }

    var shape: [Int] = []
    var size = type.size
    for axis in 0..<rank {
      let extent = content[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
      shape.append(extent)
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw fail("has the impossible shape \(shape)") }
      size = product
    }
    let held = content.count - start
    guard held >= size else {
      throw fail("is cut off: shape \(shape) needs \(size) bytes, \(held) follow the header")
    }
    guard held == size else {
      throw fail("holds \(held - size) bytes more than its shape \(shape)")
    }
    content.removeFirst(start)
    defer { content = [] }
    return NumberArray(shape: shape, type: type, bytes: content, isBigEndian: true)
  }

  private static func elementType(_ code: UInt8) -> NumberArray.ElementType? {
    switch code {
    case 0x08: .uint8
    case 0x09: .int8
    case 0x0B: .int16
    case 0x0C: .int32
    case 0x0D: .float32
    case 0x0E: .float64
    default: nil
    }
  }
}
