import Diagnostics
import Formats
import Model
import Tensors

/// Times the critic's step alone, on one batch of real and generated samples in memory.
///
/// The batch and the interpolation coefficients are given from outside, so that other programs can
/// compute the same numbers. A step's time is that of writing the inputs into the engine, running
/// the program and reading the loss.
public final class CriticMeasurement {
  private let executable: any Executable
  private let program: Program
  private let inputs: [(name: String, values: [Float])]

  /// - Parameters:
  ///   - weights: a safetensors file whose tensors replace the initial ones by name:
  ///     `critic.<layer>.<weight>`.
  ///   - inputs: a safetensors file with `real` and `fake` [batch, sample…] and, where the family
  ///     interpolates, `epsilon` [batch], where there are classes `labels` [batch]. nil: `real` and
  ///     `fake` are normal, `epsilon` is uniform on [0, 1), from `train.seed`, and the labels are
  ///     the first two classes in turn.
  public init(
    _ experiment: Experiment, engine: any Engine, threads: Int?, weights: String?, inputs: String?
  ) throws(DiagnosticError) {
    guard let section = experiment.adversarial, let train = experiment.train,
      experiment.networks.count == 2
    else {
      throw DiagnosticError(
        Diagnostic(
          .missingSection, "a critic step needs `models` and `loss`",
          at: Span(file: experiment.file, start: 0, end: 0)))
    }
    let critic = experiment.networks[1]
    let step = Lowering.criticStep(
      generator: experiment.networks[0], critic: critic, section, batch: train.batch,
      seed: train.seed, inputs: .given)
    let program = step.program
    self.program = program
    self.inputs = try Self.inputs(of: program, file: inputs, seed: train.seed)
      + [("learning_rate", [Float(section.criticOptimizer.optimizer.learningRate)])]
    var initial: [String: [Float]] = [:]
    if let weights {
      for tensor in try DiagnosticError.translating({ try SafeTensors.read(weights) }) {
        initial[tensor.name] = try tensor.state(of: step.initial, weights)
      }
    }
    let warmup = Lowering.constraintWarmup(network: critic, iterations: 15)
    do {
      executable = try engine.compile(
        [program] + [warmup].compactMap { $0 }, options: EngineOptions(threads: threads))
      for state in step.initial where executable.states[state.name] != nil {
        try executable.writeState(
          state.name,
          initial[state.name]
            ?? materialise(
              state.initializer, shape: state.shape, name: state.name, seed: train.seed))
      }
      if let warmup { try executable.run(warmup.name) }
    } catch {
      throw DiagnosticError(error)
    }
  }

  /// The milliseconds of the step's library kernels alone; nil if the engine does not tell.
  public func kernels(runs: Int) throws(DiagnosticError) -> Double? {
    try executable.kernels(of: program, runs: runs)
  }

  public func run(_ steps: Int) throws(DiagnosticError) -> StepTimes {
    var milliseconds: [Double] = []
    var losses: [Float] = []
    do {
      for _ in 0..<steps {
        let start = Clock.seconds
        for input in inputs {
          try executable.writeInput(input.name, of: program.name, input.values)
        }
        try executable.run(program.name)
        losses.append(try executable.readOutput("loss", of: program.name, count: 1)[0])
        milliseconds.append((Clock.seconds - start) * 1000)
      }
    } catch {
      throw DiagnosticError(error)
    }
    return StepTimes(
      milliseconds: milliseconds, losses: losses, plannedBytes: executable.plannedBytes)
  }

  private static func inputs(
    of program: Program, file: String?, seed: UInt64
  ) throws(DiagnosticError) -> [(name: String, values: [Float])] {
    let shapes = program.inputs.filter { $0.key != "learning_rate" }
    var given: [NamedTensor] = []
    if let file { given = try DiagnosticError.translating { try SafeTensors.read(file) } }
    var result: [(name: String, values: [Float])] = []
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard let file else {
        var generator = PhiloxGenerator(seed: seed, stream: "measured \(name)")
        result.append(
          (name, (0..<shape.elementCount).map { index in
            switch name {
            case "epsilon": Float(generator.uniform())
            case "labels": Float(index % 2)
            default: Float(generator.normal())
            }
          }))
        continue
      }
      guard let tensor = given.first(where: { $0.name == name }), tensor.shape == shape else {
        throw DiagnosticError(
          Diagnostic(
            .badWeights, "`\(file)`: the tensor `\(name)` of shape \(shape) is needed", at: nil))
      }
      result.append((name, tensor.floats))
    }
    return result
  }
}
