import Diagnostics
import Formats

/// Where a run writes its metrics: one line of JSON after the other, in `metrics.jsonl`.
public final class MetricsLog {
  private let lines: LineFile

  public init(_ directory: RunDirectory) throws(DiagnosticError) {
    lines = try DiagnosticError.translating { try LineFile(directory.metrics) }
  }

  /// Adds a line.
  ///
  /// - Parameter step: steps done; no line before it had more.
  public func append(step: Int, _ line: JSONValue) throws(DiagnosticError) {
    try DiagnosticError.translating { try lines.append(line.compactText) }
  }
}
