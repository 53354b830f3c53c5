import Diagnostics
import Foundation
import Testing

@testable import lgc

/// Every file under `Fixtures/malformed` is refused with the codes, lines and columns that its
/// first line says: `# expect: L0101 7:5, L0104 9:3`.
@Suite struct MalformedTests {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/malformed")

  static let names: [String] = {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
  }()

  @Test func thereAreManyOfThem() {
    #expect(Self.names.count >= 40)
  }

  @Test(arguments: names) func everyErrorStandsAtItsPlace(_ name: String) throws {
    let path = Self.folder.appendingPathComponent(name).path
    let check = Check(path)
    let errors = check.diagnostics.filter { $0.severity == .error }.map { diagnostic in
      guard let span = diagnostic.span else { return diagnostic.code.id }
      let (line, column) = span.file.position(at: span.start)
      return "\(diagnostic.code.id) \(line):\(column)"
    }
    #expect(errors == (try Self.expectations(path)))
    #expect(check.exitCode == 1)
  }

  /// A diagnostic that cannot be shown is none.
  @Test(arguments: names) func everyDiagnosticCanBeRendered(_ name: String) {
    let check = Check(Self.folder.appendingPathComponent(name).path)
    for diagnostic in check.diagnostics {
      let text = CaretRenderer(usesColor: false).render(diagnostic)
      #expect(text.contains("^"))
      #expect(!diagnostic.message.hasSuffix("."))
    }
  }

  private static func expectations(_ path: String) throws -> [String] {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let prefix = "# expect: "
    try #require(line.hasPrefix(prefix))
    return line.dropFirst(prefix.count).split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
}
