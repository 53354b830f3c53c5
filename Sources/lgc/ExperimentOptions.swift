import ArgumentParser
import Diagnostics
import Glibc
import Model

/// A description on the command line, with what overrides it.
struct ExperimentOptions: ParsableArguments {
  @ArgumentParser.Argument(
    help: ArgumentHelp("The description; - is standard input.", valueName: "model.yaml"))
  var file: String

  @OptionGroup var overriding: OverrideOptions

  var set: [String] { overriding.set }
  var color: ColorChoice { overriding.color }

  /// The experiment and the folder of its file. Warnings go to stderr.
  func load() throws -> (experiment: Experiment, directory: String) {
    try overriding.load(file)
  }
}

/// What overrides a description, and how its errors are shown.
struct OverrideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Overrides a value of the description, as in train.epochs=3; repeatable.",
      valueName: "path=value"))
  var set: [String] = []

  @Option(help: "Whether to colour the output.")
  var color = ColorChoice.auto

  /// The experiment of a description and the folder of its file. Warnings go to stderr.
  func load(_ file: String) throws -> (experiment: Experiment, directory: String) {
    let directory = DescriptionFile.directory(of: file)
    let experiment = try load(
      try DescriptionFile.read(file), directory: directory, overrides: set)
    return (experiment, directory)
  }

  /// - Parameter overrides: all `--set` arguments, in order.
  func load(
    _ file: SourceFile, directory: String, overrides: [String]
  ) throws -> Experiment {
    let overrides = try overrides.map { argument in
      guard let override = Override(argument: argument) else {
        throw ValidationError("--set takes path=value, not '\(argument)'")
      }
      return override
    }
    let (experiment, diagnostics) = loadExperiment(
      file, catalogs: DescriptionFile.catalogs, directory: directory, overrides: overrides)
    guard let experiment, diagnostics.allSatisfy({ $0.severity < .error }) else {
      throw DescriptionErrors(diagnostics: diagnostics)
    }
    Failure.report(diagnostics, color: color)
    return experiment
  }
}

/// A description that cannot be used, with all that is wrong and all warnings.
struct DescriptionErrors: Error {
  let diagnostics: [Diagnostic]
}

/// Where a command computes.
struct MachineOptions: ParsableArguments {
  @Option(help: "Threads to compute with (default: as many as the process may use).")
  var threads: Int?

  @Option(help: "What computes: cpu, or reference, which is slow and exact to float64.")
  var engine = EngineChoice.cpu

  @Option(
    help: ArgumentHelp(
      "The most memory in MB for state, working memory and batches (default: what there is).",
      valueName: "MB"))
  var memoryLimit: Int?

  var memoryLimitBytes: Int? { memoryLimit.map { $0 * 1_000_000 } }

  func validate() throws {
    if let memoryLimit, !(1...1_000_000_000).contains(memoryLimit) {
      throw ValidationError("--memory-limit takes a number of MB from 1, not \(memoryLimit)")
    }
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 256, not \(threads)")
    }
  }
}

/// How a command ends that cannot do what it was asked.
enum Failure {
  /// Runs a command's body, which returns the exit code. Diagnostics go to stderr: exit 1 if they
  /// are of the description, 2 if it could not run.
  static func reported(color: ColorChoice, _ body: () throws -> Int32) throws {
    var code: Int32
    do {
      code = try body()
    } catch let error as DescriptionErrors {
      report(error.diagnostics, color: color)
      code = 1
    } catch let error as DiagnosticError {
      report(error.diagnostics, color: color)
      code = 2
    }
    if code != 0 { throw ExitCode(code) }
  }

  static func report(_ diagnostics: [Diagnostic], color: ColorChoice) {
    if diagnostics.isEmpty { return }
    let renderer = CaretRenderer(usesColor: color.usesColor(on: STDERR_FILENO))
    Console.write(renderer.render(diagnostics), to: STDERR_FILENO)
  }
}
