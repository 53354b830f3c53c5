import Diagnostics

/// libyaml's complaint, with byte offsets, before it is put into words for people.
struct SyntaxError: Error {
  let file: SourceFile
  let problem: String
  let context: String?
  /// Where libyaml stopped, and where the construct it was in began.
  let mark: Int
  let contextMark: Int?

  var diagnostic: Diagnostic {
    if let tab = tabInIndentation { return .tabIndentation(span(tab, tab + 1)) }
    if mark < file.bytes.count, file.bytes[mark] == UInt8(ascii: ":"), isFirstOnLine(mark) {
      return .keyMissing(span(mark, mark + 1))
    }
    switch problem {
    case "could not find expected ':'":
      return .keyWithoutColon(restOfLine(contextMark ?? mark))
    case "mapping values are not allowed in this context":
      if let dash = dashWithoutBlank { return .dashWithoutBlank(dash) }
      return (wordBeforeBracket(mark) ?? previousLineWithoutColon).map { .keyWithoutColon($0) }
        ?? .strayColon(span(mark, mark + 1))
    case "block sequence entries are not allowed in this context":
      return .strayDash(span(mark, mark + 1))
    case "found character that cannot start any token":
      return .strayCharacter(character(at: mark))
    case "did not find expected ',' or ']'":
      return .notClosed(at: token(mark), opening: contextMark.map { span($0, $0 + 1) }, "list", "]")
    case "did not find expected ',' or '}'":
      return .notClosed(
        at: token(mark), opening: contextMark.map { span($0, $0 + 1) }, "mapping", "}")
    case "did not find expected key", "did not find expected '-' indicator":
      // The same complaint is made of a line that begins at a column of its own and of text after
      // a finished value (`"a" b`).
      if problem.hasSuffix("'-' indicator"), let contextMark, column(mark) == column(contextMark) {
        return .dashMissing(restOfLine(mark), opening: token(contextMark))
      }
      return isFirstOnLine(mark)
        ? .badIndentation(restOfLine(mark), opening: contextMark.map { token($0) })
        : .textAfterValue(restOfLine(mark))
    case "found unexpected end of stream" where contextMark != nil:
      return .quoteNotClosed(span(contextMark!, contextMark! + 1))
    case "found unexpected document indicator" where contextMark != nil:
      return .quoteNotClosed(span(contextMark!, contextMark! + 1))
    case "did not find expected node content": return .noValue(token(mark))
    case "found unknown escape character":
      return .unknownEscape(span(mark, characterEnd(mark + 1)))
    case "control characters are not allowed":
      return .controlCharacter(character(at: mark))
    case "did not find expected <document start>":
      return .textAfterValue(restOfLine(mark))
    default:
      return .other(problem, context, at: token(mark))
    }
  }

  /// From where a reader may look for a line to go on with. A list or mapping that was not closed
  /// is noticed on the first line after it, and that line may be sound.
  var resumption: Int {
    let line = lineStart(mark)
    return contextMark.map { $0 < line } ?? false ? line : mark + 1
  }

  /// The first tab in the blanks that begin the line of `mark`.
  private var tabInIndentation: Int? {
    let bytes = file.bytes
    var index = lineStart(mark)
    while index < bytes.count, bytes[index] == 0x20 { index += 1 }
    return index < bytes.count && bytes[index] == 0x09 && index <= mark ? index : nil
  }

  private func span(_ start: Int, _ end: Int) -> Span {
    Span(file: file, start: start, end: min(end, file.bytes.count))
  }

  private func lineStart(_ offset: Int) -> Int {
    var start = min(offset, file.bytes.count)
    while start > 0, file.bytes[start - 1] != 0x0A { start -= 1 }
    return start
  }

  private func column(_ offset: Int) -> Int { offset - lineStart(offset) }

  private func isFirstOnLine(_ offset: Int) -> Bool {
    file.bytes[lineStart(offset)..<offset].allSatisfy { $0 == 0x20 || $0 == 0x09 }
  }

  /// From `offset` to the end of its line, without comment and trailing blanks.
  private func restOfLine(_ offset: Int) -> Span {
    let bytes = file.bytes
    var end = offset
    while end < bytes.count, bytes[end] != 0x0A {
      if bytes[end] == UInt8(ascii: "#"), end > offset, bytes[end - 1] == 0x20 { break }
      end += 1
    }
    while end > offset, [0x20, 0x09, 0x0D].contains(bytes[end - 1]) { end -= 1 }
    return span(offset, end)
  }

  /// The word that begins the line of `offset`, after a dash, where a bracket follows it instead of
  /// a colon: `loss {family: mse}`.
  private func wordBeforeBracket(_ offset: Int) -> Span? {
    let bytes = file.bytes
    var start = lineStart(offset)
    while start < offset, bytes[start] == 0x20 || bytes[start] == UInt8(ascii: "-") { start += 1 }
    var end = start
    while end < offset, bytes[end] > 0x20, !":,[]{}\"'".utf8.contains(bytes[end]) { end += 1 }
    var next = end
    while next < offset, bytes[next] == 0x20 { next += 1 }
    guard start < end, next < offset, "[{".utf8.contains(bytes[next]) else { return nil }
    return span(start, end)
  }

  /// `-flatten` on the line before that of the mark: YAML takes it for text that goes on in the
  /// mark's line, and stops at that one's `:`.
  private var dashWithoutBlank: Span? {
    let bytes = file.bytes
    let line = lineStart(mark)
    guard line > 0 else { return nil }
    var start = lineStart(line - 1)
    while start < line, bytes[start] == 0x20 { start += 1 }
    guard bytes[start] == UInt8(ascii: "-"), bytes[start + 1] > 0x20,
      bytes[start + 1] != UInt8(ascii: "-")
    else { return nil }
    return token(start)
  }

  /// What stands on the line before that of the mark, where it has no `:` and the mark's line begins
  /// with a key: YAML takes both lines for one text, and stops at the second one's `:`.
  private var previousLineWithoutColon: Span? {
    let bytes = file.bytes
    let line = lineStart(mark)
    guard line > 0, !bytes[line..<mark].contains(0x3A) else { return nil }
    var start = lineStart(line - 1)
    while start < line, bytes[start] == 0x20 || bytes[start] == UInt8(ascii: "-") { start += 1 }
    let written = restOfLine(start)
    let begin = written.start
    guard begin < written.end, bytes[begin] != UInt8(ascii: "#"),
      !bytes[begin..<written.end].contains(0x3A)
    else { return nil }
    return wordBeforeBracket(written.end) ?? token(begin)
  }

  /// From `offset` up to the next blank or bracket.
  private func token(_ offset: Int) -> Span {
    let bytes = file.bytes
    var end = offset
    while end < bytes.count, bytes[end] > 0x20, !",[]{}".utf8.contains(bytes[end]) { end += 1 }
    if end == offset, end < bytes.count, bytes[end] > 0x20 { end += 1 }
    return span(offset, end)
  }

  private func character(at offset: Int) -> Span { span(offset, characterEnd(offset)) }

  private func characterEnd(_ offset: Int) -> Int {
    var end = offset + 1
    while end < file.bytes.count, file.bytes[end] & 0xC0 == 0x80 { end += 1 }
    return end
  }
}

extension Diagnostic {
  fileprivate static func tabIndentation(_ span: Span) -> Diagnostic {
    Diagnostic(
      .tabIndentation, "a tab indents this line", at: span,
      notes: ["YAML indents with spaces only"], help: "replace the tab by spaces")
  }

  fileprivate static func keyMissing(_ span: Span) -> Diagnostic {
    Diagnostic(.yamlSyntax, "a key is missing before `:`", at: span)
  }

  fileprivate static func keyWithoutColon(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "`\(span.text.prefix(40))` is followed by no `:`", at: span,
      help: "write `key: value`, with a blank after the colon")
  }

  fileprivate static func dashWithoutBlank(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "no blank follows the `-` of a list entry", at: span,
      help: "write `- \(span.text.dropFirst())`")
  }

  fileprivate static func strayColon(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "a second `:` on one line", at: span,
      help: "put text that holds a `:` in quotes, an inner mapping in braces or on its own lines")
  }

  fileprivate static func strayDash(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "a list item cannot begin here", at: span,
      help: "begin the list on a line of its own")
  }

  fileprivate static func strayCharacter(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "`\(span.text)` cannot begin a value", at: span,
      help: "put the text in quotes")
  }

  fileprivate static func notClosed(
    at span: Span, opening: Span?, _ what: String, _ bracket: String
  ) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "expected `,` or `\(bracket)`", at: span,
      labels: opening.map { [Label($0, "the \(what) begins here")] } ?? [],
      help: "end the \(what) with `\(bracket)`, or separate what stands in it by `,`")
  }

  fileprivate static func badIndentation(_ span: Span, opening: Span?) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "the indentation of this line fits nothing above it", at: span,
      labels: opening.map { [Label($0, "the entries above begin here")] } ?? [],
      help: "indent the entries of one mapping or list alike")
  }

  fileprivate static func dashMissing(_ span: Span, opening: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "this entry of a list begins with no `-`", at: span,
      labels: [Label(opening, "the list begins here")], help: "write `- ` before it")
  }

  fileprivate static func textAfterValue(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "`\(span.text.prefix(40))` follows a value that is complete", at: span)
  }

  fileprivate static func quoteNotClosed(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "the quoted text that begins here has no end", at: span,
      help: "end it with `\(span.text)`")
  }

  fileprivate static func noValue(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax,
      span.start == span.end
        ? "the text ends where a value is expected" : "`\(span.text.prefix(40))` is no value", at: span,
      help: "write a value, or close the list or mapping before")
  }

  fileprivate static func unknownEscape(_ span: Span) -> Diagnostic {
    Diagnostic(
      .yamlSyntax, "`\(span.text)` is no escape sequence", at: span,
      help: "write `\\\\` for a backslash, or use single quotes")
  }

  fileprivate static func controlCharacter(_ span: Span) -> Diagnostic {
    let value = span.text.unicodeScalars.first?.value ?? 0
    let digits = String(value, radix: 16, uppercase: true)
    let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return Diagnostic(
      .yamlSyntax, "the control character \(code) cannot stand in YAML", at: span)
  }

  /// libyaml's rarer complaints stand in its own words.
  fileprivate static func other(
    _ problem: String, _ context: String?, at span: Span
  ) -> Diagnostic {
    let message = problem.isEmpty ? "invalid YAML" : problem
    return Diagnostic(.yamlSyntax, message, at: span, notes: context.map { [$0] } ?? [])
  }
}
