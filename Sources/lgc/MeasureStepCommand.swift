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
      the loss. With --stdin, each line `run N` runs N steps and prints one line of JSON: \
      milliseconds and losses, one number a step, each loss that of the weights before the step's \
      update, and `blocks` and `heap_bytes`, what the engine's memory and the process's heap grew \
      by meanwhile. A line `kernels N` prints the milliseconds that the step's products and \
      convolutions take alone, each run N times on its own and their lower quartiles added.

      --network critic times the critic's step of a description with models: forward on real and \
      generated samples, penalty, gradient and update of the critic's weights; the generator does \
      not run and no data is read. Every step has the same inputs, in --inputs: `real` and `fake` \
      [batch, sample…] and, for families that interpolate, `epsilon` [batch], with \
      x̂ = epsilon·real + (1 − epsilon)·fake. Weights are named critic.<layer>.weight and \
      critic.<layer>.bias. The learning rate is constant.
      """, shouldDisplay: false)

  @OptionGroup var source: ExperimentOptions

  @Option(help: "A safetensors file whose tensors replace the initial ones by name.")
  var weights: String?

  @Option(help: "Which network's step, where there are several: critic.")
  var network: String?

  @Option(help: "A safetensors file with the inputs of the critic's step (default: random ones).")
  var inputs: String?

  @Option(help: "Steps to time.")
  var steps = 50

  @Option(help: "Steps before them.")
  var warmup = 10

  @Flag(help: "Take lines `run N` and `kernels N` from standard input until it ends.")
  var stdin = false

  @OptionGroup var machine: MachineOptions

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, directory) = try source.load()
      let run: (Int) throws -> StepTimes
      let kernels: (Int) throws -> Double?
      if network != nil {
        let measurement = try CriticMeasurement(
          experiment, engine: machine.engine.engine, threads: machine.threads, weights: weights,
          inputs: inputs)
        run = { try measurement.run($0) }
        kernels = { try measurement.kernels(runs: $0) }
      } else {
        let measurement = try StepMeasurement(
          TrainingSetup(experiment, directory: directory), engine: machine.engine.engine,
          threads: machine.threads, memoryLimit: machine.memoryLimitBytes,
          weights: weights)
        run = { try measurement.run($0) }
        kernels = { try measurement.kernels(runs: $0) }
      }
      func measure(_ steps: Int) throws {
        let times = try run(steps)
        Console.write(times.json.compactText + "\n", to: STDOUT_FILENO)
      }
      guard stdin else {
        _ = try run(warmup)
        try measure(steps)
        return 0
      }
      try MeasuringLoop.serve(run: { try run($0).json }, kernels: kernels)
      return 0
    }
  }

  func validate() throws {
    guard network == nil || network == "critic" else {
      throw ValidationError("--network takes critic, not '\(network!)'")
    }
    if inputs != nil, network == nil {
      throw ValidationError("--inputs needs --network critic")
    }
  }
}
