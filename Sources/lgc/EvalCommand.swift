import ArgumentParser
import Diagnostics
import Formats
import Glibc
import Rounding
import Training
import YAML

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measures accuracy on the test split, and proves how far inputs may change.",
    discussion: """
      Of each test sample that the network gets right, a radius is proved: for the real-valued \
      function of the stored weights, no change of the input that is shorter, in the stated norm, \
      gives another class a larger or an equal output. Certified accuracy at a radius is the share \
      of samples with at least that radius; ties and wrong samples have none. It rests on a \
      Lipschitz bound of each difference of two outputs, and on margins computed in float64 less a \
      bound of their rounding. The rounding of float32 inference itself is not included.

      From the other side, projected gradient descent on the margin looks for changes within the \
      same open ball (the range of the data does not limit it), from the sample and from a random \
      place; what it does not turn is an upper estimate of the robust accuracy.

      Radii are in units of the model's input; beside them stands what they are at least in units \
      of the data file. Without an argument the newest complete run under runs/ is evaluated. The \
      result of a run also goes to its eval.json.

      Exit codes: 0 done; 1 the description has errors; 2 it could not be evaluated.
      """)

  @ArgumentParser.Argument(
    help: ArgumentHelp("A run directory, or a description.", valueName: "run|model.yaml"))
  var model: String?

  @Option(help: ArgumentHelp("Weights to evaluate.", valueName: "file.safetensors"))
  var weights: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Radii, as 0.5 or 36/255 (default: those of the targets and usual ones).", valueName: "r"))
  var radius: [Radius] = []

  @Option(help: "The norm (default: those of the targets and constraints, else l2).")
  var norm: BoundCommand.NormChoice?

  @Option(help: ArgumentHelp("Only the first so many test samples.", valueName: "n"))
  var samples: Int?

  @Option(help: ArgumentHelp("Steps of the attack; 0: no attack.", valueName: "n"))
  var attackSteps = 20

  @Option(help: "How to print the result.")
  var format = CheckCommand.Format.text

  @Option(help: "Whether to colour the output.")
  var color = ColorChoice.auto

  @OptionGroup var machine: MachineOptions

  /// A number > 0, or a fraction.
  struct Radius: ExpressibleByArgument {
    let value: Double
    init?(argument: String) {
      guard let number = Scalar(argument).double, number > 0, number.isFinite else { return nil }
      value = number
    }
  }

  func validate() throws {
    if let samples, samples < 1 {
      throw ValidationError("--samples takes a number from 1, not \(samples)")
    }
    guard (0...100_000).contains(attackSteps) else {
      throw ValidationError("--attack-steps takes a number from 0 to 100000, not \(attackSteps)")
    }
  }

  func run() throws {
    try Failure.reported(color: color) {
      let start = ContinuousClock.now
      let stored = try StoredModel(model, weights: weights, command: "eval")
      let options = EvaluationOptions(
        engine: machine.engine.engine, threads: machine.threads, norms: norm?.norms,
        radii: radius.map(\.value), samples: samples, attackSteps: attackSteps)
      let evaluation = try stored.evaluation(options)
      let elapsed = start.duration(to: .now).components
      let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
      let json = evaluation.json(version: LGC.version, weights: stored.weights, seconds: seconds)
      if let run = stored.run, weights == nil {
        do throws(FormatError) {
          try AtomicFile.write(Array((json.text + "\n").utf8), to: run.evaluation)
          // The report shows what was found.
          try Report.write(run)
        } catch {
          throw DiagnosticError(error)
        }
      }
      switch format {
      case .json: Console.write(json.text + "\n", to: STDOUT_FILENO)
      case .text:
        let text = EvaluationText(
          evaluation: evaluation, usesColor: color.usesColor(on: STDOUT_FILENO))
        Console.write(
          text.text + "\(stored.weights), \(fixed(seconds, 1)) s\n", to: STDOUT_FILENO)
      }
      return 0
    }
  }
}
