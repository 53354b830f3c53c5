import Diagnostics
import Formats
import Model
import Tensors

/// Times the real training step: the batch, already in memory, written into the engine, the
/// program run, its loss read.
public final class StepMeasurement {
  private let runner: StepRunner

  /// - Parameter weights: a safetensors file whose tensors replace the initial ones by name; every
  ///   one must be a state of the training step.
  public init(
    _ setup: TrainingSetup, engine: any Engine, threads: Int?, memoryLimit: Int? = nil,
    weights: String?
  ) throws(DiagnosticError) {
    var initial: [String: [Float]] = [:]
    if let weights {
      let tensors = try DiagnosticError.translating { try SafeTensors.read(weights) }
      for tensor in tensors {
        initial[tensor.name] = try tensor.state(of: setup.programs.initial, weights)
      }
    }
    // The batches are made beforehand, as the peers' are: what is compared is the step.
    runner = try StepRunner(
      setup, engine: engine, threads: threads, steps: 0, memoryLimit: memoryLimit,
      initial: initial, prepared: true)
  }

  /// The milliseconds of the step's library kernels alone; nil if the engine does not tell.
  public func kernels(runs: Int) throws(DiagnosticError) -> Double? {
    try runner.executable.kernels(of: runner.setup.programs.train, runs: runs)
  }

  public func run(_ steps: Int) throws(DiagnosticError) -> StepTimes {
    var milliseconds: [Double] = []
    var losses: [Float] = []
    milliseconds.reserveCapacity(steps)
    losses.reserveCapacity(steps)
    let before = runner.executable.memoryUse
    for _ in 0..<steps {
      let start = Clock.seconds
      let result = try runner.run(total: runner.setup.totalSteps)
      milliseconds.append((Clock.seconds - start) * 1000)
      losses.append(result.loss)
    }
    let after = runner.executable.memoryUse
    let growth = before.flatMap { before in after.map { $0 - before } }
    return StepTimes(
      milliseconds: milliseconds, losses: losses, plannedBytes: runner.executable.plannedBytes,
      growth: growth)
  }
}

/// What a measurement found, step by step.
public struct StepTimes: Sendable {
  public let milliseconds: [Double]
  public let losses: [Float]
  /// The engine's memory.
  public let plannedBytes: Int
  /// By how much the engine's memory grew while the steps ran; nil if it does not count.
  public var growth: MemoryUse?
  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("milliseconds", .array(milliseconds.map(JSONValue.double))),
      ("losses", .array(losses.map { .double(Double($0)) })),
      ("planned_bytes", .int(plannedBytes)),
    ]
    if let growth {
      members += [("blocks", .int(growth.blocks)), ("heap_bytes", .int(growth.heapBytes))]
    }
    return .object(members)
  }
}

extension Executable {
  func kernels(of program: Program, runs: Int) throws(DiagnosticError) -> Double? {
    guard let executable = self as? any ProfilingExecutable else { return nil }
    do {
      return try executable.kernelMilliseconds(of: program.name, runs: runs)
    } catch {
      throw DiagnosticError(error)
    }
  }
}

extension NamedTensor {
  var floats: [Float] {
    switch values {
    case .float32(let values): values
    case .float64(let values): values.map(Float.init)
    }
  }

  /// Its values for the state of the same name, which must be one of `states`.
  func state(of states: [InitialState], _ path: String) throws(DiagnosticError) -> [Float] {
    guard let state = states.first(where: { $0.name == name }) else {
      throw DiagnosticError(
        Diagnostic(.badWeights, "`\(path)`: no state is called `\(name)`", at: nil))
    }
    guard state.shape == shape else {
      throw DiagnosticError(
        Diagnostic(
          .badWeights,
          "`\(path)`: tensor `\(name)` is \(shape), the network's is \(state.shape)", at: nil))
    }
    return floats
  }
}
