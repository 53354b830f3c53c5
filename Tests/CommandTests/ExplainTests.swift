import Foundation
import Testing

@testable import lgc

/// `lgc explain` and `lgc schema`.
@Suite struct ExplainTests {
  @Test func everyCodeIsExplainedOnce() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appendingPathComponent("Sources/Diagnostics/Codes.swift"), encoding: .utf8)
    let codes = text.matches(of: #/DiagnosticCode\((\d+), /#).map { Int($0.1)! }
    #expect(Explanation.all.map(\.code.number).sorted() == codes.sorted())
  }

  @Test(arguments: Explanation.all.map(\.code.name))
  func theWrongExampleHasTheDiagnosticAndTheRepairedOneIsAccepted(name: String) throws {
    let explanation = try #require(Explanation.find(name))
    guard let failing = explanation.failing, let repaired = explanation.repaired else {
      #expect(name == "internal-fault")
      return
    }
    let wrong = try run(failing)
    #expect(wrong.error.contains("[\(explanation.code.id)]"), "\(wrong.error)")
    let right = try run(repaired)
    #expect(!right.error.contains("[\(explanation.code.id)]"), "\(right.error)")
    #expect(!right.error.contains("error["), "\(right.error)")
    #expect(right.code == 0, "\(right.error)")
  }

  /// Runs the commands of an example in a folder of their own.
  private func run(_ shown: Explanation.Case) throws -> LGCProcess.Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-explain-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    if !shown.description.isEmpty {
      try Data((shown.description + "\n").utf8)
        .write(to: folder.appendingPathComponent("model.yaml"))
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-ec", shown.command]
    process.currentDirectoryURL = folder
    var variables = ProcessInfo.processInfo.environment
    let tools = try LGCBinary.path.deletingLastPathComponent().path
    variables["PATH"] = tools + ":" + (variables["PATH"] ?? "/usr/bin:/bin")
    process.environment = variables
    let (output, error) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, error)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let messages = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return LGCProcess.Result(
      output: String(decoding: text, as: UTF8.self),
      error: String(decoding: messages, as: UTF8.self), code: process.terminationStatus)
  }

  @Test func kindsFamiliesAndKeysAreExplained() throws {
    let dense = try LGCProcess.run(["explain", "dense"])
    #expect(dense.code == 0)
    #expect(dense.output.hasPrefix("dense (layer)\n"))
    #expect(dense.output.contains("units  ") && dense.output.contains("required"))
    #expect(dense.output.contains("dense: {units: «-3»}"))
    #expect(try LGCProcess.run(["explain", "constraint", "spectral"]).output.contains("iterations"))
    #expect(try LGCProcess.run(["explain", "layers"]).output.contains("\nrelu "))
    let key = try LGCProcess.run(["explain", "key", "train.epochs"])
    #expect(key.output.contains("Passes over the training samples"))
    #expect(try LGCProcess.run(["explain", "L0101"]).output.hasPrefix("L0101 unknown-key (error)\n"))
  }

  @Test func whatIsNotThereIsRefusedWithWhatIsNear() throws {
    let result = try LGCProcess.run(["explain", "desne"])
    #expect(result.code == 64)
    #expect(result.error.contains("did you mean 'dense'?"))
    #expect(try LGCProcess.run(["explain", "key", "train.epoch"]).error.contains("'epochs'"))
  }

  @Test func theCommittedSchemaIsTheOneThatLgcPrints() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let committed = try String(
      contentsOf: root.appendingPathComponent("models/lgc.schema.json"), encoding: .utf8)
    #expect(
      committed == LanguageTexts.schema, "run `lgc schema > models/lgc.schema.json`")
  }

  @Test func theCommittedReferenceIsTheOneThatLgcPrints() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let committed = try String(
      contentsOf: root.appendingPathComponent("Documentation/language.md"), encoding: .utf8)
    #expect(
      committed == LanguageReference.markdown,
      "run `lgc schema --format markdown > Documentation/language.md`")
  }
}
