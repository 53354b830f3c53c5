import Diagnostics
import Model

/// Who is told how training goes.
public protocol TrainingObserver: AnyObject {
  /// After every step.
  func didStep(_ step: Int, of total: Int, loss: Float, seconds: Double)
  /// After every line of metrics.
  func didMeasure(_ metrics: Metrics, of total: Int)
}

/// The steps of one run, from the first to the last or to Control-C.
struct TrainingLoop {
  let runner: StepRunner
  let metrics: MetricsLog
  let observer: (any TrainingObserver)?

  struct Ending {
    var last: Metrics?
    var wasInterrupted = false
  }

  /// Trains; a line of metrics at the end of each epoch and of the run.
  func run() throws(DiagnosticError) -> Ending {
    let setup = runner.setup
    let start = Clock.seconds
    var ending = Ending()
    var running = RunningMetrics()
    while runner.step < setup.totalSteps && !ending.wasInterrupted {
      let result = try SpanRecorder.span("step", number: runner.step + 1) {
        () throws(DiagnosticError) in try runner.run(total: setup.totalSteps)
      }
      guard result.loss.isFinite else { throw DiagnosticError(diverged(result.loss)) }
      running.add(result)
      observer?.didStep(
        runner.step, of: setup.totalSteps, loss: result.loss, seconds: Clock.seconds - start)
      ending.wasInterrupted = Interruption.isRequested
      let isLast = ending.wasInterrupted || runner.step == setup.totalSteps
      if isLast || runner.step % setup.stepsPerEpoch == 0 {
        ending.last = try measure(running, since: start)
        running = RunningMetrics()
      }
    }
    return ending
  }

  private func measure(
    _ running: RunningMetrics, since start: Double
  ) throws(DiagnosticError) -> Metrics {
    let setup = runner.setup
    var test: (loss: Double, accuracy: Double?)?
    if let samples = setup.data.test {
      test = try SpanRecorder.section("evaluation") { () throws(DiagnosticError) in
        try runner.evaluate(samples)
      }
    }
    let line = Metrics(
      step: runner.step, epoch: Double(runner.step) / Double(setup.stepsPerEpoch),
      loss: running.meanLoss, penalty: running.meanPenalty,
      trainAccuracy: running.accuracy(batch: setup.train.batch),
      testLoss: test?.loss, testAccuracy: test?.accuracy,
      learningRate: setup.optimizer.learningRate(step: runner.step - 1, of: setup.totalSteps),
      seconds: Clock.seconds - start)
    try metrics.append(step: line.step, line.json)
    observer?.didMeasure(line, of: setup.totalSteps)
    return line
  }

  private func diverged(_ loss: Float) -> Diagnostic {
    let setup = runner.setup
    let epoch = (runner.step - 1) / setup.stepsPerEpoch + 1
    return Diagnostic(
      .diverged, "the loss is \(loss) at step \(runner.step), in epoch \(epoch)",
      at: setup.optimizer.span, label: "learning rate \(setup.optimizer.optimizer.learningRate)",
      help: "a smaller `lr`, or a Lipschitz constraint, keeps training stable")
  }
}
