import ArgumentParser
import Diagnostics
import Glibc
import Training

/// The measuring mode of the benchmarks: times the real training step on the description's data.
struct MeasureStepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure-step",
    abstract: "Times training steps and prints JSON.",
    discussion: """
      A step's time is that of writing its batch into the engine, running the program and reading \
      the loss; `blocks` and `heap_bytes` are what the engine's memory and the process's heap grew \
      by meanwhile. With --stdin, each line `run N` runs N steps and prints one line of JSON.
      """, shouldDisplay: false)

  @OptionGroup var source: ExperimentOptions

  @Option(help: "A safetensors file whose tensors replace the initial ones by name.")
  var weights: String?

  @Option(help: "Steps to time.")
  var steps = 50

  @Option(help: "Steps before them.")
  var warmup = 10

  @Flag(help: "Take lines `run N` from standard input until it ends.")
  var stdin = false

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, directory) = try source.load()
      let measurement = try StepMeasurement(
        TrainingSetup(experiment, directory: directory), engine: machine.engine.engine,
        threads: machine.threads, memoryLimit: machine.memoryLimitBytes, weights: weights)
      func measure(_ steps: Int) throws {
        let times = try measurement.run(steps)
        Console.write(times.json.compactText + "\n", to: STDOUT_FILENO)
      }
      guard stdin else {
        _ = try measurement.run(warmup)
        try measure(steps)
        return 0
      }
      while let line = readLine() {
        let words = line.split(separator: " ")
        guard words.count == 2, words[0] == "run", let count = Int(words[1]), count >= 0 else {
          throw ValidationError("expected `run N`, found `\(line)`")
        }
        try measure(count)
      }
      return 0
    }
  }
}
