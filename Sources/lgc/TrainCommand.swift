import ArgumentParser
import CPUEngine
import Diagnostics
import Glibc
import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Tensors
import Training

/// `--engine`
enum EngineChoice: String, CaseIterable, ExpressibleByArgument, Equatable {
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
      is measured of exactly these.

      Checkpoints are saved with every line of metrics, or as `train.checkpoint` says, and the \
      newest two are kept. A run that was killed or interrupted goes on from its newest one with \
      --resume, and ends with the same bytes as if it had never stopped. Control-C (and SIGTERM) \
      ends training after the step, saves a checkpoint and proves the bound of the weights as they \
      are; a second one ends the process.

      Each epoch leaves out the samples that do not fill a last batch; which ones they are changes \
      with the order of every epoch.

      Exit codes: 0 done; 1 the description has errors or a target is not met; 2 it could not run; \
      130 interrupted.
      """)

  @ArgumentParser.Argument(
    help: ArgumentHelp("The description; - is standard input.", valueName: "model.yaml"))
  var file: String?

  @OptionGroup var source: OverrideOptions

  @Option(
    help: ArgumentHelp(
      "Go on with a run from its newest checkpoint. --set may lengthen it (train.epochs, "
        + "train.steps) and change train.checkpoint.", valueName: "run"))
  var resume: String?

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
    guard (file == nil) != (resume == nil) else {
      throw ValidationError(
        file == nil
          ? "a description is missing: lgc train MODEL.yaml, or lgc train --resume RUN"
          : "--resume takes the description from the run; leave out '\(file!)'")
    }
    if resume != nil, out != nil { throw ValidationError("--resume goes on in its own directory") }
    if resume != nil, dryRun { throw ValidationError("--dry-run is for a run that is not begun") }
    // `lgc train --profile model.yaml` would write the trace over the description.
    if let profile, profile.hasSuffix(".yaml") || profile.hasSuffix(".yml") {
      throw ValidationError("--profile takes the trace's file, not '\(profile)'; name it last")
    }
  }

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, directory, resumed) = try load()
      if let resumed, resumed.isFinished, source.set.isEmpty {
        let steps = resumed.stepsDone.map { " after \($0) steps" } ?? ""
        Console.write("\(resumed.directory.path) is complete\(steps)\n", to: STDERR_FILENO)
        return 0
      }
      let engine = self.engine(resumed)
      if experiment.networks.count > 1 {
        return try adversarial(
          try AdversarialSetup(experiment, directory: directory), engine, resumed)
      }
      if classifier != nil {
        throw ValidationError("--classifier measures the images of a generator, and there is none")
      }
      let setup = try TrainingSetup(experiment, directory: directory)
      if dryRun {
        Console.write(try plan(setup), to: STDOUT_FILENO)
        return 0
      }
      Interruption.catchOnce()
      let profiling = try profile.map { _ in
        try TrainingProfile(engine, threads: threads(resumed))
      }
      let options = options(profiling?.engine ?? engine, resumed)
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

  /// What is trained: a description, or what a run was begun with.
  private func load() throws -> (Experiment, directory: String, ResumedRun?) {
    guard let resume else {
      let (experiment, directory) = try source.load(file!)
      return (experiment, directory, nil)
    }
    let run = try ResumedRun(resume)
    for argument in source.set {
      let path = String(argument.prefix { $0 != "=" })
      if !ResumedRun.allows(path) { throw DiagnosticError(.notOfAResumedRun(path)) }
    }
    func load(_ overrides: [String]) throws -> Experiment {
      try source.load(
        SourceFile(path: run.directory.description, bytes: run.description),
        directory: run.folder, overrides: overrides)
    }
    let experiment = try load(run.overrides)
    try run.check(experiment.resolvedText, version: LGC.version)
    let all = run.overrides + source.set
    return (source.set.isEmpty ? experiment : try load(all), run.folder, run)
  }

  private func options(_ engine: any Engine, _ resumed: ResumedRun?) -> TrainingOptions {
    let color = source.color
    return TrainingOptions(
      version: LGC.version, engine: engine, threads: threads(resumed),
      memoryLimit: machine.memoryLimitBytes, output: out,
      overrides: (resumed?.overrides ?? []) + source.set, resumed: resumed,
      warn: { Failure.report([$0], color: color) })
  }

  /// A resumed run goes on as it was begun, unless it is told otherwise.
  private func threads(_ resumed: ResumedRun?) -> Int? { machine.threads ?? resumed?.threads }

  private func engine(_ resumed: ResumedRun?) -> any Engine {
    guard machine.engine == .cpu, let resumed else { return machine.engine.engine }
    return (EngineChoice(rawValue: resumed.engine) ?? machine.engine).engine
  }

  private func adversarial(
    _ setup: AdversarialSetup, _ engine: any Engine, _ resumed: ResumedRun?
  ) throws -> Int32 {
    if dryRun {
      let runner = try AdversarialRunner(
        setup, engine: engine, threads: machine.threads, memoryLimit: machine.memoryLimitBytes)
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
        \(staticBounds(setup.experiment))

        """, to: STDOUT_FILENO)
      return 0
    }
    guard profile == nil else {
      throw ValidationError("--profile works on descriptions of one network")
    }
    Interruption.catchOnce()
    let measure = try classifier.map { path in
      try ImageMeasure(
        DescriptionFile.classifier(RunDirectory(path: path), machine), setup.data,
        setup.experiment.data!, setup.scaling)
    }
    let run = AdversarialRun(setup, options: options(engine, resumed), measure: measure)
    let result = try run.run { metrics in
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
      \(staticBounds(setup.experiment))

      """
  }

  /// What the declared constraints prove, a line a network.
  private func staticBounds(_ experiment: Experiment) -> String {
    let networks = analyse(experiment).networks
    return networks.map { analysis in
      let name = networks.count == 1 ? "" : "\(analysis.network.name) "
      let total = analysis.total[analysis.norm] ?? .unknown
      let bound =
        total.isFinite
        ? "≤ \(total.text(significant: 6)) by the declared constraints"
        : "nothing is declared that proves one"
      return "  bound       \(name)\(analysis.norm.rawValue) \(bound)"
    }.joined(separator: "\n")
  }
}

extension Diagnostic {
  fileprivate static func notOfAResumedRun(_ path: String) -> Diagnostic {
    Diagnostic(
      .cannotResume, "`\(path)` cannot change in a run that is under way", at: nil,
      help: "begin a new run; only `train.epochs`, `train.steps` and `train.checkpoint` may change")
  }
}
