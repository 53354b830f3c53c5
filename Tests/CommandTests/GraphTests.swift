import Foundation
import Testing

/// `lgc graph`, `lgc init` and the formats of `lgc check`.
@Suite struct GraphTests {
  static let residual = """
    lgc: 1
    name: "a \\"b\\" <c>"
    model:
      input: [4]
      lipschitz: 1
      constraint: spectral
      layers:
        - dense: {name: fc1, units: 4, activation: relu}
        - residual:
            name: block
            mode: convex
            layers:
              - dense: {name: inner, units: 4}
              - relu
        - dense: {name: free, units: 2, lipschitz: unconstrained}
    """

  private func graph(_ format: String) throws -> String {
    let result = try LGCProcess.run(["graph", "-", "--format", format], input: Self.residual)
    #expect(result.code == 0, "\(result.error)")
    return result.output
  }

  @Test func textSaysWhatALayerReadsWhereItIsNotTheOneAbove() throws {
    let text = try graph("text")
    #expect(text.contains("½·x + ½·f(x)"))
    #expect(text.contains("no bound"))
  }

  @Test func dotAndMermaidHaveAnEdgeForEachOperand() throws {
    // input→fc1→relu→inner→relu→block, relu→block, block→free→output.
    #expect(try graph("dot").split(separator: " -> ").count - 1 == 8)
    #expect(try graph("mermaid").split(separator: " --> ").count - 1 == 8)
    #expect(try graph("dot").hasPrefix("digraph \"a \\\"b\\\" <c>\" {\n"))
  }

  @Test func thePictureIsXMLWithABoxForEachLayerAndADetourForTheSkip() throws {
    let text = try graph("svg")
    let parser = XMLCheck(text)
    #expect(parser.isWellFormed)
    #expect(text.contains("a &quot;b&quot; &lt;c&gt;"))
    #expect(text.split(separator: "class=\"box").count - 1 == 6)
    #expect(text.split(separator: "class=\"edge skip\"").count - 1 == 1)
  }

  @Test func aTemplateIsWrittenOnceAndChecked() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-init-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let list = try LGCProcess.run(["init"]).output
    let names = list.split(separator: "\n").prefix { !$0.hasPrefix("write") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.count >= 5)
    for name in names {
      let path = folder.appendingPathComponent("\(name).yaml").path
      #expect(try LGCProcess.run(["init", name, "--out", path]).code == 0)
      let check = try LGCProcess.run(["check", path])
      #expect(check.code == 0 && !check.error.contains("warning"), "\(check.error)")
      #expect(try LGCProcess.run(["init", name, "--out", path]).code == 2)
    }
    let points = folder.appendingPathComponent("points.yaml").path
    let run = folder.appendingPathComponent("run").path
    let trained = try LGCProcess.run(["train", points, "--quiet", "--out", run])
    #expect(trained.code == 0, "\(trained.output)")
    #expect(FileManager.default.fileExists(atPath: run + "/report.html"))
    #expect(try LGCProcess.run(["report", run]).output == run + "/report.html\n")
  }

  @Test func checkPrintsSARIFAndWorkflowCommands() throws {
    let wrong = "lgc: 1\nname: a\nmodel: {input: [4], layers: [desne: 2]}\n"
    let sarif = try LGCProcess.run(["check", "-", "--format", "sarif"], input: wrong)
    #expect(sarif.code == 1)
    let value = try #require(sarif.value as? [String: Any])
    let runs = try #require(value["runs"] as? [[String: Any]])
    #expect((runs[0]["results"] as? [Any])?.count == 1)
    let github = try LGCProcess.run(["check", "-", "--format", "github"], input: wrong)
    #expect(github.output.hasPrefix("::error file=<stdin>,line=3,col=30,"))
  }
}

/// Whether a text is well-formed XML.
private final class XMLCheck {
  let isWellFormed: Bool

  init(_ text: String) {
    var open: [Substring] = []
    var isWell = true
    for piece in text.split(separator: "<", omittingEmptySubsequences: true) {
      guard let end = piece.firstIndex(of: ">") else {
        isWell = false
        break
      }
      let tag = piece[..<end]
      let name = tag.drop { $0 == "/" }.prefix { $0 != " " && $0 != "/" }
      if tag.hasPrefix("/") {
        if open.popLast() != name { isWell = false }
      } else if !tag.hasSuffix("/") {
        open.append(name)
      }
    }
    isWellFormed = isWell && open.isEmpty
  }
}
