import Diagnostics
import Formats
import Model

/// A run directory whose run is to go on.
public struct ResumedRun: Sendable {
  public let directory: RunDirectory
  /// The description as the run was begun with.
  public let description: [UInt8]
  /// The `--set` arguments that hold for it.
  public let overrides: [String]
  /// Where the description's relative paths start.
  public let folder: String
  /// What it was computed with.
  public let engine: String
  public let threads: Int
  /// Whether it ended, and of itself: neither by a signal nor by a failure.
  public let isFinished: Bool
  /// Steps that it made before it ended; nil where it did not.
  public let stepsDone: Int?
  let version: String
  let descriptionPath: String
  let descriptionHash: String
  let resolvedHash: String?
  let start: String
  /// Where earlier resumptions began.
  let resumptions: [Resumption]

  struct Resumption: Sendable {
    let step: Int
    let moment: String
  }

  public init(_ path: String) throws(DiagnosticError) {
    directory = RunDirectory(path: path.hasSuffix("/") ? String(path.dropLast()) : path)
    let directory = directory
    let (bytes, text) = try DiagnosticError.translating {
      (try InputFile.bytes(directory.record), try InputFile.bytes(directory.description))
    }
    guard let json = try? JSON(bytes) else { throw DiagnosticError(.badRecord(directory)) }
    guard let hash = json["description_sha256"]?.string, let version = json["lgc"]?.string,
      let engine = json["engine"]?.string, let threads = json["threads"]?.integer,
      let start = json["start"]?.string
    else { throw DiagnosticError(.badRecord(directory)) }
    guard SHA256.hexadecimal(text) == hash else { throw DiagnosticError(.changed(directory)) }
    description = text
    descriptionHash = hash
    descriptionPath = json["description"]?.string ?? directory.description
    resolvedHash = json["resolved_sha256"]?.string
    folder = json["folder"]?.string ?? "."
    overrides = json["overrides"]?.array?.compactMap(\.string) ?? []
    self.version = version
    self.engine = engine
    self.threads = threads
    self.start = start
    isFinished = json["end"] != nil && json["interrupted"]?.bool != true
    stepsDone = json["steps_done"]?.integer
    resumptions = (json["resumed"]?.array ?? []).compactMap { entry in
      guard let step = entry["step"]?.integer, let moment = entry["at"]?.string else { return nil }
      return Resumption(step: step, moment: moment)
    }
  }

  /// The overrides that a resumed run may be given: those after which the steps already made are
  /// still the steps of this run.
  public static func allows(_ path: String) -> Bool {
    ["train.epochs", "train.steps", "train.checkpoint"].contains(path)
      || path.hasPrefix("train.checkpoint.")
  }

  /// Whether the description, with the run's own overrides, still means what it did.
  ///
  /// - Parameter resolvedText: of the description as this lgc reads it.
  public func check(_ resolvedText: String, version: String) throws(DiagnosticError) {
    guard let resolvedHash, version == self.version,
      SHA256.hexadecimal(Array(resolvedText.utf8)) != resolvedHash
    else { return }
    throw DiagnosticError(
      Diagnostic(
        .cannotResume, "the description of `\(directory.path)` no longer means what it did",
        at: nil, notes: ["something that it reads has changed since the run began"],
        help: "begin a new run"))
  }

  /// The checkpoint to go on from, nil for the beginning; with warnings: of checkpoints that are
  /// damaged, and of what may make the bits of the steps to come differ.
  func checkpoint(
    _ origin: Checkpoint.Origin
  ) throws(DiagnosticError) -> (Checkpoint?, warnings: [Diagnostic]) {
    let (found, damaged) = try CheckpointStore.newestWhole(in: directory)
    guard let checkpoint = found else { return (nil, damaged) }
    var warnings = damaged
    let old = checkpoint.origin
    guard old.descriptionHash == origin.descriptionHash else {
      throw DiagnosticError(
        Diagnostic(
          .cannotResume,
          "the checkpoint of step \(checkpoint.step) belongs to another description", at: nil,
          help: "begin a new run"))
    }
    let differences = [
      old.version == origin.version ? nil : "lgc \(old.version) then, \(origin.version) now",
      old.engine == origin.engine ? nil : "engine `\(old.engine)` then, `\(origin.engine)` now",
      old.threads == origin.threads ? nil : "\(old.threads) threads then, \(origin.threads) now",
      old.processor == origin.processor
        ? nil : "\(old.processor) then, \(origin.processor) now",
    ].compactMap { $0 }
    if !differences.isEmpty {
      warnings.append(
        Diagnostic(
          .resumedElsewhere,
          "the result may differ in its last bits from that of an uninterrupted run", at: nil,
          notes: differences))
    }
    return (checkpoint, warnings)
  }
}

extension Diagnostic {
  fileprivate static func badRecord(_ directory: RunDirectory) -> Diagnostic {
    Diagnostic(.badFormat, "`\(directory.record)` does not say how the run was made", at: nil)
  }

  fileprivate static func changed(_ directory: RunDirectory) -> Diagnostic {
    Diagnostic(
      .cannotResume, "`\(directory.description)` is not what the run was begun with", at: nil,
      help: "put it back as it was, or begin a new run")
  }
}
