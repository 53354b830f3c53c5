/// One source line as it is shown, with the rows of marks and messages under it.
///
/// Tabs become four blanks, control characters their pictures (so that a file cannot command the
/// terminal), bytes that are not UTF-8 `�`; East-Asian wide characters take two columns.
struct LineLayout {
  struct Mark {
    /// Byte offsets in the file; an empty range is marked by one caret.
    let start: Int
    let end: Int
    let message: String?
    let isPrimary: Bool
  }

  /// A piece of a row; `isPrimary` is nil for blanks.
  struct Piece {
    let text: String
    let isPrimary: Bool?
  }

  let text: String
  let rows: [[Piece]]

  init(_ line: ArraySlice<UInt8>, marks: [Mark]) {
    let window = Self.window(line, around: marks.map(\.start).min())
    var text = window.lowerBound > line.startIndex ? "…" : ""
    var column = text.isEmpty ? 0 : 1
    /// The column of each byte of the window, and of the place after it.
    var columns = [Int](repeating: 0, count: window.count + 1)
    var index = window.lowerBound
    while index < window.upperBound {
      let (scalar, length) = Self.decode(line, at: index)
      let cell = Self.cell(scalar)
      for byte in index..<min(index + length, window.upperBound) {
        columns[byte - window.lowerBound] = column
      }
      if scalar == "\t" {
        text += "    "
      } else {
        text.unicodeScalars.append(cell.shown)
      }
      column += cell.width
      index += length
    }
    columns[window.count] = column
    if window.upperBound < line.endIndex { text += "…" }
    self.text = text

    let placed = marks.map { mark -> Placed in
      let start = min(max(mark.start, window.lowerBound), window.upperBound)
      let end = min(max(mark.end, start), window.upperBound)
      let from = columns[start - window.lowerBound]
      return Placed(
        from: from, to: max(from + 1, columns[end - window.lowerBound]), message: mark.message,
        isPrimary: mark.isPrimary)
    }
    rows = Self.rows(placed)
  }

  // MARK: - Rows of marks

  private struct Placed {
    let from: Int
    let to: Int
    let message: String?
    let isPrimary: Bool
  }

  /// The first row underlines; the rightmost message stands beside it and the others below, each
  /// hanging on a bar under its own mark.
  private static func rows(_ marks: [Placed]) -> [[Piece]] {
    guard let width = marks.map(\.to).max() else { return [] }
    var underline = [Character](repeating: " ", count: width)
    // Primary marks last: where marks overlap the carets are seen.
    for mark in marks.sorted(by: { !$0.isPrimary && $1.isPrimary }) {
      for column in mark.from..<mark.to { underline[column] = mark.isPrimary ? "^" : "-" }
    }
    var hanging = marks.filter { $0.message != nil }.sorted { $0.from < $1.from }
    var first = pieces(underline)
    if let last = hanging.last, last.to == width,
      !hanging.dropLast().contains(where: { $0.from == last.from })
    {
      hanging.removeLast()
      first.append(Piece(text: " " + last.message!, isPrimary: last.isPrimary))
    }
    var rows = [first]
    while let last = hanging.popLast() {
      // A row of bars only, once, then one row per message from right to left.
      let bars = hanging.filter { $0.from < last.from }
      if rows.count == 1 { rows.append(barRow(bars + [last])) }
      var row = barRow(bars)
      let used = bars.map { $0.from + 1 }.max() ?? 0
      row.append(Piece(text: String(repeating: " ", count: last.from - used), isPrimary: nil))
      row.append(Piece(text: last.message!, isPrimary: last.isPrimary))
      rows.append(row)
    }
    return rows
  }

  private static func barRow(_ marks: [Placed]) -> [Piece] {
    var pieces: [Piece] = []
    var column = 0
    for mark in marks where mark.from >= column {
      pieces.append(
        Piece(text: String(repeating: " ", count: mark.from - column), isPrimary: nil))
      pieces.append(Piece(text: "|", isPrimary: mark.isPrimary))
      column = mark.from + 1
    }
    return pieces
  }

  private static func pieces(_ underline: [Character]) -> [Piece] {
    var pieces: [Piece] = []
    var start = 0
    for index in 1...underline.count
    where index == underline.count || underline[index] != underline[start] {
      let character = underline[start]
      pieces.append(
        Piece(
          text: String(underline[start..<index]),
          isPrimary: character == " " ? nil : character == "^"))
      start = index
    }
    return pieces
  }

  // MARK: - Characters

  /// The bytes shown of a line that is too long: about `maximumWidth` characters from some way
  /// before the first mark on. It counts bytes, so that a line of 8 MiB costs nothing.
  private static func window(_ line: ArraySlice<UInt8>, around mark: Int?) -> Range<Int> {
    let width = CaretRenderer.maximumWidth
    guard line.count > width else { return line.startIndex..<line.endIndex }
    func boundary(_ offset: Int) -> Int {
      var offset = min(max(offset, line.startIndex), line.endIndex)
      while offset > line.startIndex, offset < line.endIndex, line[offset] & 0xC0 == 0x80 {
        offset -= 1
      }
      return offset
    }
    var start = line.startIndex
    if let mark, mark - line.startIndex > width / 2 {
      start = boundary(min(mark - width / 2, line.endIndex - width))
    }
    return start..<boundary(start + width)
  }

  private static func decode(
    _ line: ArraySlice<UInt8>, at index: Int
  ) -> (scalar: Unicode.Scalar, length: Int) {
    if line[index] < 0x80 { return (Unicode.Scalar(line[index]), 1) }
    var decoder = UTF8()
    var bytes = line[index...].prefix(4).makeIterator()
    if case .scalarValue(let scalar) = decoder.decode(&bytes) {
      return (scalar, UTF8.width(scalar))
    }
    return ("\u{FFFD}", 1)
  }

  /// What is shown of a scalar, and in how many columns.
  private static func cell(_ scalar: Unicode.Scalar) -> (shown: Unicode.Scalar, width: Int) {
    switch scalar.value {
    case 0x20...0x7E: return (scalar, 1)
    case 0x09: return (scalar, 4)
    case _ where ShownText.picture(of: scalar) != scalar:
      return (ShownText.picture(of: scalar), 1)
    case 0x0300...0x036F, 0x200B...0x200D, 0x20D0...0x20FF, 0xFE00...0xFE0F, 0xFE20...0xFE2F:
      return (scalar, 0)
    // Hangul, CJK, kana, full-width forms, emoji (Unicode East_Asian_Width W and F, in blocks).
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
      0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD:
      return (scalar, 2)
    default: return (scalar, 1)
    }
  }
}
