import Diagnostics
import Formats
import Glibc

/// The folder of one run: `runs/2026-11-21-fashion-spectral-3f9c2a`.
///
/// `run.json` stands there from the start, without `end`; `checkpoints/step-N.safetensors` come and
/// go on the way; `weights.safetensors`, then `bound.json`, then `run.json` with `end` appear when
/// training is over, each in one step. So a run is complete exactly when its `run.json` has `end`,
/// and whatever kills it cannot make it look so. One that was interrupted is complete too: its
/// weights are those of its last step.
public struct RunDirectory: Sendable {
  public let path: String
  public init(path: String) { self.path = path }

  public var description: String { path + "/description.yaml" }
  public var resolved: String { path + "/resolved.yaml" }
  public var record: String { path + "/run.json" }
  public var metrics: String { path + "/metrics.jsonl" }
  public var weights: String { path + "/weights.safetensors" }
  public var bound: String { path + "/bound.json" }
  public var report: String { path + "/report.html" }
  /// Only of a generator: pictures of its samples, `step-00150.png`.
  public var samples: String { path + "/samples" }
  /// What `lgc eval` found of it.
  public var evaluation: String { path + "/eval.json" }
  public var checkpoints: String { path + "/checkpoints" }
  /// Only of a profiled run.
  public var trace: String { path + "/trace.json" }

  /// Makes `runs/<date>-<name>-<hash>`, with `-2`, `-3`, … appended while the name is taken.
  ///
  /// - Parameter hash: the description's SHA-256 in hexadecimal digits.
  public static func make(
    in parent: String = "runs", date: String = Clock.date, name: String, hash: String
  ) throws(FormatError) -> RunDirectory {
    try makeParents(parent)
    let base = "\(parent)/\(date)-\(fileName(name))-\(hash.prefix(6))"
    var path = base
    var attempt = 1
    // mkdir itself decides who has the name, so two runs started together get two folders.
    while mkdir(path, 0o777) != 0 {
      guard errno == EEXIST else { throw cannotMake(path) }
      attempt += 1
      path = "\(base)-\(attempt)"
    }
    return RunDirectory(path: path)
  }

  /// Makes the folder that the user names; it may exist if it is empty.
  public static func make(at path: String) throws(FormatError) -> RunDirectory {
    try makeParents(path)
    guard let names = entries(of: path) else { throw cannotMake(path) }
    guard names.isEmpty else {
      throw FormatError(
        path: path, message: "exists and is not empty", cause: .system, isWriting: true)
    }
    return RunDirectory(path: path)
  }

  /// The paths of the files that TensorBoard reads, oldest first.
  public var eventFiles: [String] {
    (Self.entries(of: path) ?? []).filter { $0.hasPrefix("events.out.tfevents.") }.sorted()
      .map { "\(path)/\($0)" }
  }

  /// The paths of the pictures that a generator drew, in the order of their names.
  var samplePictures: [String] {
    (Self.entries(of: samples) ?? []).filter { $0.hasSuffix(".png") }.sorted()
      .map { "\(samples)/\($0)" }
  }

  /// Whether training ended and everything was written.
  public var isComplete: Bool { end != nil }

  /// When the run ended, as text that sorts by time; nil if it did not.
  public var end: String? {
    guard access(weights, R_OK) == 0, let bytes = try? InputFile.bytes(record),
      let json = try? JSON(bytes)
    else { return nil }
    return json["end"]?.string
  }

  /// The complete run that ended last, under `parent`; nil if there is none.
  public static func newest(in parent: String = "runs") -> RunDirectory? {
    let runs = (entries(of: parent) ?? []).compactMap { name in
      let run = RunDirectory(path: "\(parent)/\(name)")
      return run.end.map { (end: $0, name: name, run: run) }
    }
    return runs.max { ($0.end, $0.name) < ($1.end, $1.name) }?.run
  }

  /// The names in a folder, without `.` and `..`; nil if it cannot be read.
  static func entries(of path: String) -> [String]? {
    guard let folder = opendir(path) else { return nil }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Makes a folder inside one that is there; it may exist.
  static func makeFolder(_ path: String) throws(FormatError) {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw cannotMake(path) }
  }

  static func makeParents(_ path: String) throws(FormatError) {
    var position = path.startIndex
    while position < path.endIndex {
      position = path[path.index(after: position)...].firstIndex(of: "/") ?? path.endIndex
      let prefix = String(path[..<position])
      guard mkdir(prefix, 0o777) == 0 || errno == EEXIST else { throw cannotMake(prefix) }
    }
  }

  /// `name` with everything replaced that a shell or a path would mind.
  static func fileName(_ name: String) -> String {
    let kept = name.unicodeScalars.prefix(80).map { scalar -> Character in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": Character(scalar)
      default: "-"
      }
    }
    return kept.isEmpty ? "run" : String(kept)
  }

  private static func cannotMake(_ path: String) -> FormatError {
    let reason = String(cString: strerror(errno))
    return FormatError(
      path: path, message: "cannot make the folder: \(reason.lowercased())", cause: .system,
      isWriting: true)
  }
}
