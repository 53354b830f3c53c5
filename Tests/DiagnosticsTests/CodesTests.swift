import Diagnostics
import Foundation
import Testing

/// A number used twice would make two diagnostics one to everything that filters by code.
@Suite struct CodesTests {
  @Test func everyCodeHasItsOwnNumberAndName() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appendingPathComponent("Sources/Diagnostics/Codes.swift"), encoding: .utf8)
    let codes = text.matches(of: #/DiagnosticCode\((\d+), "([a-z0-9-]+)"/#)
    #expect(codes.count > 40)
    #expect(Set(codes.map(\.1)).count == codes.count)
    #expect(Set(codes.map(\.2)).count == codes.count)
    #expect(codes.count == text.split(separator: "DiagnosticCode(").count - 1)
  }

  @Test func aCodeIsShownWithFourDigits() {
    #expect(DiagnosticCode.yamlSyntax.id == "L0001")
    #expect(DiagnosticCode.unknownKey.id == "L0101")
  }
}
