import Diagnostics
import Formats
import Lipschitz
import Model
import Tensors

/// The generator of a finished run, with its stored weights as they are, and its critic.
public struct StoredGenerator {
  private let network: Network
  private let deployed: DeployedNetwork
  private let critic: DeployedNetwork
  private let criticNetwork: Network
  private let range: ClosedRange<Double>?
  private static let batch = 250

  public var sampleShape: Shape { network.outputShape }
  /// The classes that samples can be asked of; nil: there are none.
  public var classes: Int? { network.classes }

  /// - Parameter weights: the path of the run's weights, those of both networks.
  public init(
    _ experiment: Experiment, weights path: String, engine: any Engine, threads: Int?
  ) throws(DiagnosticError) {
    guard let network = experiment.networks.first(where: { $0.name == "generator" }),
      let critic = experiment.networks.first(where: { $0.name == "critic" })
    else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "the description has no generator",
          at: Span(file: experiment.file, start: 0, end: 0),
          help: "only runs of `models` make samples"))
    }
    let tensors = try DiagnosticError.translating { try SafeTensors.read(path) }
    func deployed(_ network: Network) throws(DiagnosticError) -> DeployedNetwork {
      let own = tensors.filter { $0.name.hasPrefix("\(network.name).") }
      let named = Dictionary(own.map { ($0.name, $0) }) { first, _ in first }
      _ = try NetworkWeights(network, tensors: named)
      return try DeployedNetwork(
        network, weights: named.mapValues(\.floats), engine: engine, threads: threads,
        batch: Self.batch)
    }
    self.network = network
    self.deployed = try deployed(network)
    self.critic = try deployed(critic)
    criticNetwork = critic
    range = experiment.data?.range
  }

  /// `count` samples one after the other; the seed decides them.
  ///
  /// - Parameter asked: the class of all of them; nil: sample i is of class i mod `classes`.
  public func samples(
    _ count: Int, seed: UInt64, asked: Int? = nil
  ) throws(DiagnosticError) -> [Float] {
    var noise = NoiseSource(network, seed: seed, asked: asked)
    let size = network.outputShape.elementCount
    var samples: [Float] = []
    while samples.count < count * size {
      let outputs = try deployed.outputs(of: noise.draw(Self.batch))
      samples += outputs.prefix(count * size - samples.count)
    }
    return samples
  }

  /// A PNG file: of points of the plane, over the critic's level lines; of images, a grid of all of
  /// them. nil of samples that are neither.
  public func picture(of samples: [Float], columns: Int?) throws(DiagnosticError) -> [UInt8]? {
    guard sampleShape == [2] else {
      return ImageGrid(
        samples, shape: sampleShape, count: samples.count, columns: columns, range: range)?.png
    }
    return try PlanePlot(generated: samples, real: []).png { (points) throws(DiagnosticError) in
      var scores: [Float] = []
      scores.reserveCapacity(points.count / 2)
      for start in stride(from: 0, to: points.count, by: 2 * Self.batch) {
        let end = min(start + 2 * Self.batch, points.count)
        scores += highest(try critic.outputs(of: Array(points[start..<end])), of: criticNetwork)
      }
      return scores
    }
  }
}
