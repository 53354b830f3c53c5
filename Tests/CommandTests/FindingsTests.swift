import Foundation
import FrontEndTestSupport
import Testing

/// What fuzzing found stays found: every file of `Fixtures/fuzz`, and texts that are built to be
/// slow or large, keep the invariants of the fuzz target.
@Suite struct FindingsTests {
  private static let folder = MalformedTests.folder.deletingLastPathComponent()
    .appendingPathComponent("fuzz")

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { !$0.hasPrefix(".") }.sorted()

  @Test(arguments: names) func whatTheFuzzerFoundIsRepaired(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(name)))
    #expect(violations(of: bytes, directory: ".") == [])
  }

  @Test func theSeedsOfTheFuzzerKeepTheInvariants() {
    #expect(seeds.count >= 300)
    for seed in seeds {
      #expect(violations(of: Array(seed.utf8), directory: ".") == [], "\(seed)")
    }
  }

  private static let head = "lgc: 1\nname: a\n"

  private static func model(_ layers: String) -> String {
    head + "model: {input: [4], layers: [\(layers)]}\n"
  }

  private static func nested(_ depth: Int, times: Int, _ layers: String) -> String {
    (0..<depth).reduce(layers) { inner, _ in "{repeat: {times: \(times), layers: [\(inner)]}}" }
  }

  private static func variables(_ line: (Int) -> String) -> String {
    head + "vars:\n  v0: [1, 1, 1, 1, 1, 1, 1, 1]\n"
      + (1...30).map { "  v\($0): \(line($0 - 1))\n" }.joined()
      + "model: {input: $v30, layers: [relu]}\n"
  }

  private static func anchors(_ line: (Int) -> String) -> String {
    head + "x-0: &a0 {a: 1, b: 2}\n"
      + (1...30).map { "x-\($0): &a\($0) \(line($0 - 1))\n" }.joined()
      + "model: {input: [4], layers: [relu]}\n"
  }

  private static func several(_ count: Int, _ text: (Int) -> String) -> String {
    (0..<count).map(text).joined(separator: ", ")
  }

  /// Few characters that stand for much, and much of the same; with the code that refuses them.
  static let bombs: [(name: String, text: String, code: String)] = [
    ("lists of aliases", anchors { "[*a\($0), *a\($0), *a\($0), *a\($0)]" }, "L0008"),
    ("mappings of aliases", anchors { "{k: *a\($0), l: *a\($0), m: *a\($0)}" }, "L0008"),
    ("merges", anchors { "{<<: [*a\($0), *a\($0)], k\($0): *a\($0)}" }, "L0008"),
    ("unknown aliases", head + "x: [\(several(20_000) { "*a\($0)" })]\n", "L0014"),
    ("a repeat of repeats", model(nested(14, times: 1_000_000_000, "relu")), "L0203"),
    ("a repeat of doubling", model(nested(14, times: 4, "relu")), "L0203"),
    ("blocks in blocks", model(nested(15, times: 1, "relu")), "L0007"),
    ("a repeat of nothing", model(nested(3, times: 20_000, "{parallel: {branches: [[], []]}}")), "L0203"),
    ("a long recurrence", head + "model: {input: [4, 1000000], layers: [lstm: 4]}\n", "L0201"),
    ("variables of lists", variables { "[$v\($0), $v\($0), $v\($0), $v\($0)]" }, "L0008"),
    ("variables of text", variables { "$v\($0)$v\($0)" }, "L0006"),
    ("variables in variables", variables { "[{residual: {layers: $v\($0)}}]" }, "L0103"),
    ("errors on one line", model(several(20_000) { _ in "desne" }), "L0014"),
    ("errors in an input", head + "model: {input: [\(several(20_000) { _ in "x" })], layers: [relu]}\n", "L0014"),
    ("unknown keys", model("relu") + (0..<20_000).map { "key\($0): 1\n" }.joined(), "L0014"),
    ("one name again and again", model(several(10_000) { _ in "{relu: {name: r}}" }), "L0014"),
    ("layers that nothing reads", model(several(10_000) { "{relu: {name: r\($0), from: input}}" }), "L0014"),
    ("layers that are not there", model("relu, {add: {from: [\(several(20_000) { "q\($0)" })]}}"), "L0014"),
    ("brackets", head + "x: " + String(repeating: "[", count: 100_000), "L0007"),
    ("dashes", head + "x:\n " + String(repeating: "- ", count: 100_000), "L0007"),
    ("a long word", model(String(repeating: "a", count: 1 << 20)), "L0105"),
    ("a long number", model("dense: " + String(repeating: "1", count: 1 << 20)), "L0104"),
    ("a long key", head + String(repeating: "a", count: 1 << 20) + ": 1\n", "L0001"),
  ]

  @Test(arguments: bombs.map(\.name)) func nothingSmallStandsForTooMuch(_ name: String) throws {
    let bomb = try #require(Self.bombs.first { $0.name == name })
    #expect(violations(of: Array(bomb.text.utf8), directory: ".") == [])
    let result = try LGCProcess.run(["check", "-", "--format", "github"], input: bomb.text)
    #expect(result.code == 1)
    #expect(result.output.contains("title=\(bomb.code) "), "\(result.output.prefix(2000))")
    #expect(result.output.utf8.count < 3_000_000)
  }

  @Test func aChainOfParentsHasTheLimitsOfOneDescription() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-chain-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let comment = String(repeating: "#\n", count: 2 << 20)
    for index in 0..<4 {
      try Data("extends: \(index + 1).yaml\n\(Self.head)\(comment)".utf8)
        .write(to: folder.appendingPathComponent("\(index).yaml"))
    }
    let result = try LGCProcess.run(["check", folder.appendingPathComponent("0.yaml").path])
    #expect(result.code == 1)
    #expect(result.error.contains("the descriptions together are larger than 8 MiB"))
  }

  /// Names and words of a description go into messages.
  @Test func noTextOfADescriptionCommandsTheTerminal() {
    let escape = "\"\\e[31m\\u202e\\r\\n\\0\""
    for text in [
      "\(escape): 1\n", "name: \(escape)\n", Self.model("\(escape)"),
      Self.model("dense: \(escape)"), Self.model("relu: {name: \(escape)}"),
      Self.model("relu: {from: \(escape)}"), Self.model("dense: {units: 2, \(escape): 1}"),
      Self.model("relu") + "targets: [\(escape)]\n", Self.model("relu") + "loss: \(escape)\n",
      Self.head + "extends: \(escape)\n",
    ] {
      #expect(violations(of: Array(text.utf8), directory: ".") == [], "\(text)")
    }
  }
}
