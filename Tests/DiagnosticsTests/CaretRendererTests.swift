import Diagnostics
import Testing

@Suite struct CaretRendererTests {
  @Test func theCaretStandsUnderTheWord() {
    let file = SourceFile(path: "m.yaml", text: "lgc: 1\n- dense: {unit: 10}\n")
    let diagnostic = Diagnostic(
      .unknownKey, "unknown key `unit`", at: file.span("unit"), label: "not a key of `dense`",
      notes: ["keys: units, bias", "two\nlines"], help: "did you mean `units`?")
    #expect(
      render(diagnostic) == """
        error[L0101]: unknown key `unit`
         --> m.yaml:2:11
          |
        2 | - dense: {unit: 10}
          |           ^^^^ not a key of `dense`
          = note: keys: units, bias
          = note: two
                  lines
          = help: did you mean `units`?

        """)
  }

  @Test func aSecondPlaceIsShownWithItsLine() {
    let file = SourceFile(path: "m.yaml", text: "a: 1\nb: 2\na: 3\n\n\n\n\n\n\na: 4")
    let last = Span(file: file, start: file.bytes.count - 4, end: file.bytes.count - 3)
    let diagnostic = Diagnostic(
      .duplicateKey, "twice", at: last,
      labels: [
        .init(Span(file: file, start: 0, end: 1), "first"),
        .init(Span(file: file, start: 10, end: 11), "second"),
      ])
    #expect(
      render(diagnostic) == """
        error[L0004]: twice
          --> m.yaml:10:1
           |
         1 | a: 1
           | - first
         2 | b: 2
         3 | a: 3
           | - second
        ...
        10 | a: 4
           | ^

        """)
  }

  @Test func severalMarksOnOneLineHangTheirMessages() {
    let file = SourceFile(path: "m.yaml", text: "one: {two: 3, two: 4}")
    let diagnostic = Diagnostic(
      .duplicateKey, "twice", at: Span(file: file, start: 14, end: 17), label: "again",
      labels: [
        .init(Span(file: file, start: 6, end: 9), "first"),
        .init(Span(file: file, start: 0, end: 3), "in here"),
      ])
    #expect(
      render(diagnostic) == """
        error[L0004]: twice
         --> m.yaml:1:15
          |
        1 | one: {two: 3, two: 4}
          | ---   ---     ^^^ again
          | |     |
          | |     first
          | in here

        """)
  }

  @Test func tabsWideAndCombiningCharactersKeepTheCaretInPlace() {
    #expect(marked("\tname: x", "x") == ["    name: x", "          ^"])
    #expect(marked("日本: x", "x") == ["日本: x", "      ^"])
    #expect(marked("é: e\u{301}: x", "x") == ["é: e\u{301}: x", "      ^"])
    #expect(marked("a: 日本", "日本") == ["a: 日本", "   ^^^^"])
    #expect(marked("a: \u{1B}[31m x", "x") == ["a: ␛[31m x", "         ^"])
  }

  @Test func bytesThatAreNoTextAreShownAsOneMark() {
    let file = SourceFile(path: "m", bytes: [0x61, 0x3A, 0x20, 0xFF, 0x20, 0x62])
    let diagnostic = Diagnostic(.invalidUTF8, "bad", at: Span(file: file, start: 3, end: 4))
    #expect(lines(diagnostic) == ["a: � b", "   ^"])
  }

  @Test func anEmptySpanHasOneCaret() {
    let file = SourceFile(path: "m", text: "a:\n")
    let diagnostic = Diagnostic(.wrongType, "bad", at: Span(file: file, start: 2, end: 2))
    #expect(lines(diagnostic) == ["a:", "  ^"])
    let empty = SourceFile(path: "m", text: "")
    let nothing = Diagnostic(.emptyDocument, "bad", at: Span(file: empty, start: 0, end: 0))
    #expect(lines(nothing) == ["", "^"])
  }

  @Test func aSpanOfSeveralLinesIsMarkedWhereItBeginsAndEnds() {
    let file = SourceFile(path: "m.yaml", text: "- dense:\n    a: 1\n    b: 2\n    c: 3\nx: 1\n")
    let diagnostic = Diagnostic(
      .missingKey, "no `units`", at: Span(file: file, start: 2, end: 35), label: "here")
    #expect(
      render(diagnostic) == """
        error[L0102]: no `units`
         --> m.yaml:1:3
          |
        1 | - dense:
          |   ^^^^^^
        ...
        4 |     c: 3
          |     ^^^^ here

        """)
  }

  @Test func aLongLineIsCutAroundTheMark() {
    let text = String(repeating: "a", count: 1000) + "XY" + String(repeating: "b", count: 1000)
    let shown = marked(text, "XY")
    let half = CaretRenderer.maximumWidth / 2
    #expect(shown[0].hasPrefix("…aaa") && shown[0].hasSuffix("bbb…"))
    #expect(shown[0].count == CaretRenderer.maximumWidth + 2)
    #expect(shown[1] == String(repeating: " ", count: half + 1) + "^^")
    let wide = String(repeating: "語", count: 1000) + "X" + String(repeating: "語", count: 1000)
    #expect(marked(wide, "X")[0].contains("X"))
    #expect(!marked(wide, "X")[0].contains("�"))
  }

  @Test func pastTheFirstHundredDiagnosticsAreCounted() {
    let diagnostic = Diagnostic(.cannotRead, "gone", at: nil)
    let text = CaretRenderer(usesColor: false).render(Array(repeating: diagnostic, count: 103))
    #expect(text.split(separator: "\n").count == 101)
    #expect(text.hasSuffix("\n… and 3 more\n\n"))
  }

  @Test func aDiagnosticWithoutAPlaceHasNoSnippet() {
    let diagnostic = Diagnostic(.cannotRead, "cannot read `x`", at: nil, help: "look again")
    #expect(
      render(diagnostic) == "error[L0601]: cannot read `x`\n  = help: look again\n")
  }

  @Test func aPlaceInAnotherFileHasItsOwnSnippet() {
    let parent = SourceFile(path: "p.yaml", text: "a: 1\n")
    let child = SourceFile(path: "c.yaml", text: "b: 2\n")
    let diagnostic = Diagnostic(
      .wrongType, "bad", at: child.span("2"), labels: [.init(parent.span("1"), "from here")])
    #expect(
      render(diagnostic) == """
        error[L0103]: bad
         --> c.yaml:1:4
          |
        1 | b: 2
          |    ^
         ::: p.yaml:1:4
          |
        1 | a: 1
          |    - from here

        """)
  }

  @Test func colourAddsOnlyEscapeSequences() {
    let file = SourceFile(path: "m.yaml", text: "a: 1\n")
    let diagnostic = Diagnostic(
      .residualSum, "sum", at: file.span("1"), labels: [.init(file.span("a"), "here")],
      notes: ["n"], help: "h")
    let colored = CaretRenderer(usesColor: true).render(diagnostic)
    #expect(colored.hasPrefix("\u{1B}[1;33mwarning[L0301]\u{1B}[0m"))
    #expect(colored.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") == render(diagnostic))
  }

  // MARK: -

  private func render(_ diagnostic: Diagnostic) -> String {
    CaretRenderer(usesColor: false).render(diagnostic)
  }

  /// The source line and the row of marks, without their gutter.
  private func lines(_ diagnostic: Diagnostic) -> [String] {
    render(diagnostic).split(separator: "\n", omittingEmptySubsequences: false)[3...4].map {
      String($0.drop { $0 != "|" }.dropFirst(2))
    }
  }

  private func marked(_ text: String, _ word: String) -> [String] {
    lines(Diagnostic(.yamlSyntax, "m", at: SourceFile(path: "m", text: text).span(word)))
  }
}

extension SourceFile {
  /// Where `word` first stands.
  func span(_ word: String) -> Span {
    let pattern = Array(word.utf8)
    let start = bytes.indices.first { bytes[$0...].starts(with: pattern) }!
    return Span(file: self, start: start, end: start + pattern.count)
  }
}
