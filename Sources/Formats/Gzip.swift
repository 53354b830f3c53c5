import CZlib
import Glibc

/// gzip (RFC 1952) by zlib.
public enum Gzip {
  /// Whether the bytes begin as gzip does.
  public static func isCompressed(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
  }

  /// The content of all members of a gzip file; its check sums are verified. `path` names the
  /// file in errors; content beyond `limit` bytes is one.
  public static func decompress(
    _ bytes: [UInt8], path: String, limit: Int = 1 << 34
  ) throws(FormatError) -> [UInt8] {
    var stream = z_stream()
    // 16 + 15: gzip framing only, the largest window.
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, size) == Z_OK else {
      throw FormatError(path: path, message: "zlib does not start", cause: .system)
    }
    defer { inflateEnd(&stream) }

    var output = [UInt8](repeating: 0, count: min(max(64, expectedSize(bytes)), limit))
    var input = 0
    var produced = 0
    while true {
      if produced == output.count && output.count < limit {
        output.append(
          contentsOf: repeatElement(0, count: min(output.count, limit - output.count)))
      }
      let (status, read, written) = step(
        &stream, bytes, from: input, &output, from: produced)
      input += read
      produced += written
      if status == Z_STREAM_END {
        if input == bytes.count { break }
        guard Array(bytes[input...].prefix(2)) == [0x1F, 0x8B], inflateReset(&stream) == Z_OK
        else { throw FormatError(path: path, message: trailing(bytes.count - input)) }
        continue
      }
      guard status == Z_OK || status == Z_BUF_ERROR else {
        let reason = stream.msg.map { String(cString: $0) } ?? "error \(status)"
        throw FormatError(path: path, message: "is corrupt gzip: \(reason)")
      }
      if read == 0 && written == 0 {
        // At the limit the check sums may still be read, but nothing more can be written.
        guard produced < output.count else {
          throw FormatError(path: path, message: "holds more than \(limit) bytes")
        }
        throw FormatError(path: path, message: "is cut off: the gzip data does not end")
      }
    }
    output.removeLast(output.count - produced)
    return output
  }

  /// The last four bytes: the size modulo 2³², of the last member; only a first guess, which a
  /// forged file cannot turn into a huge allocation (deflate expands at most 1032 times).
  private static func expectedSize(_ bytes: [UInt8]) -> Int {
    let stated = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    return min(stated, bytes.count * 1032)
  }

  private static func step(
    _ stream: inout z_stream, _ input: [UInt8], from first: Int, _ output: inout [UInt8],
    from start: Int
  ) -> (status: Int32, read: Int, written: Int) {
    input.withUnsafeBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        let available = UInt32(clamping: source.count - first)
        let room = UInt32(clamping: target.count - start)
        // zlib does not write through next_in; its type only predates const.
        stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { $0 + first })
        stream.avail_in = available
        stream.next_out = target.baseAddress.map { $0 + start }
        stream.avail_out = room
        let status = inflate(&stream, Z_NO_FLUSH)
        return (status, Int(available - stream.avail_in), Int(room - stream.avail_out))
      }
    }
  }

  fileprivate static func trailing(_ count: Int) -> String {
    "\(count) bytes follow the gzip data"
  }
}
