/// Diagnostics as workflow commands, which GitHub shows beside the lines of a change.
///
///     ::error file=model.yaml,line=7,col=15,endLine=7,endColumn=19,title=L0101 unknown-key::unknown…
public enum GitHubRenderer {
  /// One line a diagnostic.
  public static func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { render($0) + "\n" }.joined()
  }

  public static func render(_ diagnostic: Diagnostic) -> String {
    let command =
      switch diagnostic.severity {
      case .error: "error"
      case .warning: "warning"
      case .note: "notice"
      }
    var properties: [(String, String)] = []
    if let span = diagnostic.span {
      let (line, column) = span.file.position(at: span.start)
      let (endLine, endColumn) = span.file.position(at: span.end)
      properties = [
        ("file", span.file.path), ("line", String(line)), ("col", String(column)),
        ("endLine", String(endLine)), ("endColumn", String(endColumn)),
      ]
    }
    properties.append(("title", "\(diagnostic.code.id) \(diagnostic.code.name)"))
    let text = [diagnostic.message] + diagnostic.notes.map { "note: \($0)" }
      + (diagnostic.help.map { ["help: \($0)"] } ?? [])
    let written = properties.map { "\($0.0)=\(escaped($0.1, isProperty: true))" }
    return "::\(command) \(written.joined(separator: ","))::"
      + escaped(text.joined(separator: "\n"), isProperty: false)
  }

  /// As the runner's toolkit escapes them: % first, then what would end a line or a property.
  private static func escaped(_ text: String, isProperty: Bool) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": out += "%25"
      case "\r": out += "%0D"
      case "\n": out += "%0A"
      case ":" where isProperty: out += "%3A"
      case "," where isProperty: out += "%2C"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
