import CZlib

/// The members of a ZIP archive (APPNOTE 6.3.10) that are stored or deflated, as `numpy.savez` and
/// `savez_compressed` write them; with 64-bit sizes.
public struct ZipArchive {
  public struct Member: Sendable {
    public let name: String
    public let size: Int
    fileprivate let method: Int
    fileprivate let isEncrypted: Bool
    fileprivate let checksum: UInt32
    fileprivate let compressedSize: Int
    fileprivate let offset: Int
  }

  public let path: String
  public let members: [Member]
  private let file: InputFile

  public init(_ path: String) throws(FormatError) {
    let file = try InputFile(path)
    self.path = path
    self.file = file
    members = try Directory(file).members()
  }

  public subscript(name: String) -> Member? { members.first { $0.name == name } }

  /// A member's content, its check sum verified.
  public func content(of member: Member) throws(FormatError) -> [UInt8] {
    func fail(_ message: String) -> FormatError {
      FormatError(path: path, message: "has the member `\(member.name)`, which \(message)")
    }
    guard !member.isEncrypted else { throw fail("is encrypted") }
    let header = try file.array(of: UInt8.self, at: member.offset, count: 30)
    guard header.starts(with: [0x50, 0x4B, 3, 4]) else { throw fail("is not where it should be") }
    let skip = Int(header[26]) + Int(header[27]) << 8 + Int(header[28]) + Int(header[29]) << 8
    let start = member.offset + 30 + skip
    guard member.compressedSize <= file.size - start else { throw fail("is cut off") }
    let packed = try file.array(of: UInt8.self, at: start, count: member.compressedSize)
    let content: [UInt8]
    switch member.method {
    case 0:
      guard packed.count == member.size else { throw fail("has another size than it states") }
      content = packed
    case 8:
      // Deflate expands at most 1032 times: what claims more is forged.
      guard member.size / 1032 <= packed.count, let bytes = inflated(packed, size: member.size)
      else { throw fail("is corrupt") }
      content = bytes
    default: throw fail("is compressed by a method other than deflate")
    }
    guard Self.checksum(content) == member.checksum else {
      throw fail("is corrupt: its check sum is another")
    }
    return content
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(crc32_z(0, $0.baseAddress, $0.count)) }
  }

  /// Raw deflate data of exactly `size` bytes; nil: it is not.
  private func inflated(_ packed: [UInt8], size: Int) -> [UInt8]? {
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    // One byte more, so that data beyond the stated size shows.
    var output = [UInt8](repeating: 0, count: size + 1)
    var (read, written) = (0, 0)
    var status = Z_OK
    packed.withUnsafeBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        while status == Z_OK {
          stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { $0 + read })
          stream.avail_in = UInt32(clamping: source.count - read)
          stream.next_out = target.baseAddress! + written
          stream.avail_out = UInt32(clamping: target.count - written)
          let before = (stream.avail_in, stream.avail_out)
          status = inflate(&stream, Z_NO_FLUSH)
          read += Int(before.0 - stream.avail_in)
          written += Int(before.1 - stream.avail_out)
        }
      }
    }
    guard status == Z_STREAM_END, read == packed.count, written == size else { return nil }
    output.removeLast()
    return output
  }
}

/// The list of members at the archive's end.
private struct Directory {
  private let file: InputFile

  init(_ file: InputFile) { self.file = file }

  private func fail(_ message: String) -> FormatError {
    FormatError(path: file.path, message: message)
  }

  func members() throws(FormatError) -> [ZipArchive.Member] {
    let (offset, size, count) = try place()
    guard offset >= 0, size >= 0, offset <= file.size, size <= file.size - offset else {
      throw fail("is a damaged ZIP archive: its directory lies outside of it")
    }
    let bytes = try file.array(of: UInt8.self, at: offset, count: size)
    var members: [ZipArchive.Member] = []
    var at = 0
    while members.count < count {
      guard let (member, next) = Self.member(bytes, at: at) else {
        throw fail("is a damaged ZIP archive: its directory ends early")
      }
      members.append(member)
      at = next
    }
    return members
  }

  /// Where the directory is, from the record at the end of the file, which a comment may follow.
  private func place() throws(FormatError) -> (offset: Int, size: Int, count: Int) {
    let tail = min(file.size, 22 + 0xFFFF)
    let start = file.size - tail
    let bytes = try file.array(of: UInt8.self, at: start, count: tail)
    guard
      let end = stride(from: tail - 22, through: 0, by: -1).first(where: {
        bytes[$0...].starts(with: [0x50, 0x4B, 5, 6])
          && $0 + 22 + Self.number(bytes, $0 + 20, 2) == tail
      })
    else { throw fail("is not a ZIP archive, or is cut off: its end is missing") }
    let count = Self.number(bytes, end + 10, 2)
    let size = Self.number(bytes, end + 12, 4)
    let offset = Self.number(bytes, end + 16, 4)
    guard count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else {
      return (offset, size, count)
    }
    // 64-bit sizes: a locator before the record says where the wider one is.
    guard end >= 20, bytes[(end - 20)...].starts(with: [0x50, 0x4B, 6, 7]) else {
      return (offset, size, count)
    }
    let wide = Self.number(bytes, end - 12, 8)
    guard wide >= 0, wide <= file.size - 56 else { throw fail("is a damaged ZIP archive") }
    let record = try file.array(of: UInt8.self, at: wide, count: 56)
    guard record.starts(with: [0x50, 0x4B, 6, 6]) else { throw fail("is a damaged ZIP archive") }
    return (Self.number(record, 48, 8), Self.number(record, 40, 8), Self.number(record, 32, 8))
  }

  private static func member(
    _ bytes: [UInt8], at start: Int
  ) -> (ZipArchive.Member, next: Int)? {
    guard start + 46 <= bytes.count, bytes[start...].starts(with: [0x50, 0x4B, 1, 2]) else {
      return nil
    }
    let nameEnd = start + 46 + number(bytes, start + 28, 2)
    let extraEnd = nameEnd + number(bytes, start + 30, 2)
    let next = extraEnd + number(bytes, start + 32, 2)
    guard next <= bytes.count else { return nil }
    var size = number(bytes, start + 24, 4)
    var compressedSize = number(bytes, start + 20, 4)
    var offset = number(bytes, start + 42, 4)
    // The extra field 1 holds, in this order, those that are all ones above.
    var field = nameEnd
    while field + 4 <= extraEnd {
      let end = field + 4 + number(bytes, field + 2, 2)
      guard end <= extraEnd else { return nil }
      if number(bytes, field, 2) == 1 {
        var place = field + 4
        func wide(_ value: inout Int) {
          guard value == 0xFFFF_FFFF, place + 8 <= end else { return }
          value = number(bytes, place, 8)
          place += 8
        }
        wide(&size)
        wide(&compressedSize)
        wide(&offset)
      }
      field = end
    }
    guard size >= 0, compressedSize >= 0, offset >= 0, size < Int.max / 2 else { return nil }
    return (
      ZipArchive.Member(
        name: String(decoding: bytes[start + 46..<nameEnd], as: UTF8.self), size: size,
        method: number(bytes, start + 10, 2), isEncrypted: bytes[start + 8] & 1 != 0,
        checksum: UInt32(number(bytes, start + 16, 4)), compressedSize: compressedSize,
        offset: offset),
      next
    )
  }

  /// Little-endian; numbers of 64 bits that are too large come out negative.
  private static func number(_ bytes: [UInt8], _ start: Int, _ size: Int) -> Int {
    (0..<size).reversed().reduce(0) { $0 << 8 | Int(bytes[start + $1]) }
  }
}
