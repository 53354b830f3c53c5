import Diagnostics
import Model
import Tensors

/// Compiled programs with their state that a run makes steps with.
protocol SteppedRunner: AnyObject {
  associatedtype Sums: StepSums
  var executable: any Executable { get }
  /// Steps done.
  var step: Int { get }
  /// Makes the next step.
  func runStep() throws(DiagnosticError) -> Sums.StepResult
  /// Makes the next step's computation, of the state before it, and says where its first value that
  /// is not finite is.
  func firstBroken() throws(DiagnosticError) -> BrokenValue?
}

/// What one step reports.
protocol StepOutcome {
  var losses: [Double] { get }
}

/// What is summed since the last line of metrics. Its numbers are kept in checkpoints, so that a
/// line's sum is the same whether or not the run stopped in its middle.
protocol StepSums {
  associatedtype StepResult: StepOutcome
  init(numbers: [String: Double])
  var numbers: [String: Double] { get }
  mutating func add(_ result: StepResult)
}

/// A line of metrics.
protocol MetricsLine {
  var json: JSONValue { get }
  /// What early stopping watches; nil where it was not measured.
  func value(of metric: StoppingSection.Metric) -> Double?
}

/// The steps of one run, from where it begins to its end, an early end, or a signal.
struct StepLoop<Runner: SteppedRunner, Line: MetricsLine> {
  let runner: Runner
  /// Steps of the whole run, and from one line of metrics to the next.
  let total: Int
  let interval: Int
  let metrics: MetricsLog
  let checkpoints: CheckpointStore
  let stopping: StoppingSection?
  /// After a step: what it reported, and seconds of training.
  let didStep: (Runner.Sums.StepResult, Double) -> Void
  /// The line that ends here.
  let measure: (Runner.Sums, Double) throws(DiagnosticError) -> Line
  /// A runner at the beginning, or at a checkpoint, of the same run.
  let restarted: (Checkpoint?) throws(DiagnosticError) -> Runner
  /// What is said of a loss that is not finite.
  let diverged: (Double) -> Diagnostic

  struct Ending {
    var last: Line?
    var wasInterrupted = false
    /// Whether training ended before its length was reached, and not by a signal.
    var stoppedEarly = false
    /// The step of the best line so far, where one is looked for.
    var best: Int?
    /// Of training, before a resumption too.
    var seconds: Double
  }

  /// - Parameter checkpoint: where the runner begins; nil: at the beginning.
  func run(from checkpoint: Checkpoint? = nil) throws(DiagnosticError) -> Ending {
    let numbers = checkpoint?.loop ?? [:]
    let start = Clock.seconds - (numbers["seconds"] ?? 0)
    var sums = Runner.Sums(numbers: numbers)
    var lineStep = Int(numbers["line_step"] ?? 0)
    var watch = stopping.map { EarlyStopping($0, numbers: numbers) }
    var last: Line?
    var isInterrupted = false
    while runner.step < total, watch?.isOver != true, !isInterrupted {
      let result = try SpanRecorder.span("step", number: runner.step + 1) {
        () throws(DiagnosticError) in try runner.runStep()
      }
      let step = runner.step
      if let loss = result.losses.first(where: { !$0.isFinite }) {
        throw DiagnosticError(trace(diverged(loss), step))
      }
      sums.add(result)
      didStep(result, Clock.seconds - start)
      let hasLine = step == total || step % interval == 0
      var isBest = false
      if hasLine {
        let line = try self.line(sums, step, since: start)
        isBest = watch?.add(line, step: step) ?? false
        sums = Runner.Sums(numbers: [:])
        lineStep = step
        last = line
      }
      let isOver = step == total || watch?.isOver == true
      isInterrupted = Interruption.isRequested && !isOver
      let mustSave =
        isInterrupted || (isBest && stopping?.restore == .best)
        || (isOver && checkpoints.isOn) || checkpoints.isDue(at: step, hasLine: hasLine)
      if mustSave {
        var numbers = sums.numbers
        watch?.numbers.forEach { numbers[$0.key] = $0.value }
        numbers["seconds"] = Clock.seconds - start
        numbers["line_step"] = Double(lineStep)
        try save(step, numbers, best: watch?.best?.step)
      }
      // Its sums go on after a resumption, which takes the line away again.
      if isInterrupted && !hasLine { last = try line(sums, step, since: start) }
    }
    return Ending(
      last: last, wasInterrupted: isInterrupted,
      stoppedEarly: watch?.isOver == true && runner.step < total,
      best: watch?.best?.step, seconds: Clock.seconds - start)
  }

  private func line(
    _ sums: Runner.Sums, _ step: Int, since start: Double
  ) throws(DiagnosticError) -> Line {
    let line = try measure(sums, Clock.seconds - start)
    try metrics.append(step: step, line.json)
    return line
  }

  private func save(
    _ step: Int, _ numbers: [String: Double], best: Int?
  ) throws(DiagnosticError) {
    try SpanRecorder.section("checkpoint") { () throws(DiagnosticError) in
      // A checkpoint whose lines are lost in a power cut would leave a gap.
      try metrics.flush()
      do throws(DiagnosticError) {
        try checkpoints.save(runner.executable, step: step, loop: numbers, best: best)
      } catch where error.diagnostics.first?.code == .diverged {
        throw DiagnosticError(trace(error.diagnostics[0], step + 1))
      }
    }
  }

  /// The diagnostic with the layer in which step `step` first met a value that is not finite, and
  /// the checkpoint to go on from. The steps since that checkpoint are made again.
  private func trace(_ diagnostic: Diagnostic, _ step: Int) -> Diagnostic {
    var result = diagnostic
    let usable = checkpoints.newest
    if let usable {
      result.notes.append("the last usable checkpoint is `\(checkpoints.path(usable))`")
    }
    // The failure itself is what the user must see, whether or not it can be traced.
    let checkpoint = try? usable.map { try Checkpoint(reading: checkpoints.path($0)) }
    guard (usable == nil) == (checkpoint == nil), step - (usable ?? 0) <= Self.longestReplay,
      let again = try? restarted(checkpoint)
    else { return result }
    while again.step < step - 1 { guard (try? again.runStep()) != nil else { return result } }
    guard let broken = try? again.firstBroken() else { return result }
    result.notes.insert(broken.sentence, at: 0)
    if let span = broken.span { result.labels.append(.init(span, "first in this layer")) }
    return result
  }

  /// Steps that are made again at most to find a layer.
  private static var longestReplay: Int { 10_000 }
}
