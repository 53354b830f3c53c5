import ArgumentParser
import Diagnostics
import Formats
import Glibc
import Training

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draws samples from a trained generator.",
    discussion: """
      Points of the plane are shown as a density, images as characters. --out writes all samples \
      as a NumPy array of float32, [samples, shape…]. The seed decides them.

      Exit codes: 0 done; 2 the run cannot be used or a file cannot be written.
      """)

  @ArgumentParser.Argument(
    help: ArgumentHelp("A run directory (default: the newest complete run).", valueName: "run"))
  var directory: String?

  @Option(help: "How many samples.")
  var count = 2000

  @Option(help: "Decides the noise.")
  var seed = 0

  @Option(help: ArgumentHelp("Where to write them.", valueName: "file.npy"))
  var out: String?

  @Option(help: "Whether to colour messages.")
  var color = ColorChoice.auto

  @OptionGroup var machine: MachineOptions

  func validate() throws {
    guard (1...10_000_000).contains(count) else {
      throw ValidationError("--count takes a number from 1 to 10000000, not \(count)")
    }
    guard seed >= 0 else { throw ValidationError("--seed takes a number ≥ 0, not \(seed)") }
  }

  func run() throws {
    try Failure.reported(color: color) {
      guard let run = directory.map({ RunDirectory(path: $0) }) ?? RunDirectory.newest() else {
        throw DiagnosticError(
          Diagnostic(.noRun, "there is no complete run under `runs/`", at: nil))
      }
      let experiment = try DescriptionFile.experiment(run.resolved)
      let generator = try StoredGenerator(
        experiment, weights: run.weights, engine: machine.engine.engine,
        threads: machine.threads)
      let samples = try generator.samples(count, seed: UInt64(seed))
      if let out {
        do throws(FormatError) {
          try NPY.write(samples, shape: [count] + generator.sampleShape, to: out)
        } catch {
          throw DiagnosticError(error)
        }
        Console.write("\(count) samples in \(out)\n", to: STDOUT_FILENO)
        return 0
      }
      guard let picture = SamplePicture.text(samples, shape: generator.sampleShape) else {
        throw ValidationError("samples of this shape have no picture; write them with --out")
      }
      Console.write(picture, to: STDOUT_FILENO)
      return 0
    }
  }
}
