/// One message to the user, tied to the characters it is about.
///
/// The message states the fact, in lower case and without a full stop; it never suggests the
/// repair, `help` does.
public struct Diagnostic: Sendable {
  public enum Severity: String, Sendable, Comparable {
    case note, warning, error
    public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }

  /// A second place that explains the first one ("first defined here").
  public struct Label: Sendable {
    public let span: Span
    public let message: String
    public init(_ span: Span, _ message: String) {
      self.span = span
      self.message = ShownText.line(message)
    }
  }

  public let code: DiagnosticCode
  public let severity: Severity
  public let message: String
  /// The smallest place that is wrong; nil only where there is no text (a missing file).
  public let span: Span?
  /// What stands beside the caret, when it says more than the message.
  public var label: String?
  public var labels: [Label]
  public var notes: [String]
  public var help: String?

  public init(
    _ code: DiagnosticCode, _ message: String, at span: Span?, severity: Severity? = nil,
    label: String? = nil, labels: [Label] = [], notes: [String] = [], help: String? = nil
  ) {
    self.code = code
    self.severity = severity ?? code.severity
    self.message = ShownText.line(message)
    self.span = span
    self.label = label.map(ShownText.line)
    self.labels = labels
    self.notes = notes.map(ShownText.lines)
    self.help = help.map(ShownText.lines)
  }
}

/// An error that carries diagnostics out of a stage that cannot go on.
public struct DiagnosticError: Error {
  public let diagnostics: [Diagnostic]
  public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
  public init(_ diagnostic: Diagnostic) { diagnostics = [diagnostic] }
}

/// The stable identity of a kind of diagnostic: `L0102`, `unknown-key`.
///
/// Ranges: 00xx YAML, 01xx keys and types, 02xx shapes, 03xx Lipschitz, 04xx data, 05xx training,
/// 06xx files, 09xx lgc's own bug. All codes stand in `Codes.swift`.
public struct DiagnosticCode: Hashable, Sendable {
  public let number: Int
  public let name: String
  public let severity: Diagnostic.Severity
  public init(_ number: Int, _ name: String, _ severity: Diagnostic.Severity = .error) {
    self.number = number
    self.name = name
    self.severity = severity
  }
  /// `L` and four digits.
  public var id: String {
    let digits = String(number)
    return "L" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
