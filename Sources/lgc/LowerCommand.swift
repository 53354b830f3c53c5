import ArgumentParser
import CPUEngine
import Diagnostics
import Glibc
import Lipschitz
import Model
import Tensors
import Training

struct LowerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lower",
    abstract: "Prints what a stage makes of a description.",
    discussion: """
      shapes: the layers with their shapes and parameters. bounds: with the bounds that the \
      declared constraints give. graph: the forward pass of training as primitives. gradient: one \
      whole training step, forward, backward and update. plan: what the CPU engine runs for it.

      gradient and plan need the sections loss, optimizer and train; no stage needs data.
      """)

  enum Stage: String, CaseIterable, ExpressibleByArgument {
    case shapes, bounds, graph, gradient, plan
  }

  @OptionGroup var source: ExperimentOptions

  @Option(help: "The last stage.")
  var stopAfter = Stage.gradient

  @Option(help: "Threads that the plan is for (default: as many as the process may use).")
  var threads: Int?

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, _) = try source.load()
      let texts = try experiment.networks.map { try text(of: $0, in: experiment) }
      Console.write(texts.joined(separator: "\n"), to: STDOUT_FILENO)
      return 0
    }
  }

  private func text(of network: Network, in experiment: Experiment) throws -> String {
    let batch = experiment.train?.batch ?? 1
    switch stopAfter {
    case .shapes: return shapes(of: network)
    case .bounds: return bounds(of: network, in: experiment)
    case .graph:
      let seed = experiment.train?.seed ?? 0
      return ended(
        Lowering.forward(network: network, batch: batch, mode: .training, seed: seed).text)
    case .gradient: return ended(try step(of: network, in: experiment).text)
    case .plan:
      let program = try step(of: network, in: experiment)
      do {
        let planned = try CPUEngine().plan([program], options: EngineOptions(threads: threads))
        return ended(try planned.text(of: program.name))
      } catch {
        throw DiagnosticError(error)
      }
    }
  }

  private func step(of network: Network, in experiment: Experiment) throws -> Program {
    if let section = experiment.adversarial, let train = experiment.train {
      let (generator, critic) = (experiment.networks[0], experiment.networks[1])
      return network.name == critic.name
        ? Lowering.criticStep(
          generator: generator, critic: critic, section, batch: train.batch, seed: train.seed,
          inputs: .drawn
        ).program
        : Lowering.generatorStep(
          generator: generator, critic: critic, section, batch: train.batch, seed: train.seed
        ).program
    }
    guard let loss = experiment.loss, let optimizer = experiment.optimizer,
      let train = experiment.train
    else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "a training step needs the sections `loss`, `optimizer` and `train`",
          at: Span(file: experiment.file, start: 0, end: 0)))
    }
    return Lowering.trainingPrograms(
      network: network, loss: loss.loss, optimizer: optimizer.optimizer,
      clipping: optimizer.clipping, batch: train.batch, evaluationBatch: train.batch,
      seed: train.seed
    ).train
  }

  private func shapes(of network: Network) -> String {
    var rows = [["layer", "kind", "output", "parameters"]]
    rows.append(["input", "", network.inputShape.shapeText, ""])
    rows += network.nodes.map {
      [$0.name, $0.kind, $0.outputShape.shapeText, String($0.parameterCount)]
    }
    return aligned(rows, rightAligned: [3]).joined(separator: "\n") + "\n"
  }

  private func bounds(of network: Network, in experiment: Experiment) -> String {
    let analysis = analyse(experiment)
    guard let found = analysis.networks.first(where: { $0.network.name == network.name }) else {
      return ""
    }
    let norms = found.total.keys.sorted { $0.rawValue < $1.rawValue }
    var rows = [["layer"] + norms.map(\.rawValue) + ["held by"]]
    rows += found.layers.map { layer in
      [layer.name] + norms.map { layer.bounds[$0]?.text(significant: 6) ?? "" } + [layer.heldBy]
    }
    rows.append(["network"] + norms.map { found.total[$0]?.text(significant: 6) ?? "" } + [""])
    return aligned(rows, rightAligned: Set(norms.indices.map { $0 + 1 })).joined(separator: "\n")
      + "\n"
  }

  private func ended(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}
