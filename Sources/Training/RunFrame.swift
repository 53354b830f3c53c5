import Diagnostics
import Formats
import Glibc
import Lipschitz
import Model
import Tensors

/// What every run has, whatever it trains: its directory, the record of how it was made, its
/// metrics and checkpoints.
///
/// A file is written when there is something to say, and only by way of the frame: the description
/// and the record when the run starts, metrics and checkpoints on the way, then weights, certificate
/// and the record with `end`. After a failure the directory stays, without weights and with the
/// reason in its `run.json`.
struct RunFrame {
  let directory: RunDirectory
  let metrics: MetricsLog
  let checkpoints: CheckpointStore
  private let experiment: Experiment
  private let options: TrainingOptions
  private let record: RunRecord

  /// What a run is, before it has a directory.
  struct Plan {
    let experiment: Experiment
    let train: TrainSection
    /// Where the description's relative paths start.
    let folder: String
    /// Of the whole run, and of an epoch.
    let steps: Int
    let stepsPerEpoch: Int
    let optimizers: [OptimizerSection]
  }

  /// Where a resumed run goes on; nil for the beginning. What is odd about it goes to `options.warn`.
  static func checkpoint(
    _ plan: Plan, _ options: TrainingOptions
  ) throws(DiagnosticError) -> Checkpoint? {
    guard let run = options.resumed else { return nil }
    let (found, warnings) = try run.checkpoint(origin(run.descriptionHash, options))
    for warning in warnings { options.warn(warning) }
    guard let checkpoint = found else { return nil }
    let planned = checkpoint.loop["steps"].map { Int($0) } ?? plan.steps
    guard checkpoint.step <= plan.steps else {
      throw DiagnosticError(
        Diagnostic(
          .cannotResume, "\(checkpoint.step) steps are made, more than the \(plan.steps) asked for",
          at: nil, help: "ask for more, or begin a new run"))
    }
    for optimizer in plan.optimizers
    where planned != plan.steps && optimizer.schedule.dependsOnLength {
      throw DiagnosticError(
        Diagnostic(
          .cannotResume,
          "the learning rates of \(planned) steps are not the first of \(plan.steps)",
          at: optimizer.span, label: "its schedule depends on the length of the run",
          help: "resume without a new length, or begin a new run"))
    }
    return checkpoint
  }

  private static func origin(_ hash: String, _ options: TrainingOptions) -> Checkpoint.Origin {
    Checkpoint.Origin(
      version: options.version, descriptionHash: hash, engine: options.engine.name,
      threads: options.threads ?? Machine.processors, processor: Machine.processor)
  }

  /// Makes the directory of a run that starts now, or takes up that of one that goes on.
  ///
  /// - Parameter checkpoint: where it goes on; nil at the beginning.
  init(
    _ plan: Plan, from checkpoint: Checkpoint?, _ options: TrainingOptions
  ) throws(DiagnosticError) {
    let experiment = plan.experiment
    let run = options.resumed
    let hash = run?.descriptionHash ?? SHA256.hexadecimal(experiment.file.bytes)
    let resolved = Array(experiment.storedText.utf8)
    let origin = Self.origin(hash, options)
    var record = RunRecord(
      version: options.version, name: experiment.name,
      descriptionPath: run?.descriptionPath ?? experiment.file.path, descriptionHash: hash,
      resolvedHash: SHA256.hexadecimal(Array(experiment.resolvedText.utf8)), folder: RunDirectory.absolute(plan.folder),
      seed: plan.train.seed, overrides: options.overrides, engine: origin.engine,
      threads: origin.threads, start: run?.start ?? Clock.timestamp, steps: plan.steps,
      resumptions: run?.resumptions ?? [])
    if run != nil {
      record.resumptions.append(.init(step: checkpoint?.step ?? 0, moment: Clock.timestamp))
    }
    let directory = try DiagnosticError.translating {
      if let run {
        // The record first: from now on the run is not complete.
        try run.directory.write(record.json())
        try AtomicFile.write(resolved, to: run.directory.resolved)
        for old in [run.directory.bound, run.directory.weights] { unlink(old) }
        return run.directory
      }
      let directory =
        if let path = options.output { try RunDirectory.make(at: path) } else {
          try RunDirectory.make(name: experiment.name, hash: hash)
        }
      try AtomicFile.write(experiment.file.bytes, to: directory.description)
      try AtomicFile.write(resolved, to: directory.resolved)
      try directory.write(record.json())
      return directory
    }
    self.experiment = experiment
    self.options = options
    self.record = record
    self.directory = directory
    metrics = try MetricsLog(directory, after: checkpoint?.loop["line_step"].map { Int($0) } ?? 0)
    checkpoints = CheckpointStore(
      directory, plan.train.checkpoint, origin: origin, stepsPerEpoch: plan.stepsPerEpoch,
      totalSteps: plan.steps, from: checkpoint)
  }

  /// Trains; a failure is recorded before it goes on.
  func recordingFailure<Result>(
    _ body: () throws(DiagnosticError) -> Result
  ) throws(DiagnosticError) -> Result {
    do throws(DiagnosticError) {
      return try body()
    } catch {
      // The failure itself is what the user must see, whether or not it can be recorded.
      try? directory.write(record.json(failure: error.diagnostics.first?.message ?? "unknown"))
      writeReport()
      throw error
    }
  }

  /// Writes a picture of samples after `step` of `total` steps, its name as long as the last one's,
  /// and shows it beside the curves in TensorBoard.
  func write(
    _ picture: TensorBoardEvent.PNGImage, step: Int, of total: Int
  ) throws(DiagnosticError) {
    let (digits, all) = (String(step), String(total))
    let zeros = String(repeating: "0", count: max(0, all.count - digits.count))
    try DiagnosticError.translating {
      try RunDirectory.makeFolder(directory.samples)
      try AtomicFile.write(picture.bytes, to: "\(directory.samples)/step-\(zeros)\(digits).png")
    }
    try metrics.append(step: step, tag: "samples", picture)
  }

  /// Writes what makes the run complete.
  func write(
    weights: [NamedTensor], _ certificate: Certificate, _ result: some RunResult
  ) throws(DiagnosticError) {
    try DiagnosticError.translating {
      try SafeTensors.write(
        weights, metadata: ["lgc": options.version, "name": experiment.name],
        to: directory.weights)
      try AtomicFile.write(Array(certificate.text.utf8), to: directory.bound)
      try directory.write(record.json(result))
    }
    writeReport()
  }

  /// The run is over and on the disk: a page that cannot be written does not undo it, and
  /// `lgc report` then says why.
  private func writeReport() {
    if experiment.report.plots { try? Report.write(directory) }
  }
}

extension RunDirectory {
  fileprivate func write(_ json: JSONValue) throws(FormatError) {
    try AtomicFile.write(Array((json.text + "\n").utf8), to: record)
  }

  /// The folder by its full path, or as it is where it has none.
  fileprivate static func absolute(_ folder: String) -> String {
    guard let path = realpath(folder, nil) else { return folder }
    defer { free(path) }
    return String(cString: path)
  }
}
