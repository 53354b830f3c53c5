import Diagnostics
import Model
import Rounding

/// What `run.json` says of a run: how to repeat it, and how it ended.
struct RunRecord {
  let version: String
  let name: String
  let descriptionPath: String
  let descriptionHash: String
  let resolvedHash: String
  /// Where the description's relative paths start.
  let folder: String
  let seed: UInt64
  let overrides: [String]
  let engine: String
  let threads: Int
  let start: String
  let steps: Int
  /// From which checkpoints the run was taken up again.
  var resumptions: [ResumedRun.Resumption]

  /// Before training, and after a failure: there is no `end`.
  func json(failure: String? = nil) -> JSONValue {
    .object(
      beginning + [("processor", .string(Machine.processor))]
        + (failure.map { [("failure", .string($0))] } ?? []))
  }

  /// When everything else is written.
  func json(_ result: some RunResult) -> JSONValue {
    .object(
      beginning + [
        ("processor", .string(Machine.processor)), ("end", .string(Clock.timestamp)),
      ] + result.record)
  }

  private var beginning: [(key: String, value: JSONValue)] {
    [
      ("lgc", .string(version)), ("name", .string(name)),
      ("description", .string(descriptionPath)), ("description_sha256", .string(descriptionHash)),
      ("resolved_sha256", .string(resolvedHash)), ("folder", .string(folder)),
      // A JSON number is a double to many readers; a seed has 64 bits.
      ("seed", seed < 1 << 53 ? .int(Int(seed)) : .string(String(seed))),
      ("overrides", .array(overrides.map(JSONValue.string))), ("engine", .string(engine)),
      ("threads", .int(threads)), ("steps", .int(steps)), ("start", .string(start)),
    ] + (resumptions.isEmpty ? [] : [("resumed", .array(resumptions.map(\.json)))])
  }
}

extension UpperBound {
  /// nil where nothing finite is proved.
  var finite: Double? { isFinite ? value : nil }
}

extension ResumedRun.Resumption {
  fileprivate var json: JSONValue { .object([("step", .int(step)), ("at", .string(moment))]) }
}
