import CZlib

/// The check sum of gzip and PNG (ISO 3309), by zlib: finds damage, and no malice.
public struct CRC32 {
  public private(set) var value: UInt32 = 0
  public init() {}

  public mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    // zlib counts in 32 bits.
    while position < bytes.count {
      let count = min(bytes.count - position, 1 << 30)
      let next = bytes.baseAddress!.advanced(by: position)
      value = UInt32(
        truncatingIfNeeded: crc32(
          uLong(value), next.assumingMemoryBound(to: UInt8.self), uInt(count)))
      position += count
    }
  }

  public mutating func add(_ text: String) {
    Array(text.utf8).withUnsafeBytes { add($0) }
  }
}
