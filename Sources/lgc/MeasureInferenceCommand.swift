import ArgumentParser
import Diagnostics
import Glibc
import Training

/// The measuring mode of the benchmarks for inference.
struct MeasureInferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure-inference",
    abstract: "Times the network on batches of the description's data and prints JSON.",
    discussion: """
      The time is that of writing a batch into the engine, running the network on its stored \
      weights and reading the outputs. With --stdin, each line `run N` runs N batches and prints \
      one line of JSON.
      """, shouldDisplay: false)

  @OptionGroup var source: ExperimentOptions

  @Option(help: "A safetensors file whose tensors replace the initial ones by name.")
  var weights: String?

  @Option(help: "Samples of a batch.")
  var batch = 1

  @Option(help: "Batches to time.")
  var runs = 50

  @Option(help: "Batches before them.")
  var warmup = 10

  @Flag(help: "Take lines `run N` and `kernels N` from standard input until it ends.")
  var stdin = false

  @OptionGroup var machine: MachineOptions

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch takes a number from 1, not \(batch)") }
  }

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, directory) = try source.load()
      let measurement = try InferenceMeasurement(
        TrainingSetup(experiment, directory: directory), engine: machine.engine.engine,
        threads: machine.threads, weights: weights, batch: batch)
      func measure(_ runs: Int) throws {
        let times = try measurement.run(runs)
        Console.write(times.json.compactText + "\n", to: STDOUT_FILENO)
      }
      guard stdin else {
        _ = try measurement.run(warmup)
        try measure(runs)
        return 0
      }
      try MeasuringLoop.serve(
        run: { try measurement.run($0).json }, kernels: { try measurement.kernels(runs: $0) })
      return 0
    }
  }
}
