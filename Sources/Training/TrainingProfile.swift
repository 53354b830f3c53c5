import Diagnostics
import Formats
import Tensors

/// Where the time of a training run goes: give `engine` to the run and run it inside `record`.
///
/// The run computes the same bits as without; only clocks are read beside it.
public final class TrainingProfile {
  public let peak: MachinePeak
  public var engine: any Engine { recording }
  let recorder: SpanRecorder
  private let recording: RecordingEngine

  /// Measures the machine first.
  public init(_ engine: any Engine, threads: Int?) throws(DiagnosticError) {
    guard let profiling = engine as? any ProfilingEngine else {
      throw DiagnosticError(cannotProfile(engine))
    }
    peak = try DiagnosticError.translating {
      try profiling.measuredPeak(EngineOptions(threads: threads))
    }
    recorder = SpanRecorder()
    recording = RecordingEngine(engine: engine, recorder: recorder)
  }

  /// Runs `body` as what is profiled.
  public func record<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try recorder.record("preparation", body)
  }

  public var report: ProfileReport {
    ProfileReport(peak: peak, programs: recording.programs.all, recorder: recorder)
  }

  /// Writes the spans in Chrome's trace-event format, which chrome://tracing and Perfetto open.
  public func writeTrace(to path: String) throws(DiagnosticError) {
    try DiagnosticError.translating { try ChromeTrace(recorder).write(to: path) }
  }
}

// MARK: messages

private func cannotProfile(_ engine: any Engine) -> Diagnostic {
  Diagnostic(
    .engineCannot, "the engine `\(engine.name)` does not time its steps", at: nil,
    help: "leave out --profile or --engine")
}
