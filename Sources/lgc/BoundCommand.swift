import ArgumentParser
import CPUEngine
import Diagnostics
import Formats
import Glibc
import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Tensors
import Training

struct BoundCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bound",
    abstract: "Proves a Lipschitz bound of a network with its stored weights.",
    discussion: """
      Proved is that the real-valued function f that the stored weights define at inference \
      satisfies ‖f(a) − f(b)‖ ≤ L·‖a − b‖ for all a and b, in the stated norm, per unit of model \
      input. All arithmetic that enters L is rounded outward or carries a proved error bound. The \
      rounding of floating-point inference itself is not included.

      Beside it stands the steepest slope that a search has found between two inputs. It occurs, \
      so no bound can be smaller; the quotient estimates how tight the bound is.

      The weights are those of a run directory (without an argument the newest complete run under \
      runs/), or of --weights, which may come from elsewhere: tensors are named <layer>.weight and \
      <layer>.bias, as in a PyTorch state dict.

      Exit codes: 0 proved; 1 the description has errors, or a lipschitz target is not met; 2 the \
      weights cannot be used or a file cannot be read.
      """)

  enum NormChoice: String, CaseIterable, ExpressibleByArgument {
    case l1, l2, linf, all

    var norms: [Norm] {
      switch self {
      case .l1: [.l1]
      case .l2: [.l2]
      case .linf: [.linf]
      case .all: Norm.allCases
      }
    }
  }

  @ArgumentParser.Argument(
    help: ArgumentHelp("A description, or a run directory.", valueName: "model.yaml|run"))
  var model: String?

  @Option(help: ArgumentHelp("Weights to prove it of.", valueName: "file.safetensors"))
  var weights: String?

  @Option(help: "The norm (default: those of the targets and constraints, else l2).")
  var norm: NormChoice?

  @Option(
    name: .customLong("of"), help: ArgumentHelp("Which network, by name.", valueName: "name"))
  var networkName: String?

  @Option(
    help: ArgumentHelp("Where to write a certificate of what is proved.", valueName: "file"))
  var certificate: String?

  @Option(
    help: ArgumentHelp("Where to write the two inputs of the steepest slope.", valueName: "file"))
  var witness: String?

  @Flag(help: "Looks for a steep slope around the description's data too.")
  var data = false

  @Flag(help: "Proves only; does not look for a steep slope.")
  var noSearch = false

  @Option(help: "How to print the result.")
  var format = CheckCommand.Format.text

  @Option(help: "Whether to colour the output.")
  var color = ColorChoice.auto

  func run() throws {
    try Failure.reported(color: color) {
      let start = ContinuousClock.now
      let source = try StoredModel(model, weights: weights, command: "bound")
      let experiment = source.experiment
      let network = try pick(experiment)
      let stored = try NetworkWeights(network, tensors: try source.tensors(of: network))
      let reports = try certifiedBound(stored, norms: norms(experiment, network))
      if let certificate {
        try write(Certificate(stored, reports: reports).text, to: certificate)
      }
      let starts = data ? try samples(source, network) : []
      let slopes = try reports.map { try slope($0, stored, starts) }
      if let witness { try write(zip(reports, slopes.map(\.witness)), network, to: witness) }
      let findings = zip(reports, slopes).map { report, slope in
        BoundFinding(
          report: report, slope: slope.value,
          unitFactor: experiment.data?.unitFactor,
          targets: experiment.targets.compactMap { BoundFinding.Verdict($0, report) })
      }
      let elapsed = start.duration(to: .now).components
      let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
      switch format {
      case .json:
        let values = findings.map { $0.json(seconds: seconds) }
        let value = values.count == 1 ? values[0] : .array(values)
        Console.write(value.text + "\n", to: STDOUT_FILENO)
      case .text:
        let name = experiment.name
        let title = network.name == "model" ? name : "\(name), \(network.name)"
        let text = findings.map { $0.text(title: title, color.usesColor(on: STDOUT_FILENO)) }
        Console.write(
          text.joined(separator: "\n") + "\n\(source.weights), \(time(seconds))\n", to: STDOUT_FILENO)
      }
      let unmet = findings.flatMap { $0.targets.compactMap(\.diagnostic) }
      Failure.report(unmet, color: color)
      return unmet.isEmpty ? 0 : 1
    }
  }

  private func pick(_ experiment: Experiment) throws -> Network {
    guard let networkName else {
      guard experiment.networks.count == 1 else {
        throw DiagnosticError(.severalNetworks(experiment.networks.map(\.name)))
      }
      return experiment.networks[0]
    }
    guard let network = experiment.networks.first(where: { $0.name == networkName }) else {
      throw DiagnosticError(.noNetwork(networkName, experiment.networks.map(\.name)))
    }
    return network
  }

  private func write(_ text: String, to path: String) throws {
    do throws(FormatError) {
      try AtomicFile.write(Array(text.utf8), to: path)
    } catch {
      throw DiagnosticError(error)
    }
  }

  private func norms(_ experiment: Experiment, _ network: Network) -> [Norm] {
    if let norm { return norm.norms }
    let norms = experiment.claimedNorms(of: network)
    return Norm.allCases.filter(norms.contains)
  }

  /// The steepest slope found; of a single layer its own lower bound, which is one, unless the two
  /// inputs are asked for.
  private func slope(
    _ report: BoundReport, _ weights: NetworkWeights, _ starts: [[Float]]
  ) throws -> (value: LowerBound?, witness: Slope?) {
    if weights.network.nodes.count == 1, witness == nil, let lower = report.layers[0].bound.lower {
      return (lower, nil)
    }
    if noSearch { return (nil, nil) }
    do throws(EngineError) {
      let slope = try steepestSlope(
        weights, norm: report.norm, search: CPUEngine(), exact: ReferenceEngine(), data: starts)
      return (slope?.value, slope)
    } catch {
      throw DiagnosticError(
        Diagnostic(.internalFault, "the search for a slope failed: \(error)", at: nil))
    }
  }

  /// The first of the description's training samples, as the model reads them.
  private func samples(_ source: StoredModel, _ network: Network) throws -> [[Float]] {
    guard var section = source.experiment.data else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "`--data` needs a description with data", at: nil,
          help: "add `data:`, or leave the flag out"))
    }
    let train = try section.dataset.load(
      section.arguments, directory: source.directory, seed: 0
    ).train
    section = try section.measured(on: train)
    guard train.shape.reduce(1, *) == network.inputShape.reduce(1, *) else { return [] }
    return try InputScaling(section, samples: train).scaled(train, at: 0..<min(256, train.count))
  }

  /// The pairs as tensors `<norm>.a` and `<norm>.b`.
  private func write(
    _ slopes: some Sequence<(BoundReport, Slope?)>, _ network: Network, to path: String
  ) throws {
    var tensors: [NamedTensor] = []
    for case (let report, let slope?) in slopes {
      for (name, values) in [("a", slope.a), ("b", slope.b)] {
        tensors.append(
          NamedTensor(
            name: "\(report.norm.rawValue).\(name)", shape: network.inputShape,
            values: .float32(values)))
      }
    }
    do throws(FormatError) {
      try SafeTensors.write(tensors, metadata: [:], to: path)
    } catch {
      throw DiagnosticError(error)
    }
  }

  private func time(_ seconds: Double) -> String {
    if seconds < 1 { return "\(Int((seconds * 1000).rounded())) ms" }
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
  }
}

// MARK: messages

extension Diagnostic {
  fileprivate static func severalNetworks(_ names: [String]) -> Diagnostic {
    Diagnostic(
      .missingKey, "the description has several networks: \(names.joined(separator: ", "))",
      at: nil, help: "choose one with --of NAME")
  }

  fileprivate static func noNetwork(_ name: String, _ names: [String]) -> Diagnostic {
    Diagnostic(
      .unknownName, "there is no network `\(name)`", at: nil,
      help: "the description has \(names.joined(separator: ", "))")
  }
}
