import Diagnostics
import Formats

/// Where a run writes its metrics: one line of JSON after the other, in `metrics.jsonl`.
public final class MetricsLog {
  private let lines: LineFile
  /// The last line that was there; nil: there was none.
  let last: JSON?

  /// - Parameter step: the run goes on after this step: lines of later ones are taken away, and a
  ///   last one that was cut off. 0 at the beginning.
  public init(_ directory: RunDirectory, after step: Int = 0) throws(DiagnosticError) {
    let path = directory.metrics
    var last: JSON?
    lines = try DiagnosticError.translating {
      if let bytes = try? InputFile.bytes(path) {
        var kept: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
          guard let json = try? JSON(Array(line)), let own = json["step"]?.integer, own <= step
          else { break }
          kept += line + [UInt8(ascii: "\n")]
          last = json
        }
        if kept != bytes { try AtomicFile.write(kept, to: path) }
      }
      return try LineFile(path)
    }
    self.last = last
  }

  /// Adds a line.
  ///
  /// - Parameter step: steps done; no line before it had more.
  public func append(step: Int, _ line: JSONValue) throws(DiagnosticError) {
    try DiagnosticError.translating { try lines.append(line.compactText) }
  }

  /// Returns when every line is on the disk.
  func flush() throws(DiagnosticError) {
    try DiagnosticError.translating { try lines.flush() }
  }
}
