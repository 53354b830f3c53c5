/// Diagnostics for people: the message, the source line with carets under it, notes and help.
///
///     error[L0101]: unknown key `unit`
///      --> quickstart.yaml:7:15
///       |
///     7 |     - dense: {unit: 10}
///       |               ^^^^
///       = help: did you mean `units`?
public struct CaretRenderer: Sendable {
  public let usesColor: Bool
  /// Columns of source shown; a longer line is cut around the first mark on it.
  public static let maximumWidth = 120
  static let maximumCount = 100

  public init(usesColor: Bool) { self.usesColor = usesColor }

  /// Each diagnostic, with a blank line after it. Past the first hundred they are only counted:
  /// a file of the wrong kind has thousands, and nobody reads them.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    let shown = diagnostics.prefix(Self.maximumCount)
    let text = shown.map { render($0) + "\n" }.joined()
    let rest = diagnostics.count - shown.count
    guard rest > 0 else { return text }
    // That nothing was looked for any more is said in any case.
    if let last = diagnostics.last, last.code == .tooManyErrors {
      return text + "… and \(rest - 1) more\n\n" + render(last) + "\n"
    }
    return text + "… and \(rest) more\n\n"
  }

  /// One diagnostic, ending in a line break.
  public func render(_ diagnostic: Diagnostic) -> String {
    let style = Style(diagnostic.severity)
    var out = paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.id)]", style)
    out += paint(": \(diagnostic.message)", .bold) + "\n"
    let snippets = Snippet.all(of: diagnostic)
    let gutter = snippets.flatMap { $0.lines.map(\.number) }.max().map { String($0).count } ?? 1
    let margin = String(repeating: " ", count: gutter)
    for (index, snippet) in snippets.enumerated() {
      out += margin + paint(index == 0 ? "-->" : ":::", .gutter)
      out += " \(ShownText.line(snippet.file.path)):\(snippet.line):\(snippet.column)\n"
      out += margin + paint(" |", .gutter) + "\n"
      var previous: Int?
      for line in snippet.lines {
        if let previous, line.number > previous + 1 { out += paint("...", .gutter) + "\n" }
        previous = line.number
        let number = String(line.number)
        let pad = String(repeating: " ", count: gutter - number.count)
        let layout = LineLayout(snippet.file.line(line.number), marks: line.marks)
        out += paint(pad + number + " |", .gutter) + (layout.text.isEmpty ? "" : " " + layout.text)
        out += "\n"
        for row in layout.rows {
          let cells = row.map { piece in
            paint(piece.text, piece.isPrimary.map { $0 ? style : .gutter } ?? .plain)
          }
          out += margin + paint(" |", .gutter) + " " + cells.joined() + "\n"
        }
      }
    }
    for note in diagnostic.notes { out += footer("note", note, margin) }
    if let help = diagnostic.help { out += footer("help", help, margin) }
    return out
  }

  private func footer(_ word: String, _ text: String, _ margin: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let indent = margin + String(repeating: " ", count: word.count + 5)
    return margin + paint(" = ", .gutter) + paint(word, .bold) + ": "
      + lines.joined(separator: "\n" + indent) + "\n"
  }

  // MARK: - Colour

  private enum Style: String {
    case plain = ""
    case bold = "1"
    case error = "1;31"
    case warning = "1;33"
    case note = "1;36"
    case gutter = "1;34"

    init(_ severity: Diagnostic.Severity) {
      switch severity {
      case .error: self = .error
      case .warning: self = .warning
      case .note: self = .note
      }
    }
  }

  private func paint(_ text: String, _ style: Style) -> String {
    guard usesColor, style != .plain, !text.isEmpty else { return text }
    return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
  }
}

/// The marked lines of one file. The primary span's file comes first.
private struct Snippet {
  struct Line {
    let number: Int
    var marks: [LineLayout.Mark]
  }
  let file: SourceFile
  /// Where the first mark is.
  let line: Int
  let column: Int
  /// In order of their numbers; a single line between two marked ones is shown too.
  var lines: [Line] = []

  static func all(of diagnostic: Diagnostic) -> [Snippet] {
    guard let primary = diagnostic.span else { return [] }
    var snippets: [Snippet] = []
    func add(_ span: Span, _ message: String?, isPrimary: Bool) {
      if !snippets.contains(where: { $0.file === span.file }) {
        let (line, column) = span.file.position(at: span.start)
        snippets.append(Snippet(file: span.file, line: line, column: column))
      }
      let index = snippets.firstIndex { $0.file === span.file }!
      snippets[index].add(span, message, isPrimary: isPrimary)
    }
    add(primary, diagnostic.label, isPrimary: true)
    for label in diagnostic.labels { add(label.span, label.message, isPrimary: false) }
    for index in snippets.indices { snippets[index].fillSingleGaps() }
    return snippets
  }

  /// A span of several lines is marked on its first line and, with the message, on its last.
  private mutating func add(_ span: Span, _ message: String?, isPrimary: Bool) {
    let first = file.position(at: span.start).line
    let last = span.end > span.start ? file.position(at: span.end - 1).line : first
    func mark(_ number: Int, from start: Int, to end: Int, _ message: String?) {
      let mark = LineLayout.Mark(
        start: start, end: end, message: message, isPrimary: isPrimary)
      if let index = lines.firstIndex(where: { $0.number == number }) {
        lines[index].marks.append(mark)
      } else {
        lines.append(Line(number: number, marks: [mark]))
        lines.sort { $0.number < $1.number }
      }
    }
    if first == last {
      mark(first, from: span.start, to: span.end, message)
    } else {
      mark(first, from: span.start, to: file.line(first).endIndex, nil)
      let lastLine = file.line(last)
      let text = lastLine.firstIndex { $0 != 0x20 && $0 != 0x09 } ?? lastLine.startIndex
      mark(last, from: min(text, span.end), to: span.end, message)
    }
  }

  private mutating func fillSingleGaps() {
    for index in lines.indices.dropFirst().reversed()
    where lines[index].number == lines[index - 1].number + 2 {
      lines.insert(Line(number: lines[index].number - 1, marks: []), at: index)
    }
  }
}
