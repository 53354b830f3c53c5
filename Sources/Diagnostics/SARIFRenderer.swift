/// Diagnostics as SARIF 2.1.0 (OASIS), which code-scanning services read.
public enum SARIFRenderer {
  /// One run of the tool over any number of files. Columns count Unicode scalars, as everywhere.
  ///
  /// - Parameter explanation: a longer text for a code, for the rule's description.
  public static func value(
    _ diagnostics: [Diagnostic], version: String,
    explanation: (DiagnosticCode) -> String? = { _ in nil }
  ) -> JSONValue {
    var codes: [DiagnosticCode] = []
    for diagnostic in diagnostics where !codes.contains(diagnostic.code) {
      codes.append(diagnostic.code)
    }
    return .object([
      (key: "$schema", value: "https://json.schemastore.org/sarif-2.1.0.json"),
      (key: "version", value: "2.1.0"),
      (
        key: "runs",
        value: [
          .object([
            (
              key: "tool",
              value: [
                "driver": .object([
                  (key: "name", value: "lgc"), (key: "version", value: .string(version)),
                  (key: "rules", value: .array(codes.map { rule($0, explanation($0)) })),
                ])
              ]
            ),
            (key: "columnKind", value: "unicodeCodePoints"),
            (
              key: "results",
              value: .array(diagnostics.map { result($0, rule: codes.firstIndex(of: $0.code)!) })
            ),
          ])
        ]
      ),
    ])
  }

  private static func rule(_ code: DiagnosticCode, _ explanation: String?) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      (key: "id", value: .string(code.id)), (key: "name", value: .string(code.name)),
    ]
    if let explanation {
      members.append((key: "fullDescription", value: ["text": .string(explanation)]))
    }
    members.append(
      (key: "defaultConfiguration", value: ["level": .string(code.severity.rawValue)]))
    return .object(members)
  }

  private static func result(_ diagnostic: Diagnostic, rule: Int) -> JSONValue {
    let text = [diagnostic.message] + diagnostic.notes.map { "note: \($0)" }
      + (diagnostic.help.map { ["help: \($0)"] } ?? [])
    var members: [(key: String, value: JSONValue)] = [
      (key: "ruleId", value: .string(diagnostic.code.id)), (key: "ruleIndex", value: .int(rule)),
      // SARIF's levels have the names of ours.
      (key: "level", value: .string(diagnostic.severity.rawValue)),
      (key: "message", value: ["text": .string(text.joined(separator: "\n"))]),
    ]
    if let span = diagnostic.span {
      members.append((key: "locations", value: [location(span, message: diagnostic.label)]))
    }
    if !diagnostic.labels.isEmpty {
      members.append(
        (
          key: "relatedLocations",
          value: .array(diagnostic.labels.map { location($0.span, message: $0.message) })
        ))
    }
    return .object(members)
  }

  private static func location(_ span: Span, message: String?) -> JSONValue {
    let (line, column) = span.file.position(at: span.start)
    let (endLine, endColumn) = span.file.position(at: span.end)
    var members: [(key: String, value: JSONValue)] = [
      (
        key: "physicalLocation",
        value: .object([
          (key: "artifactLocation", value: ["uri": .string(uri(span.file.path))]),
          (
            key: "region",
            value: .object([
              (key: "startLine", value: .int(line)), (key: "startColumn", value: .int(column)),
              (key: "endLine", value: .int(endLine)), (key: "endColumn", value: .int(endColumn)),
            ])
          ),
        ])
      )
    ]
    if let message { members.append((key: "message", value: ["text": .string(message)])) }
    return .object(members)
  }

  /// A path as a relative or absolute reference (RFC 3986): what may not stand in one becomes %XX.
  private static func uri(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF")
    var out = ""
    for byte in path.utf8 {
      let scalar = Unicode.Scalar(byte)
      let isPlain = byte < 0x80
        && (Character(scalar).isLetter || Character(scalar).isNumber
          || "/-._~".unicodeScalars.contains(scalar))
      if isPlain { out.unicodeScalars.append(scalar) } else {
        out += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
      }
    }
    return path.hasPrefix("/") ? "file://" + out : out
  }
}
