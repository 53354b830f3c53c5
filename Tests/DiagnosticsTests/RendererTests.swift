import Diagnostics
import Testing

/// SARIF and workflow commands.
@Suite struct RendererTests {
  private let file = SourceFile(path: "models/a, b%.yaml", text: "lgc: 1\nname: é x\n")

  private var diagnostics: [Diagnostic] {
    [
      Diagnostic(
        .unknownKey, "unknown key `x`: 100 %", at: Span(file: file, start: 16, end: 17),
        labels: [.init(Span(file: file, start: 0, end: 3), "here")], notes: ["known: `y`"],
        help: "did you mean `y`?"),
      Diagnostic(.residualSum, "grows", at: Span(file: file, start: 7, end: 11)),
      Diagnostic(.cannotRead, "cannot read `z`", at: nil),
      Diagnostic(.unknownKey, "again", at: Span(file: file, start: 0, end: 3)),
    ]
  }

  @Test func workflowCommandsNamePlacesAndEscapeWhatIsTheirOwn() {
    let lines = GitHubRenderer.render(diagnostics).split(separator: "\n")
    #expect(
      lines[0]
        == "::error file=models/a%2C b%25.yaml,line=2,col=9,endLine=2,endColumn=10,"
        + "title=L0101 unknown-key::unknown key `x`: 100 %25%0Anote: known: `y`%0A"
        + "help: did you mean `y`?")
    #expect(lines[1].hasPrefix("::warning file="))
    #expect(lines[2] == "::error title=L0601 cannot-read::cannot read `z`")
    #expect(lines.count == 4)
  }

  @Test func sarifNamesEachRuleOnceAndPlacesEachResult() throws {
    let text = SARIFRenderer.value(diagnostics, version: "1.2.3") { _ in "meaning" }.compactText
    #expect(text.hasPrefix(#"{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "#))
    #expect(text.contains(#""version": "2.1.0""#))
    #expect(text.contains(#""name": "lgc", "version": "1.2.3""#))
    #expect(text.split(separator: #"{"id": "L0101""#).count == 2)
    #expect(text.contains(#""ruleId": "L0301", "ruleIndex": 1, "level": "warning""#))
    #expect(text.contains(#""uri": "models/a%2C%20b%25.yaml""#))
    #expect(
      text.contains(
        #""region": {"startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 10}"#))
    #expect(text.contains(#""columnKind": "unicodeCodePoints""#))
    #expect(text.contains(#""relatedLocations": ["#))
  }
}
