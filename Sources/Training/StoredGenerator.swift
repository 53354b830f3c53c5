import Diagnostics
import Formats
import Lipschitz
import Model
import Tensors

/// The generator of a finished run, with its stored weights as they are.
public struct StoredGenerator {
  private let network: Network
  private let deployed: DeployedNetwork
  private static let batch = 250

  public var sampleShape: Shape { network.outputShape }

  /// - Parameter weights: the path of the run's weights, those of both networks.
  public init(
    _ experiment: Experiment, weights path: String, engine: any Engine, threads: Int?
  ) throws(DiagnosticError) {
    guard let network = experiment.networks.first(where: { $0.name == "generator" }) else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "the description has no generator",
          at: Span(file: experiment.file, start: 0, end: 0),
          help: "only runs of `models` make samples"))
    }
    let tensors = try DiagnosticError.translating { try SafeTensors.read(path) }
      .filter { $0.name.hasPrefix("\(network.name).") }
    let named = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    _ = try NetworkWeights(network, tensors: named)
    self.network = network
    deployed = try DeployedNetwork(
      network, weights: named.mapValues(\.floats), engine: engine, threads: threads,
      batch: Self.batch)
  }

  /// `count` samples one after the other; the seed decides them.
  public func samples(_ count: Int, seed: UInt64) throws(DiagnosticError) -> [Float] {
    var noise = NoiseSource(network, seed: seed)
    let size = network.outputShape.elementCount
    var samples: [Float] = []
    while samples.count < count * size {
      let outputs = try deployed.outputs(of: noise.draw(Self.batch))
      samples += outputs.prefix(count * size - samples.count)
    }
    return samples
  }
}
