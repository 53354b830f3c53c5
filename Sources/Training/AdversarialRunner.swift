import Diagnostics
import Model
import Tensors

/// The programs of a generator and a critic compiled, and their state: runs one step at a time.
public final class AdversarialRunner {
  public let setup: AdversarialSetup
  public let executable: any Executable
  /// Generator updates done.
  public private(set) var step = 0
  private let pipeline: BatchPipeline
  private let deployment: [Program]

  /// What one step reports, of the networks before each update: means over the critic's updates,
  /// and the generator's loss.
  public struct StepResult {
    public var criticLoss = 0.0
    public var gap = 0.0
    public var penalty: Double?
    public var generatorLoss = 0.0
  }

  public init(
    _ setup: AdversarialSetup, engine: any Engine, threads: Int?
  ) throws(DiagnosticError) {
    self.setup = setup
    let networks = [setup.generator, setup.critic]
    func named(_ program: Program, _ network: Network) -> Program {
      var program = program
      program.name += " \(network.name)"
      return program
    }
    let warmups = networks.compactMap { network in
      Lowering.constraintWarmup(network: network, iterations: 15).map { named($0, network) }
    }
    deployment = networks.map { named(Lowering.deployedWeights(network: $0), $0) }
    let programs = setup.programs.all + warmups + deployment.filter { !$0.outputs.isEmpty }
    executable = try DiagnosticError.translating {
      try engine.compile(programs, options: EngineOptions(threads: threads))
    }
    pipeline = setup.batches()
    try DiagnosticError.translating {
      for state in setup.programs.initial where executable.states[state.name] != nil {
        try executable.writeState(
          state.name,
          materialise(
            state.initializer, shape: state.shape, name: state.name, seed: setup.train.seed))
      }
      for (average, weight) in setup.programs.averages {
        try executable.writeState(average, try read(weight))
      }
      for warmup in warmups { try executable.run(warmup.name) }
    }
  }

  private func read(_ state: String) throws(EngineError) -> [Float] {
    try executable.readState(state, count: executable.states[state]!.elementCount)
  }

  /// The critic's updates and one of the generator.
  public func run() throws(DiagnosticError) -> StepResult {
    var result = StepResult()
    do {
      let section = setup.section
      let program = setup.programs.criticStep
      func output(_ name: String) throws(EngineError) -> Double {
        Double(try executable.readOutput(name, of: program.name, count: 1)[0])
      }
      let rate = section.criticOptimizer.learningRate(step: step, of: setup.totalSteps)
      try executable.writeInput("learning_rate", of: program.name, [Float(rate)])
      let share = 1 / Double(section.criticSteps)
      let hasPenalty = program.outputs.contains { $0.name == "penalty" }
      for _ in 0..<section.criticSteps {
        try writeReal(program)
        try executable.run(program.name)
        result.criticLoss += share * (try output("loss"))
        result.gap += share * (try output("gap"))
        if hasPenalty { result.penalty = (result.penalty ?? 0) + share * (try output("penalty")) }
      }
      let generating = setup.programs.generatorStep
      let own = section.generatorOptimizer.learningRate(step: step, of: setup.totalSteps)
      try executable.writeInput("learning_rate", of: generating.name, [Float(own)])
      if generating.inputs["real"] != nil { try writeReal(generating) }
      try executable.run(generating.name)
      result.generatorLoss = Double(
        try executable.readOutput("loss", of: generating.name, count: 1)[0])
      step += 1
    } catch {
      throw DiagnosticError(error)
    }
    return result
  }

  private func writeReal(_ program: Program) throws(EngineError) {
    var failure: EngineError?
    _ = pipeline.withNext { batch in
      do throws(EngineError) { try executable.writeInput("real", of: program.name, batch.x) }
      catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// `count` samples of the generator as it is, averaged where averages are kept; always from the
  /// same noise, so that what changes is the generator.
  public func samples(_ count: Int) throws(DiagnosticError) -> [Float] {
    let program = setup.programs.sample.name
    let atOnce = AdversarialSetup.samplesAtOnce
    let size = setup.generator.outputShape.elementCount
    var noise = NoiseSource(setup.generator, seed: setup.train.seed)
    var samples: [Float] = []
    samples.reserveCapacity(count * size)
    do {
      while samples.count < count * size {
        try executable.writeInput("noise", of: program, noise.draw(atOnce))
        try executable.run(program)
        let drawn = try executable.readOutput("samples", of: program, count: atOnce * size)
        samples += drawn.prefix(count * size - samples.count)
      }
    } catch {
      throw DiagnosticError(error)
    }
    return samples
  }

  /// The critic's scores of points of the plane, as it is.
  public func scores(of points: [Float]) throws(DiagnosticError) -> [Float] {
    guard let program = setup.programs.score else {
      preconditionFailure("lgc's own bug: only points of the plane are scored")
    }
    let forward = BatchedProgram(program, of: executable, batch: AdversarialSetup.samplesAtOnce)
    var scores: [Float] = []
    scores.reserveCapacity(points.count / 2)
    try DiagnosticError.translating {
      for start in stride(from: 0, to: points.count, by: 2 * forward.batch) {
        let rows = Array(points[start..<min(start + 2 * forward.batch, points.count)])
        try forward.write("samples", rows)
        try forward.run(count: rows.count / 2)
        scores += forward["scores"]
      }
    }
    return scores
  }

  /// The weights that each network uses, of the generator's averages where they are kept: W̄ where a
  /// constraint holds it.
  public func deployedWeights()
    throws(DiagnosticError) -> [[(name: String, shape: Shape, values: [Float])]]
  {
    do {
      for (average, weight) in setup.programs.averages {
        try executable.writeState(weight, try read(average))
      }
      return try zip([setup.generator, setup.critic], deployment).map { network, program in
        if !program.outputs.isEmpty { try executable.run(program.name) }
        let constrained = Set(program.outputs.map(\.name))
        return try network.nodes.flatMap { node in
          try node.weights.map { weight in
            let name = node.tensorName(weight.name)
            let values =
              constrained.contains(name)
              ? try executable.readOutput(
                name, of: program.name, count: weight.shape.elementCount)
              : try read(name)
            return (name, weight.shape, values)
          }
        }
      }
    } catch let error as EngineError {
      throw DiagnosticError(error)
    } catch {
      throw DiagnosticError(Diagnostic(.internalFault, "\(error)", at: nil))
    }
  }
}

/// A generator's input drawn on the host, the same from the same seed.
public struct NoiseSource {
  private let noise: Noise
  private let size: Int
  private var generator: PhiloxGenerator

  public init(_ network: Network, seed: UInt64) {
    noise = network.noise ?? .normal
    size = network.inputShape.elementCount
    generator = PhiloxGenerator(seed: seed, stream: "samples")
  }

  /// The noise of the next `count` samples.
  public mutating func draw(_ count: Int) -> [Float] {
    (0..<count * size).map { _ in
      switch noise {
      case .normal: Float(generator.normal())
      case .uniform: Float(2 * generator.uniform() - 1)
      }
    }
  }
}
