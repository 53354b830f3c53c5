import Glibc

/// One input text: its name as the user wrote it, its bytes, and where its lines begin.
///
/// Positions everywhere in lgc are byte offsets into `bytes`; lines and columns are computed only
/// when a diagnostic is shown. Lines and columns are 1-based; a column counts Unicode scalars, so a
/// caret stands under the character the user sees and not under the third byte of an `é`.
public final class SourceFile: Sendable {
  /// The path as given on the command line (`-` for standard input).
  public let path: String
  public let bytes: [UInt8]
  /// Offset of the first byte of each line; never empty.
  private let lineStarts: [Int]
  /// Scalars that begin before byte 0, `stride`, 2·`stride`, …: without them a line of 8 MiB with an
  /// error at every word would be read through for each of them.
  private let scalarsBefore: [Int]
  private static let stride = 1024

  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    var starts = [0]
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      var rest = 0
      while let found = memchr(base + rest, 0x0A, buffer.count - rest) {
        rest = UnsafeRawPointer(found) - base + 1
        starts.append(rest)
      }
    }
    lineStarts = starts
    var before = [0]
    before.reserveCapacity(bytes.count / Self.stride + 1)
    var start = 0
    while start + Self.stride <= bytes.count {
      before.append(before.last! + Self.scalars(bytes, start..<start + Self.stride))
      start += Self.stride
    }
    scalarsBefore = before
  }

  private static func scalars(_ bytes: [UInt8], _ range: Range<Int>) -> Int {
    bytes[range].reduce(0) { $0 &+ ($1 & 0xC0 == 0x80 ? 0 : 1) }
  }

  private func scalars(before offset: Int) -> Int {
    let block = offset / Self.stride
    return scalarsBefore[block] + Self.scalars(bytes, block * Self.stride..<offset)
  }

  public convenience init(path: String, text: String) {
    self.init(path: path, bytes: Array(text.utf8))
  }

  public var lineCount: Int { lineStarts.count }

  /// The 1-based line and column of a byte offset; offsets past the end are clamped to it.
  public func position(at offset: Int) -> (line: Int, column: Int) {
    let offset = min(max(offset, 0), bytes.count)
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    let start = lineStarts[low]
    let scalars =
      offset - start < Self.stride
      ? Self.scalars(bytes, start..<offset) : scalars(before: offset) - scalars(before: start)
    return (low + 1, scalars + 1)
  }

  /// The bytes of a 1-based line without its line break.
  public func line(_ number: Int) -> ArraySlice<UInt8> {
    let start = lineStarts[number - 1]
    var end = number < lineStarts.count ? lineStarts[number] - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return bytes[start..<max(start, end)]
  }
}

/// A half-open range of bytes of one source file.
public struct Span: Sendable {
  public let file: SourceFile
  public var start: Int
  public var end: Int

  public init(file: SourceFile, start: Int, end: Int) {
    self.file = file
    self.start = start
    self.end = max(start, end)
  }

  public var text: String { String(decoding: file.bytes[start..<end], as: UTF8.self) }
}

extension Span: Hashable {
  public static func == (a: Span, b: Span) -> Bool {
    a.file === b.file && a.start == b.start && a.end == b.end
  }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(file))
    hasher.combine(start)
    hasher.combine(end)
  }
}
