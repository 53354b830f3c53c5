import Diagnostics
import Model
import Tensors

/// A network with its stored weights as they are: what is saved is what is measured.
public final class DeployedNetwork {
  private let network: Network
  private let batch: Int
  private let executable: any Executable
  private let program: Program

  public init(
    _ network: Network, weights: [String: [Float]], engine: any Engine, threads: Int?, batch: Int
  ) throws(DiagnosticError) {
    self.network = network
    self.batch = batch
    let program = Lowering.forward(network: network, batch: batch, mode: .deployed)
    self.program = program
    executable = try DiagnosticError.translating {
      let executable = try engine.compile([program], options: EngineOptions(threads: threads))
      for name in executable.states.keys {
        if let values = weights[name] { try executable.writeState(name, values) }
      }
      return executable
    }
  }

  /// The share of samples whose first largest output is their label's.
  public func accuracy(_ samples: Samples, _ scaling: InputScaling) throws(DiagnosticError) -> Double
  {
    let outputs = network.outputShape.elementCount
    let pipeline = BatchPipeline.evaluation(samples, scaling, batch: batch)
    var correct = 0
    var start = 0
    do {
      while let count = try pipeline.withNext({ batch in
        try executable.writeInput("x", of: program.name, batch.x)
        return batch.count
      }) {
        try executable.run(program.name)
        let y = try executable.readOutput("y", of: program.name, count: batch * outputs)
        for row in 0..<count {
          let scores = y[row * outputs..<(row + 1) * outputs]
          let largest = scores.max()!
          let predicted = scores.firstIndex(of: largest).map { $0 - scores.startIndex }
          if predicted == Int(samples.labels[start + row]) { correct += 1 }
        }
        start += count
      }
    } catch {
      throw DiagnosticError(error)
    }
    return Double(correct) / Double(samples.count)
  }
}
