import ArgumentParser
import CPUEngine
import Diagnostics
import Glibc
import Model
import ReferenceEngine
import Tensors
import Training

/// `--engine`
enum EngineChoice: String, CaseIterable, ExpressibleByArgument {
  case cpu, reference

  var engine: any Engine {
    switch self {
    case .cpu: CPUEngine()
    case .reference: ReferenceEngine()
    }
  }
}

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a description's network and proves the bound of the result.",
    discussion: """
      Writes a run directory with the weights, their proved bound and the metrics. When training \
      ends, the stored weights are scaled so that every declared bound is proved of them; accuracy \
      is measured of exactly these. Control-C ends training after the step and saves; a second one \
      ends the process.

      Each epoch leaves out the samples that do not fill a last batch; which ones they are changes \
      with the order of every epoch.

      Exit codes: 0 done; 1 the description has errors or a target is not met; 2 it could not run; \
      130 interrupted.
      """)

  @OptionGroup var source: ExperimentOptions

  @Option(
    help: ArgumentHelp("The run directory (default: a new one under runs/).", valueName: "dir"))
  var out: String?

  @Flag(help: "Read the data, compile, print the plan, and stop.")
  var dryRun = false

  @Flag(help: "No progress on stderr.")
  var quiet = false

  @Option(
    defaultAsFlag: "", parsing: .next,
    help: ArgumentHelp(
      "Print where the time goes, step by step, and write a trace for chrome://tracing or Perfetto "
        + "(default: trace.json in the run directory).", valueName: "file"))
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "Measure a generator's images by the classifier of this run directory, as `lgc sample` does.",
      valueName: "run"))
  var classifier: String?

  @OptionGroup var machine: MachineOptions

  func validate() throws {
    // `lgc train --profile model.yaml` would write the trace over the description.
    if let profile, profile.hasSuffix(".yaml") || profile.hasSuffix(".yml") {
      throw ValidationError("--profile takes the trace's file, not '\(profile)'; name it last")
    }
  }

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, directory) = try source.load()
      if experiment.networks.count > 1 {
        return try adversarial(try AdversarialSetup(experiment, directory: directory))
      }
      let setup = try TrainingSetup(experiment, directory: directory)
      if dryRun {
        Console.write(try plan(setup), to: STDOUT_FILENO)
        return 0
      }
      Interruption.catchOnce()
      let profiling = try profile.map { _ in
        try TrainingProfile(machine.engine.engine, threads: machine.threads)
      }
      let options = TrainingOptions(
        version: LGC.version, engine: profiling?.engine ?? machine.engine.engine,
        threads: machine.threads, memoryLimit: machine.memoryLimitBytes, output: out,
        overrides: source.set)
      let progress = Progress(
        isTerminal: isatty(STDERR_FILENO) == 1, stepsPerEpoch: setup.stepsPerEpoch
      ) { Console.write($0, to: STDERR_FILENO) }
      let run = TrainingRun(setup, options: options)
      func train() throws -> TrainingResult { try run.run(observer: quiet ? nil : progress) }
      let result = try profiling.map { try $0.record(train) } ?? train()
      Console.write(result.summary(name: experiment.name), to: STDOUT_FILENO)
      if let profiling {
        let path = profile.flatMap { $0.isEmpty ? nil : $0 } ?? result.directory.trace
        try profiling.writeTrace(to: path)
        Console.write("\n\(profiling.report.text)\ntrace in \(path)\n", to: STDOUT_FILENO)
      }
      let unmet = result.judgements.compactMap(\.diagnostic)
      Failure.report(unmet, color: source.color)
      return result.exitCode
    }
  }

  private func adversarial(_ setup: AdversarialSetup) throws -> Int32 {
    if dryRun {
      let runner = try AdversarialRunner(
        setup, engine: machine.engine.engine, threads: machine.threads)
      let bytes = runner.executable.stateBytes + runner.executable.workingBytes
      Console.write(
        """
        \(setup.experiment.name)
          data        \(setup.data.train.count) training samples, \
        each \(setup.data.train.shape.shapeText)
          parameters  \(setup.generator.parameterCount) generator, \
        \(setup.critic.parameterCount) critic
          steps       \(setup.totalSteps) of the generator, each after \
        \(setup.section.criticSteps) of the critic, batch \(setup.train.batch)
          memory      \(decimal(Double(bytes) / 1e6, 1)) MB

        """, to: STDOUT_FILENO)
      return 0
    }
    guard profile == nil else {
      throw ValidationError("--profile works on descriptions of one network")
    }
    Interruption.catchOnce()
    let options = TrainingOptions(
      version: LGC.version, engine: machine.engine.engine, threads: machine.threads, output: out,
      overrides: source.set)
    let measure = try classifier.map { path in
      try ImageMeasure(
        DescriptionFile.classifier(RunDirectory(path: path), machine), setup.data,
        setup.experiment.data!, setup.scaling)
    }
    let result = try AdversarialRun(setup, options: options, measure: measure).run { metrics in
      if !quiet { Console.write(metrics.line(of: setup.totalSteps), to: STDERR_FILENO) }
    }
    Console.write(result.summary(name: setup.experiment.name), to: STDOUT_FILENO)
    Failure.report(result.judgements.compactMap(\.diagnostic), color: source.color)
    return result.exitCode
  }

  /// What training would do, after everything that can fail before the first step.
  private func plan(_ setup: TrainingSetup) throws -> String {
    let runner = try StepRunner(
      setup, engine: machine.engine.engine, threads: machine.threads, steps: setup.totalSteps,
      memoryLimit: machine.memoryLimitBytes)
    let test = setup.data.test.map { ", \($0.count) test samples" } ?? ""
    let state = Double(runner.executable.stateBytes) / 1e6
    let working = Double(runner.executable.workingBytes) / 1e6
    return """
      \(setup.experiment.name)
        data        \(setup.data.train.count) training samples\(test), \
      each \(setup.data.train.shape.shapeText)
        parameters  \(setup.network.parameterCount)
        steps       \(setup.totalSteps), \(setup.stepsPerEpoch) an epoch, batch \(setup.train.batch)
        memory      \(decimal(state, 1)) MB of state, \(decimal(working, 1)) MB to work in

      """
  }
}
