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
      Points of the plane are shown as a density, images as characters. --out writes all samples: \
      as a NumPy array of float32, [samples, shape…], to a name that ends in .npy; as a picture to \
      one that ends in .png, points over the level lines of the critic, images in a grid. The seed \
      decides them.

      --classifier RUN measures images instead: the Fréchet distance between generated and test \
      samples in the features that the run's last layer reads, beside that between training and \
      test samples, and the classes that it gives. --count is then that of the test samples, \
      10000 at most.

      Exit codes: 0 done; 2 the run cannot be used or a file cannot be written.
      """)

  @ArgumentParser.Argument(
    help: ArgumentHelp("A run directory (default: the newest complete run).", valueName: "run"))
  var directory: String?

  @Option(help: "How many samples (default: 2000, and 64 for a picture of images).")
  var count: Int?

  @Option(help: "Columns of a picture of images (default: as many as rows).")
  var grid: Int?

  @Option(
    help: ArgumentHelp(
      "Measure images by the classifier of this run directory.", valueName: "run"))
  var classifier: String?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "The class of all samples, from 0 (default: one after the other).", valueName: "number"))
  var asked: Int?

  @Option(help: "Decides the noise.")
  var seed = 0

  @Option(help: ArgumentHelp("Where to write them.", valueName: "file.npy|png"))
  var out: String?

  @Option(help: "Whether to colour messages.")
  var color = ColorChoice.auto

  @OptionGroup var machine: MachineOptions

  func validate() throws {
    if let count, !(1...10_000_000).contains(count) {
      throw ValidationError("--count takes a number from 1 to 10000000, not \(count)")
    }
    if let grid, !(1...1000).contains(grid) {
      throw ValidationError("--grid takes a number from 1 to 1000, not \(grid)")
    }
    if let out, !out.hasSuffix(".npy"), !out.hasSuffix(".png") {
      throw ValidationError("--out takes a name that ends in .npy or .png, not '\(out)'")
    }
    if classifier != nil, out != nil || count != nil || asked != nil {
      throw ValidationError("--classifier measures, and takes neither --out, --count nor --class")
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
      if let classifier {
        return try measure(run, generator, RunDirectory(path: classifier))
      }
      if let asked {
        guard let classes = generator.classes else {
          throw ValidationError("--class: this generator cannot be asked for a class")
        }
        guard (0..<classes).contains(asked) else {
          throw ValidationError("--class takes a number from 0 to \(classes - 1), not \(asked)")
        }
      }
      let isPicture = out?.hasSuffix(".png") == true
      // A column of each class, where they come one after the other.
      let columns = asked == nil ? generator.classes : nil
      let count = count
        ?? (isPicture && generator.sampleShape.count == 3 ? 8 * (columns ?? 8) : 2000)
      let samples = try generator.samples(count, seed: UInt64(seed), asked: asked)
      if let out {
        if isPicture {
          guard let picture = try generator.picture(of: samples, columns: grid ?? columns)
          else {
            throw ValidationError("samples of this shape have no picture; write them as .npy")
          }
          do throws(FormatError) { try AtomicFile.write(picture, to: out) } catch {
            throw DiagnosticError(error)
          }
        } else {
          do throws(FormatError) {
            try NPY.write(samples, shape: [count] + generator.sampleShape, to: out)
          } catch {
            throw DiagnosticError(error)
          }
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

  private func measure(
    _ run: RunDirectory, _ generator: StoredGenerator, _ classifier: RunDirectory
  ) throws -> Int32 {
    let setup = try AdversarialSetup(
      DescriptionFile.experiment(run.resolved), directory: DescriptionFile.home(of: run))
    let measure = try ImageMeasure(
      DescriptionFile.classifier(classifier, machine), setup.data, setup.experiment.data!,
      setup.scaling)
    guard let quality = try measure.quality(
      of: try generator.samples(measure.count, seed: UInt64(seed)), classes: generator.classes)
    else { throw ValidationError("the samples' features are not finite") }
    let rows = measure.rows(quality)
    let width = rows.map(\.0.count).max() ?? 0
    for (label, text) in rows {
      let padding = String(repeating: " ", count: width - label.count)
      Console.write("\(label)\(padding)  \(text)\n", to: STDOUT_FILENO)
    }
    return 0
  }
}
