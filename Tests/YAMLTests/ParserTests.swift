import Diagnostics
import Testing

@testable import YAML

/// What the parser says of texts that are wrong, and how merge keys and aliases come out.
@Suite struct ParserTests {
  @Test func mergedKeysComeAfterWrittenOnesAndBeforeLaterMappings() throws {
    let root = try parsed(
      """
      x-a: &a {p: 1, q: 1}
      x-b: &b {q: 2, r: 2}
      one: {<<: *a, q: 9}
      both: {s: 0, <<: [*a, *b], r: 9}
      chained:
        <<: &c {<<: *a, t: 5}
      """)
    #expect(pairs(root["one"]) == ["p: 1", "q: 9"])
    #expect(pairs(root["both"]) == ["s: 0", "p: 1", "q: 1", "r: 9"])
    #expect(pairs(root["chained"]) == ["p: 1", "q: 1", "t: 5"].sorted())
    let merged = try #require(root["both"]?.entry("q"))
    #expect(merged.value.alias?.text == "*a")
    #expect(merged.keySpan.file.position(at: merged.keySpan.start).line == 1)
  }

  @Test func aQuotedMergeKeyIsAKey() throws {
    let root = try parsed("a: {'<<': 1}")
    #expect(root["a"]?.entry("<<")?.value.int == 1)
  }

  @Test func aMergeKeyTakesMappingsOnly() {
    #expect(codes("a: {<<: 3}") == ["L0011 1:9"])
    #expect(codes("a: {<<: [{b: 1}, x]}") == ["L0011 1:18"])
  }

  @Test func aDuplicateKeyPointsAtBothPlaces() throws {
    let (root, diagnostics) = parse(SourceFile(path: "t", text: "a: 1\nb: 2\na: 3\n"))
    #expect(diagnostics.map(place) == ["L0004 3:1"])
    #expect(diagnostics[0].labels.map(\.span.start) == [0])
    #expect(root?["a"]?.int == 1)
    #expect(codes("{a: 1, 'a': 2}") == ["L0004 1:8"])
    #expect(codes("a: {<<: {b: 1}, <<: {c: 1}}") == ["L0004 1:17"])
  }

  @Test func duplicatesAreFoundInLargeMappings() {
    var lines = (0..<40).map { "k\($0): 1" }
    lines.append("k31: 1")
    #expect(codes(lines.joined(separator: "\n")) == ["L0004 41:1"])
  }

  @Test func allErrorsOfTheTreeAreReported() {
    #expect(
      codes("a: 1\na: 2\nb: *nowhere\n? [x]\n: 1\nc: !foo 1\n")
        == ["L0004 2:1", "L0005 3:4", "L0012 4:3", "L0013 6:9"])
  }

  @Test func readingGoesOnAfterASyntaxError() {
    #expect(
      codes("a: b: c\nmodel:\n\tinput: 3\nloss: {x: 1\ntrain:\n  epochs: @\n")
        == ["L0001 1:5", "L0003 3:1", "L0001 5:6", "L0001 6:11"])
  }

  @Test(arguments: [
    ("a:\n\tb: 1", "L0003 2:1"),
    ("a:\n  b: 1\n\tc: 1", "L0003 3:1"),
    ("a:\n  \tb: 1\n", "L0003 2:3"),
    ("a: b: c", "L0001 1:5"),
    ("a: - b", "L0001 1:4"),
    ("a: @b", "L0001 1:4"),
    ("a: [1, 2\nb: 3\n", "L0001 2:2"),
    ("a: {b: 1\n", "L0001 2:1"),
    ("a: 'x\n", "L0001 1:4"),
    ("a: \"\\q\"", "L0001 1:5"),
    ("a: 1\nfoo\nb: 2", "L0001 2:1"),
    ("a:\n  b: 1\n c: 2", "L0001 3:2"),
    ("a: \"x\" y", "L0001 1:8"),
    ("a:\n  - 1\n  b: 2", "L0001 3:3"),
    ("a: \u{1}", "L0001 1:4"),
    ("- 1\nb: 2", "L0001 2:1"),
    ("", "L0009 1:1"),
    ("# nothing\n", "L0009 1:1"),
    ("---\n...\n", "L0009 1:1"),
    ("a: 1\n---\nb: 2\n", "L0010 2:1"),
    ("a: &x [*x]", "L0005 1:8"),
    ("{a: 1}: 2", "L0012 1:1"),
    (": 2", "L0001 1:1"),
    ("a: {: 2}", "L0001 1:5"),
    ("a: !!int x", "L0013 1:10"),
    ("a: !!map [1]", "L0013 1:10"),
  ])
  func eachErrorStandsAtItsPlace(_ text: String, _ expected: String) {
    #expect(codes(text) == [expected])
  }

  @Test(arguments: [
    ([0x61, 0x3A, 0x20, 0xFF], "L0002 1:4"),
    ([0x61, 0x3A, 0x20, 0xC3, 0xA9, 0x0A, 0xC3], "L0002 2:1"),
    ([0x61, 0x3A, 0x20, 0xC3, 0xA9, 0xC0, 0x80], "L0002 1:5"),
    ([0xED, 0xA0, 0x80], "L0002 1:1"),
    ([0xF4, 0x90, 0x80, 0x80], "L0002 1:1"),
    ([0xE0, 0x80, 0x80], "L0002 1:1"),
    ([0xFF, 0xFE, 0x61, 0x00], "L0002 1:1"),
  ] as [([UInt8], String)])
  func invalidUTF8StandsAtItsByte(_ bytes: [UInt8], _ expected: String) {
    let (root, diagnostics) = parse(SourceFile(path: "t", bytes: bytes))
    #expect(root == nil)
    #expect(diagnostics.map(place) == [expected])
  }

  // MARK: - Limits

  @Test func depthIsLimitedWithoutRecursion() {
    let accepted = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(codes(accepted) == [])
    #expect(codes("[\(accepted)]") == ["L0007 1:65"])
    #expect(codes(String(repeating: "[", count: 10_000)) == ["L0007 1:65"])
    #expect(codes(String(repeating: "{a: ", count: 10_000)) == ["L0007 1:257"])
    #expect(codes(String(repeating: "- ", count: 10_000)) == ["L0007 1:129"])
  }

  @Test func depthIsLimitedThroughAliases() {
    var lines = ["a0: &a0 [1]"]
    for level in 1..<100 { lines.append("a\(level): &a\(level) [*a\(level - 1)]") }
    #expect(codes(lines.joined(separator: "\n")) == ["L0007 64:12"])
  }

  @Test func anAliasBombIsCountedAndNotBuilt() {
    var lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in 1..<60 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      lines.append("a\(level): &a\(level) [\(aliases)]")
    }
    #expect(codes(lines.joined(separator: "\n")) == ["L0008 5:45"])
  }

  @Test func aMergeBombIsCounted() {
    var lines = ["a: &a {\((0..<1000).map { "k\($0): 1" }.joined(separator: ", "))}"]
    for index in 0..<100 { lines.append("b\(index): {<<: *a}") }
    #expect(codes(lines.joined(separator: "\n")) == ["L0008 50:11"])
  }

  @Test func nodesAreLimited() {
    let items = Array(repeating: "1", count: 99_998).joined(separator: ",")
    #expect(codes("a: [\(items)]") == ["L0008 1:199999"])
    #expect(codes("[\(items)]") == [])
  }

  @Test func bytesAreLimited() {
    var limits = Limits()
    limits.bytes = 1 << 20
    let text = "a: 1\n#" + String(repeating: "x", count: 1 << 20)
    let (root, diagnostics) = parse(SourceFile(path: "t", text: text), limits: limits)
    #expect(root == nil)
    #expect(diagnostics.map(\.code.id) == ["L0006"])
  }

  // MARK: -

  private func parsed(_ text: String) throws -> Node {
    let (root, diagnostics) = parse(SourceFile(path: "t", text: text))
    #expect(diagnostics.isEmpty, "\(diagnostics.map(\.message))")
    return try #require(root)
  }

  private func codes(_ text: String) -> [String] {
    parse(SourceFile(path: "t", text: text)).diagnostics.map(place)
  }

  private func place(_ diagnostic: Diagnostic) -> String {
    guard let span = diagnostic.span else { return diagnostic.code.id }
    let (line, column) = span.file.position(at: span.start)
    return "\(diagnostic.code.id) \(line):\(column)"
  }

  private func pairs(_ node: Node?) -> [String] {
    (node?.mapping ?? []).map { "\($0.key): \($0.value.scalar?.text ?? "")" }
  }
}
