/// Diagnostics for programs: the members of `diagnostics` in lgc's JSON output.
///
/// Lines and columns are 1-based and columns count Unicode scalars; `end_line` and `end_column` are
/// the place just after the last character. They are null for a diagnostic that is about no text.
public enum JSONRenderer {
  public static func value(_ diagnostics: [Diagnostic]) -> JSONValue {
    .array(diagnostics.map(value))
  }

  public static func value(_ diagnostic: Diagnostic) -> JSONValue {
    var labels = diagnostic.labels
    if let span = diagnostic.span, let label = diagnostic.label {
      labels.insert(Diagnostic.Label(span, label), at: 0)
    }
    return .object(
      [
        (key: "code", value: .string(diagnostic.code.id)),
        (key: "name", value: .string(diagnostic.code.name)),
        (key: "severity", value: .string(diagnostic.severity.rawValue)),
        (key: "message", value: .string(diagnostic.message)),
      ] + place(diagnostic.span) + [
        (
          key: "labels",
          value: .array(
            labels.map {
              .object([(key: "message", value: .string($0.message))] + place($0.span))
            })
        ),
        (key: "notes", value: .array(diagnostic.notes.map(JSONValue.string))),
        (key: "help", value: JSONValue(diagnostic.help)),
      ])
  }

  private static func place(_ span: Span?) -> [(key: String, value: JSONValue)] {
    let start = span.map { $0.file.position(at: $0.start) }
    let end = span.map { $0.file.position(at: $0.end) }
    return [
      (key: "file", value: JSONValue(span?.file.path)),
      (key: "line", value: JSONValue(start?.line)),
      (key: "column", value: JSONValue(start?.column)),
      (key: "end_line", value: JSONValue(end?.line)),
      (key: "end_column", value: JSONValue(end?.column)),
    ]
  }
}
