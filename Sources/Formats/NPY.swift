/// NumPy's array file, format version 1.0, of little-endian float32 in C order.
public enum NPY {
  /// The bytes: magic, version, the header padded so that data begins at a multiple of 64, data.
  public static func bytes(_ values: [Float], shape: [Int]) -> [UInt8] {
    precondition(shape.reduce(1, *) == values.count, "lgc's own bug: shape \(shape)")
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    let padding = (64 - (10 + header.utf8.count + 1) % 64) % 64
    header += String(repeating: " ", count: padding) + "\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)]
    bytes += Array(header.utf8)
    bytes.reserveCapacity(bytes.count + 4 * values.count)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }
    return bytes
  }

  /// Writes the file whole or not at all.
  public static func write(
    _ values: [Float], shape: [Int], to path: String
  ) throws(FormatError) {
    try AtomicFile.write(bytes(values, shape: shape), to: path)
  }
}
