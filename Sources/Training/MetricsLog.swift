import Diagnostics
import Formats
import Tensors

/// Where a run writes its metrics: one line of JSON after the other, in `metrics.jsonl`, and the
/// numbers of each line for TensorBoard, in an event file.
public final class MetricsLog {
  private let lines: LineFile
  private let directory: RunDirectory
  private let step: Int
  private var events: TensorBoardLog?
  /// Estimates of the layers' norms as they are now; they stand in every line as `norms`.
  var norms: (() throws(DiagnosticError) -> [(layer: String, norm: Double)])?

  /// The last line that was there; nil: there was none.
  let last: JSON?

  /// - Parameter step: the run goes on after this step: lines of later ones are taken away, and a
  ///   last one that was cut off. 0 at the beginning.
  public init(_ directory: RunDirectory, after step: Int = 0) throws(DiagnosticError) {
    self.directory = directory
    self.step = step
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
    let line = try withNorms(line)
    try DiagnosticError.translating {
      try lines.append(line.compactText)
      let scalars = line.scalars
      guard !scalars.isEmpty else { return }
      try log().append(
        TensorBoardEvent(time: Clock.sinceEpoch, step: step, .scalars(scalars)))
    }
  }

  /// Returns when every line is on the disk.
  func flush() throws(DiagnosticError) {
    try DiagnosticError.translating { try lines.flush() }
  }

  private func withNorms(_ line: JSONValue) throws(DiagnosticError) -> JSONValue {
    guard case .object(let members) = line, let norms else { return line }
    let found = try SpanRecorder.section("norms") { () throws(DiagnosticError) in try norms() }
    if found.isEmpty { return line }
    let value = JSONValue.object(found.map { (key: $0.layer, value: .double($0.norm)) })
    return .object(members + [(key: "norms", value: value)])
  }

  /// Shows a picture beside the curves.
  public func append(
    step: Int, tag: String, _ image: TensorBoardEvent.PNGImage
  ) throws(DiagnosticError) {
    try DiagnosticError.translating {
      try log().append(
        TensorBoardEvent(time: Clock.sinceEpoch, step: step, .image(tag: tag, image)))
    }
  }

  /// The event file of this process, made with its first record: where an earlier process has left
  /// one, what that says of later steps than those the run goes on from no longer holds.
  private func log() throws(FormatError) -> TensorBoardLog {
    if let events { return events }
    let isResumed = !directory.eventFiles.isEmpty
    let log = try TensorBoardLog(
      in: directory.path, time: Clock.sinceEpoch, resumed: isResumed ? step + 1 : nil)
    events = log
    return log
  }
}

extension Dictionary where Key == String, Value == [Float] {
  /// What a runner says of its weights, by name.
  init(tensors: [(name: String, shape: Shape, values: [Float])]) {
    self.init(uniqueKeysWithValues: tensors.map { ($0.name, $0.values) })
  }
}

extension JSONValue {
  /// The finite numbers of a line of metrics by the names that TensorBoard groups them under:
  /// `test_loss` is `loss/test`, `loss` alone `loss/train`, a member of an object stands behind its
  /// name. Steps and seconds are what curves are drawn over.
  var scalars: [(tag: String, value: Double)] {
    guard case .object(let members) = self else { return [] }
    let grouped = Set(members.compactMap { Self.split($0.key)?.name })
    return members.flatMap { key, value -> [(tag: String, value: Double)] in
      if ["step", "seconds"].contains(key) { return [] }
      if case .object = value {
        return value.scalars.map { (tag: "\(key)/\($0.tag)", value: $0.value) }
      }
      guard let number = value.number, number.isFinite else { return [] }
      if let (split, name) = Self.split(key) { return [(tag: "\(name)/\(split)", value: number)] }
      return [(tag: grouped.contains(key) ? "\(key)/train" : key, value: number)]
    }
  }

  private var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    case .decimal(let text): Double(text)
    default: nil
    }
  }

  private static func split(_ key: String) -> (split: String, name: String)? {
    for split in ["train", "test", "validation"] where key.hasPrefix(split + "_") {
      return (split, String(key.dropFirst(split.count + 1)))
    }
    return nil
  }
}
