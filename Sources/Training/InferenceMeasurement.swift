import Diagnostics
import Formats
import Model
import Tensors

/// Times inference: a batch, already in memory, written into the engine, the network run on its
/// stored weights, its outputs read.
public final class InferenceMeasurement {
  private let network: DeployedNetwork
  private let batches: [[Float]]
  private var next = 0

  public struct Times: Sendable {
    public let milliseconds: [Double]
    /// Of all outputs of each run.
    public let sums: [Double]
    /// The engine's memory.
    public let plannedBytes: Int
    public var json: JSONValue {
      .object([
        ("milliseconds", .array(milliseconds.map(JSONValue.double))),
        ("sums", .array(sums.map(JSONValue.double))), ("planned_bytes", .int(plannedBytes)),
      ])
    }
  }

  /// Batches held in memory.
  private static let mostBatches = 100

  /// - Parameter weights: a safetensors file; tensors that it lacks start as in training.
  public init(
    _ setup: TrainingSetup, engine: any Engine, threads: Int?, weights: String?, batch: Int
  ) throws(DiagnosticError) {
    guard setup.data.train.count >= batch else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape, "\(setup.data.train.count) samples do not fill a batch of \(batch)",
          at: nil))
    }
    var values: [String: [Float]] = [:]
    for state in setup.programs.initial {
      values[state.name] = materialise(
        state.initializer, shape: state.shape, name: state.name, seed: setup.train.seed)
    }
    if let weights {
      for tensor in try DiagnosticError.translating({ try SafeTensors.read(weights) }) {
        values[tensor.name] =
          switch tensor.values {
          case .float32(let values): values
          case .float64(let values): values.map(Float.init)
          }
      }
    }
    network = try DeployedNetwork(
      setup.network, weights: values, engine: engine, threads: threads, batch: batch)
    let pipeline = BatchPipeline.evaluation(setup.data.train, setup.scaling, batch: batch)
    var batches: [[Float]] = []
    let whole = min(setup.data.train.count / batch, Self.mostBatches)
    while batches.count < whole, let next = pipeline.withNext({ Array($0.x) }) {
      batches.append(next)
    }
    self.batches = batches
  }

  /// What the products and convolutions of a batch take alone, in milliseconds.
  public func kernels(runs: Int) throws(DiagnosticError) -> Double? {
    try network.kernels(runs: runs)
  }

  public func run(_ runs: Int) throws(DiagnosticError) -> Times {
    var milliseconds: [Double] = []
    var sums: [Double] = []
    for _ in 0..<runs {
      let start = Clock.seconds
      let y = try network.outputs(of: batches[next % batches.count])
      milliseconds.append((Clock.seconds - start) * 1000)
      sums.append(y.reduce(0) { $0 + Double($1) })
      next += 1
    }
    return Times(
      milliseconds: milliseconds, sums: sums, plannedBytes: network.plannedBytes)
  }
}
