import Diagnostics
import Testing

@testable import YAML

@Suite struct SpanTests {
  @Test func everyNodeKeepsItsOwnText() throws {
    let root = try parsed(
      """
      lgc: 1   # comment
      model:
        input: [1, 28, 28]   
        layers:
          - dense: {units: 3}
          - relu   

      # after
      name:  two words  # c
      last:
      """)
    #expect(root["lgc"]?.span.text == "1")
    #expect(root["model"]?["input"]?.span.text == "[1, 28, 28]")
    #expect(root["model"]?["layers"]?.span.text == "- dense: {units: 3}\n    - relu")
    let layers = try #require(root["model"]?["layers"]?.sequence)
    #expect(layers[0].span.text == "dense: {units: 3}")
    #expect(layers[0]["dense"]?.span.text == "{units: 3}")
    #expect(layers[1].span.text == "relu")
    #expect(root["name"]?.span.text == "two words")
    #expect(root["last"]?.span.text == "")
    #expect(root["last"]?.span.start == root.span.end)
    #expect(root.entry("name")?.keySpan.text == "name")
  }

  @Test(arguments: ["\n", "\r\n"]) func multiByteTextAndLineBreaksDoNotShiftSpans(_ eol: String)
    throws
  {
    let lines = [
      "név: \"áé\"  # ű", "日本: [語, 𝄞𝄞, ok]", "text: |", "  zwölf", "  Boxkämpfer", "",
      "\"ö\": 'ü''ü'", "end: x",
    ]
    for prefix in ["", "\u{FEFF}"] {
      let root = try parsed(prefix + lines.joined(separator: eol) + eol)
      let entries = try #require(root.mapping)
      #expect(entries.map(\.keySpan.text) == ["név", "日本", "text", "\"ö\"", "end"])
      #expect(entries.map(\.key) == ["név", "日本", "text", "ö", "end"])
      #expect(root["név"]?.span.text == "\"áé\"")
      #expect(root["日本"]?.sequence?.map(\.span.text) == ["語", "𝄞𝄞", "ok"])
      #expect(root["text"]?.span.text == "|\(eol)  zwölf\(eol)  Boxkämpfer")
      #expect(root["text"]?.string == "zwölf\nBoxkämpfer\n")
      #expect(root["ö"]?.span.text == "'ü''ü'")
      #expect(root["end"]?.span.text == "x")
    }
  }

  @Test func longMultiByteTextKeepsItsOffsets() throws {
    let lines = (0..<500).map { "k\($0): \($0 % 7 == 0 ? "ő𝄞" : "a")v\($0)" }
    let root = try parsed(lines.joined(separator: "\n"))
    for (index, entry) in try #require(root.mapping).enumerated() {
      #expect(entry.keySpan.text == "k\(index)")
      #expect(entry.value.span.text == entry.value.string)
    }
  }

  @Test func anchorsAndTagsAreNotPartOfTheValue() throws {
    let root = try parsed(
      """
      a: &one  !!str 3
      b: &two
        # comment
        c: 1
      d: &three
      e: *one
      f: !!map {x: 1}
      """)
    #expect(root["a"]?.span.text == "3")
    #expect(root["a"]?.string == "3")
    #expect(root["b"]?.span.text == "c: 1")
    #expect(root["d"]?.span.text == "")
    #expect(root["d"]?.isNull == true)
    #expect(root["e"]?.span.text == "3")
    #expect(root["e"]?.alias?.text == "*one")
    #expect(root["f"]?.span.text == "{x: 1}")
  }

  @Test func anAliasAtTheEndBelongsToItsList() throws {
    let root = try parsed("a: &x 1\nb:\n  - 2\n  - *x\nc: [*x]\n")
    #expect(root["b"]?.span.text == "- 2\n  - *x")
    #expect(root["c"]?.span.text == "[*x]")
  }

  @Test func aSinglePairInBracketsEndsWithItsValue() throws {
    let root = try parsed("a: [x: 1, y: 2 ]")
    let items = try #require(root["a"]?.sequence)
    #expect(items.map(\.span.text) == ["x: 1", "y: 2"])
    #expect(root["a"]?.span.text == "[x: 1, y: 2 ]")
  }

  @Test func anIndentlessListEndsWithItsLastItem() throws {
    let root = try parsed("a:\n- 1\n- 2\n\nb: 3\n")
    #expect(root["a"]?.span.text == "- 1\n- 2")
  }

  private func parsed(_ text: String) throws -> Node {
    let (root, diagnostics) = parse(SourceFile(path: "t", text: text))
    #expect(diagnostics.isEmpty, "\(diagnostics.map(\.message))")
    return try #require(root)
  }
}
