import Synchronization
import Tensors

/// An engine whose executables record what they do. They compute exactly what they would without.
struct RecordingEngine: Engine {
  let engine: any Engine
  let recorder: SpanRecorder
  let programs = ProgramRecords()

  var name: String { engine.name }

  func compile(
    _ programs: [Program], options: EngineOptions
  ) throws(EngineError) -> any Executable {
    let executable = try SpanRecorder.span("compiling") { () throws(EngineError) in
      try engine.compile(programs, options: options)
    }
    guard let executable = executable as? any ProfilingExecutable else {
      throw EngineError("the engine `\(engine.name)` does not time its steps")
    }
    var records: [String: ProgramRecord] = [:]
    for program in programs {
      let record = ProgramRecord(
        name: program.name, steps: try executable.profiledSteps(of: program.name))
      records[program.name] = record
      self.programs.add(record)
    }
    return RecordingExecutable(executable, records, recorder)
  }
}

/// Every program that was compiled.
final class ProgramRecords: Sendable {
  private let records = Mutex<[ProgramRecord]>([])
  func add(_ record: ProgramRecord) { records.withLock { $0.append(record) } }
  var all: [ProgramRecord] { records.withLock { $0 } }
}

/// The times of one program's steps.
final class ProgramRecord: Sendable {
  let name: String
  let steps: [ProfiledStep]

  /// Runs whose times are kept: the last ones.
  static let mostRuns = 1024
  private struct State {
    var runs = 0
    /// By step, in nanoseconds; at most `mostRuns` of each.
    var durations: [[Float]]
    /// Of the whole run.
    var totals: [Float] = []
  }
  private let state: Mutex<State>

  init(name: String, steps: [ProfiledStep]) {
    self.name = name
    self.steps = steps
    state = Mutex(State(durations: .init(repeating: [], count: steps.count)))
  }

  /// Returns how many runs there were before.
  func add(_ moments: [Int64]) -> Int {
    state.withLock { state in
      let slot = state.runs % Self.mostRuns
      for index in steps.indices {
        state.durations[index].store(Float(moments[index + 1] - moments[index]), at: slot)
      }
      state.totals.store(Float(moments[steps.count] - moments[0]), at: slot)
      state.runs += 1
      return state.runs - 1
    }
  }

  var runs: Int { state.withLock { $0.runs } }
  /// Of the whole run and of each step, in nanoseconds.
  var medians: (run: Double, steps: [Double]) {
    state.withLock { ($0.totals.median, $0.durations.map(\.median)) }
  }
}

extension [Float] {
  fileprivate mutating func store(_ value: Float, at slot: Int) {
    if slot < count { self[slot] = value } else { append(value) }
  }
  fileprivate var median: Double {
    if isEmpty { return 0 }
    let sorted = sorted()
    return (Double(sorted[(count - 1) / 2]) + Double(sorted[count / 2])) / 2
  }
}

private final class RecordingExecutable: Executable {
  private let executable: any ProfilingExecutable
  private let records: [String: ProgramRecord]
  private let recorder: SpanRecorder
  private var moments: [Int64] = []

  /// Runs of a program whose steps are shown one by one in a trace.
  private static let detailedRuns = 100

  init(
    _ executable: any ProfilingExecutable, _ records: [String: ProgramRecord],
    _ recorder: SpanRecorder
  ) {
    self.executable = executable
    self.records = records
    self.recorder = recorder
  }

  var states: [String: Shape] { executable.states }
  var stateBytes: Int { executable.stateBytes }
  var workingBytes: Int { executable.workingBytes }

  func run(_ program: String) throws(EngineError) {
    guard let record = records[program] else { return try executable.run(program) }
    try SpanRecorder.span("program \(program)") { () throws(EngineError) in
      let count = record.steps.count + 1
      if moments.count != count { moments = [Int64](repeating: 0, count: count) }
      var failure: EngineError?
      moments.withUnsafeMutableBufferPointer { moments in
        do throws(EngineError) {
          try executable.run(program, moments: moments)
        } catch { failure = error }
      }
      if let failure { throw failure }
    }
    guard record.add(moments) < Self.detailedRuns else { return }
    for (index, step) in record.steps.enumerated() {
      recorder.add(
        step.origin.map { "\($0.name): \(step.label)" } ?? step.label, thread: 0,
        from: moments[index], to: moments[index + 1])
    }
  }

  func writeState(
    _ name: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError) {
    try SpanRecorder.span("state written") { () throws(EngineError) in
      try executable.writeState(name, values)
    }
  }

  func readState(
    _ name: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) {
    try SpanRecorder.span("state read") { () throws(EngineError) in
      try executable.readState(name, into: values)
    }
  }

  func writeInput(
    _ name: String, of program: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError) {
    try SpanRecorder.span("inputs written") { () throws(EngineError) in
      try executable.writeInput(name, of: program, values)
    }
  }

  func readOutput(
    _ name: String, of program: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) {
    try SpanRecorder.span("results read") { () throws(EngineError) in
      try executable.readOutput(name, of: program, into: values)
    }
  }
}
