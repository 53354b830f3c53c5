import Diagnostics
import Model
import Rounding
import Tensors

/// A network with its stored weights as they are: what is saved is what is measured.
public final class DeployedNetwork {
  private let network: Network
  private let batch: Int
  private let executable: any Executable
  private let program: Program
  private let forward: BatchedProgram

  public init(
    _ network: Network, weights: [String: [Float]], engine: any Engine, threads: Int?, batch: Int
  ) throws(DiagnosticError) {
    self.network = network
    self.batch = batch
    let program = Lowering.forward(network: network, batch: batch, mode: .deployed)
    let executable = try DiagnosticError.translating {
      let executable = try engine.compile([program], options: EngineOptions(threads: threads))
      for name in executable.states.keys {
        if let values = weights[name] { try executable.writeState(name, values) }
      }
      return executable
    }
    self.executable = executable
    self.program = program
    forward = BatchedProgram(program, of: executable, batch: batch)
  }

  /// The engine's memory: weights, and what it works in.
  public var plannedBytes: Int { executable.plannedBytes }

  func kernels(runs: Int) throws(DiagnosticError) -> Double? {
    try executable.kernels(of: program, runs: runs)
  }

  /// The outputs of up to one batch of samples, one row after the other; until the next call.
  public func outputs(of x: [Float]) throws(DiagnosticError) -> UnsafeBufferPointer<Float> {
    try DiagnosticError.translating {
      try forward.write("x", x)
      try forward.run(count: x.count / network.inputShape.elementCount)
    }
    return forward["y"]
  }

  /// The outputs for every sample, held against its label.
  public func scores(
    of samples: Samples, _ scaling: InputScaling
  ) throws(DiagnosticError) -> Scores {
    let pipeline = BatchPipeline.evaluation(samples, scaling, batch: batch)
    var margins: [Double] = []
    margins.reserveCapacity(samples.count)
    do {
      while let count = try pipeline.withNext({ batch in
        try forward.write("x", batch.x)
        return batch.count
      }) {
        try forward.run(count: count)
        for row in 0..<count {
          let label = Int(samples.labels[margins.count])
          margins.append(Self.margin(forward["y", row], label: label))
        }
      }
    } catch {
      throw DiagnosticError(error)
    }
    return Scores(margins: margins)
  }

  /// y_label − max over the others of y_j; −∞ where an output is not a number, and just below zero
  /// where another class that stands earlier is equal (the first largest wins). One output is that
  /// of class 1 against 0, which wins a tie.
  private static func margin(_ y: UnsafeBufferPointer<Float>, label: Int) -> Double {
    let own = y.count == 1 ? (label == 1 ? y[0] : -y[0]) : y[label]
    var margin = Double.infinity
    for (index, other) in y.enumerated() where y.count == 1 || index != label {
      let difference = Double(own) - (y.count == 1 ? 0 : Double(other))
      if difference.isNaN { return -.infinity }
      let isLost = difference == 0 && (y.count == 1 ? label == 1 : index < label)
      margin = min(margin, isLost ? -Double.leastNonzeroMagnitude : difference)
    }
    return own.isNaN ? -.infinity : margin
  }
}

/// By how much each sample's own class leads, in the network's output units, by float32 inference.
public struct Scores: Sendable {
  public let margins: [Double]

  /// Whether a sample's first largest output is its label's.
  public var isRight: [Bool] { margins.map { $0 >= 0 } }

  public var accuracy: Double {
    Double(margins.count { $0 >= 0 }) / Double(max(margins.count, 1))
  }
}
