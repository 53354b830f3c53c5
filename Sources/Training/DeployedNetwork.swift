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
  /// where another class that stands earlier is equal (the first largest wins).
  private static func margin(_ y: UnsafeBufferPointer<Float>, label: Int) -> Double {
    let own = y[label]
    var margin = Double.infinity
    for (index, other) in y.enumerated() where index != label {
      let difference = Double(own) - Double(other)
      if difference.isNaN { return -.infinity }
      let isLost = difference == 0 && index < label
      margin = min(margin, isLost ? -Double.leastNonzeroMagnitude : difference)
    }
    return own.isNaN ? -.infinity : margin
  }
}

/// By how much each sample's own class leads, in the network's output units.
public struct Scores: Sendable {
  public let margins: [Double]

  /// The share of samples whose first largest output is their label's.
  public var accuracy: Double { share { $0 >= 0 } }

  /// The share of samples that no change of the input within `radius` turns.
  ///
  /// A change δ with ‖δ‖_p ≤ r moves y_i − y_j by at most c_p·L·r, where c_p is the dual norm of
  /// e_i − e_j: 1 for L1, √2 for L2, 2 for L∞. The margins are those of float32 inference.
  public func certifiedAccuracy(norm: Norm, radius: Double, bound: UpperBound) -> Double {
    guard bound.isFinite else { return 0 }
    let factor =
      switch norm {
      case .l1: UpperBound.one
      case .l2: UpperBound(proved: 2).squareRoot()
      case .linf: UpperBound(proved: 2)
      }
    let needed = factor * bound * UpperBound(proved: radius)
    return share { $0 > needed.value }
  }

  private func share(_ isCounted: (Double) -> Bool) -> Double {
    Double(margins.count(where: isCounted)) / Double(max(margins.count, 1))
  }
}
