import Diagnostics
import Formats
import Glibc
import Model
import Tensors

/// The checkpoints of one run: `checkpoints/step-N.safetensors`, `checkpoints/last` and, where
/// training may stop early, `checkpoints/best`, the latter two links to one of the former.
///
/// A checkpoint appears under its name in one step and only when its bytes are on the disk; older
/// ones go after that. So a failure to write, of whatever kind, leaves the earlier ones as they are.
public final class CheckpointStore {
  let directory: RunDirectory
  private let section: CheckpointSection
  private let origin: Checkpoint.Origin
  private let stepsPerEpoch: Int
  private let totalSteps: Int
  /// The step of the newest checkpoint that was saved or begun from; nil: there is none.
  private(set) var newest: Int?
  /// Checkpoint → the checkpoint of the best line when it was saved: whoever goes on from the one
  /// needs the other.
  private var bests: [Int: Int] = [:]

  /// - Parameter checkpoint: where the run goes on; nil: it begins.
  init(
    _ directory: RunDirectory, _ section: CheckpointSection, origin: Checkpoint.Origin,
    stepsPerEpoch: Int, totalSteps: Int, from checkpoint: Checkpoint?
  ) {
    self.directory = directory
    self.section = section
    self.origin = origin
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
    newest = checkpoint?.step
    if let checkpoint, let best = checkpoint.loop["best_step"] {
      bests[checkpoint.step] = Int(best)
    }
  }

  /// Whether the description asks for checkpoints.
  var isOn: Bool { section.every != nil }

  /// Whether one is to be saved after `step` steps.
  func isDue(at step: Int, hasLine: Bool) -> Bool {
    switch section.every {
    case nil: false
    case .metrics: hasLine
    case .time(let interval): step % interval.steps(perEpoch: stepsPerEpoch) == 0
    }
  }

  /// Saves the state after `step` steps, if it is finite.
  ///
  /// - Parameter best: the step of the best line so far, where one is looked for.
  func save(
    _ executable: any Executable, step: Int, loop: [String: Double], best: Int? = nil
  ) throws(DiagnosticError) {
    var loop = loop
    loop["steps"] = Double(totalSteps)
    let checkpoint = try Checkpoint(of: executable, step: step, origin: origin, loop: loop)
    if let name = checkpoint.firstBroken { throw DiagnosticError(.broken(name, step)) }
    try DiagnosticError.translating {
      try RunDirectory.makeParents(directory.checkpoints)
      try checkpoint.write(to: path(step))
      try AtomicFile.link(directory.checkpoints + "/last", to: Self.name(step))
      if best == step {
        try AtomicFile.link(directory.checkpoints + "/best", to: Self.name(step))
      }
    }
    newest = step
    bests[step] = best
    removeOld()
  }

  /// All go but the newest and what they need. One that cannot be removed costs room and nothing
  /// else.
  private func removeOld() {
    let saved = Self.steps(in: directory).filter { $0 <= newest! }
    let kept = saved.suffix(section.keep)
    let needed = Set(kept).union(kept.compactMap { bests[$0] })
    for step in saved where !needed.contains(step) { unlink(path(step)) }
  }

  /// The checkpoint of a step; nil without one.
  func read(_ step: Int?) throws(DiagnosticError) -> Checkpoint? {
    guard let step else { return nil }
    return try DiagnosticError.translating { try Checkpoint(reading: path(step)) }
  }

  func path(_ step: Int) -> String { "\(directory.checkpoints)/\(Self.name(step))" }

  // MARK: what is there

  static func name(_ step: Int) -> String { "step-\(step).safetensors" }

  /// The steps that have a checkpoint, in order.
  static func steps(in directory: RunDirectory) -> [Int] {
    let names = RunDirectory.entries(of: directory.checkpoints) ?? []
    return names.compactMap { step(ofName: $0) }.sorted()
  }

  private static func step(ofName name: String) -> Int? {
    guard name.hasPrefix("step-"), name.hasSuffix(".safetensors") else { return nil }
    return Int(name.dropFirst(5).dropLast(12))
  }

  /// The newest checkpoint that is whole, with a warning for each newer one that is not; nil where
  /// none was saved yet.
  static func newestWhole(
    in directory: RunDirectory
  ) throws(DiagnosticError) -> (checkpoint: Checkpoint?, warnings: [Diagnostic]) {
    var warnings: [Diagnostic] = []
    for step in steps(in: directory).reversed() {
      let path = "\(directory.checkpoints)/\(name(step))"
      do throws(FormatError) {
        let checkpoint = try Checkpoint(reading: path)
        guard checkpoint.step == step else {
          throw FormatError(path: path, message: "is the checkpoint of step \(checkpoint.step)")
        }
        return (checkpoint, warnings)
      } catch {
        warnings.append(.damaged(path, error.message))
      }
    }
    guard let first = warnings.first else { return (nil, []) }
    throw DiagnosticError(.allDamaged(first, directory))
  }
}

extension Diagnostic {
  fileprivate static func broken(_ state: String, _ step: Int) -> Diagnostic {
    Diagnostic(
      .diverged, "`\(state)` is no longer finite after step \(step)", at: nil,
      help: "a smaller `lr`, `clip_gradient` or a Lipschitz constraint keeps training stable")
  }

  fileprivate static func damaged(_ path: String, _ message: String) -> Diagnostic {
    Diagnostic(
      .badCheckpoint, "`\(path)`: \(message)", at: nil,
      notes: ["the checkpoint before it is taken"])
  }

  fileprivate static func allDamaged(_ first: Diagnostic, _ run: RunDirectory) -> Diagnostic {
    Diagnostic(
      .cannotResume, "no checkpoint of `\(run.path)` is whole", at: nil,
      notes: [first.message], help: "begin a new run")
  }
}
