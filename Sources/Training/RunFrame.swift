import Diagnostics
import Formats
import Lipschitz
import Model
import Tensors

/// What every run has, whatever it trains: its directory, the record of how it was made, and its
/// metrics.
///
/// A file is written when there is something to say, and only by way of the frame: the description
/// and the record when the run starts, metrics on the way, then weights, certificate and the
/// record with `end`. After a failure the directory stays, without weights and with the reason in
/// its `run.json`.
struct RunFrame {
  let directory: RunDirectory
  let metrics: MetricsLog
  private let experiment: Experiment
  private let options: TrainingOptions
  private let record: RunRecord

  /// Makes the directory of a run that starts now.
  ///
  /// - Parameter steps: of the whole run.
  init(
    _ experiment: Experiment, seed: UInt64, steps: Int, _ options: TrainingOptions
  ) throws(DiagnosticError) {
    let hash = SHA256.hexadecimal(experiment.file.bytes)
    let record = RunRecord(
      version: options.version, name: experiment.name, descriptionPath: experiment.file.path,
      descriptionHash: hash, seed: seed, overrides: options.overrides,
      engine: options.engine.name, threads: options.threads ?? Machine.processors,
      start: Clock.timestamp, steps: steps)
    let directory = try DiagnosticError.translating {
      let directory =
        if let path = options.output { try RunDirectory.make(at: path) } else {
          try RunDirectory.make(name: experiment.name, hash: hash)
        }
      try AtomicFile.write(experiment.file.bytes, to: directory.description)
      try AtomicFile.write(Array(experiment.resolvedText.utf8), to: directory.resolved)
      try directory.write(record.json())
      return directory
    }
    self.experiment = experiment
    self.options = options
    self.record = record
    self.directory = directory
    metrics = try MetricsLog(directory)
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
  private func writeReport() { try? Report.write(directory) }
}

extension RunDirectory {
  fileprivate func write(_ json: JSONValue) throws(FormatError) {
    try AtomicFile.write(Array((json.text + "\n").utf8), to: record)
  }
}
