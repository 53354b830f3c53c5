import Diagnostics
import Model
import Tensors

/// The programs of a generator and a critic compiled, and their state: runs one step at a time.
public final class AdversarialRunner: SteppedRunner {
  public let setup: AdversarialSetup
  public let executable: any Executable
  /// Generator updates done.
  public private(set) var step: Int
  private let engine: any Engine
  private let threads: Int?
  private let pipeline: BatchPipeline
  private let deployment: [Program]

  /// What one step reports, of the networks before each update: means over the critic's updates,
  /// and the generator's loss.
  public struct StepResult: StepOutcome {
    public var criticLoss = 0.0
    public var gap = 0.0
    public var penalty: Double?
    public var generatorLoss = 0.0
    var losses: [Double] { [criticLoss, generatorLoss] }
  }
  typealias Sums = RunningAdversarialMetrics

  /// - Parameters:
  ///   - memoryLimit: bytes that state, working memory and batches may need together; nil for what
  ///     the machine can give. More is an error before any of it is allocated.
  ///   - checkpoint: where the run goes on; nil: at its beginning.
  public init(
    _ setup: AdversarialSetup, engine: any Engine, threads: Int?, memoryLimit: Int? = nil,
    from checkpoint: Checkpoint? = nil
  ) throws(DiagnosticError) {
    self.setup = setup
    self.engine = engine
    self.threads = threads
    step = checkpoint?.step ?? 0
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
      try engine.compile(
        programs,
        options: EngineOptions(
          threads: threads, memoryLimit: memoryLimit, otherBytes: setup.batchBytes))
    }
    pipeline = setup.batches(from: step)
    if let checkpoint {
      try checkpoint.restore(executable)
      return
    }
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
    let share = 1 / Double(setup.section.criticSteps)
    try forEachUpdate { (program, inputs) throws(DiagnosticError) in
      try DiagnosticError.translating {
        for (name, values) in inputs { try executable.writeInput(name, of: program.name, values) }
        try executable.run(program.name)
        func output(_ name: String) throws(EngineError) -> Double {
          Double(try executable.readOutput(name, of: program.name, count: 1)[0])
        }
        guard program.name == setup.programs.criticStep.name else {
          result.generatorLoss = try output("loss")
          return
        }
        result.criticLoss += share * (try output("loss"))
        result.gap += share * (try output("gap"))
        if program.outputs.contains(where: { $0.name == "penalty" }) {
          result.penalty = (result.penalty ?? 0) + share * (try output("penalty"))
        }
      }
      return true
    }
    step += 1
    return result
  }

  func runStep() throws(DiagnosticError) -> StepResult { try run() }

  func firstBroken() throws(DiagnosticError) -> BrokenValue? {
    var found: BrokenValue?
    try forEachUpdate { (program, inputs) throws(DiagnosticError) in
      var copies: [String: [Float]] = [:]
      for (name, values) in inputs { copies[name] = Array(values) }
      found = try BrokenValue(
        in: program, inputs: copies, stateOf: executable, engine: engine, threads: threads)
      if found != nil { return false }
      try DiagnosticError.translating {
        for (name, values) in inputs { try executable.writeInput(name, of: program.name, values) }
        try executable.run(program.name)
      }
      return true
    }
    return found
  }

  /// The programs of one step with their inputs, as often as they run; false from `body` ends them.
  private func forEachUpdate(
    _ body: (Program, [String: UnsafeBufferPointer<Float>]) throws(DiagnosticError) -> Bool
  ) throws(DiagnosticError) {
    let section = setup.section
    let critic = (setup.programs.criticStep, section.criticOptimizer)
    let updates =
      Array(repeating: critic, count: section.criticSteps)
      + [(setup.programs.generatorStep, section.generatorOptimizer)]
    for (program, optimizer) in updates {
      var rate = Float(optimizer.learningRate(step: step, of: setup.totalSteps))
      var goesOn: Bool? = true
      var failure: DiagnosticError?
      func run(_ inputs: [String: UnsafeBufferPointer<Float>]) {
        withUnsafePointer(to: &rate) { pointer in
          let all = inputs.merging(
            ["learning_rate": UnsafeBufferPointer(start: pointer, count: 1)]) { $1 }
          do throws(DiagnosticError) { goesOn = try body(program, all) } catch { failure = error }
        }
      }
      if program.inputs["real"] != nil || program.inputs["labels"] != nil {
        _ = pipeline.withNext { batch in
          run(["real": batch.x, "labels": batch.labels].filter { program.inputs[$0.key] != nil })
        }
      } else {
        run([:])
      }
      if let failure { throw failure }
      if goesOn == false { return }
    }
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

  /// The critic's scores of points of the plane, as it is; of several classes the highest.
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
        scores += highest(forward["scores"], of: setup.critic)
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

/// The highest of each sample's scores.
func highest(_ scores: UnsafeBufferPointer<Float>, of critic: Network) -> [Float] {
  let count = critic.outputShape.elementCount
  if count == 1 { return Array(scores) }
  return stride(from: 0, to: scores.count, by: count).map { start in
    scores[start..<start + count].max() ?? .nan
  }
}

/// A generator's input drawn on the host, the same from the same seed. The noise does not depend on
/// the class asked for.
public struct NoiseSource {
  private let noise: Noise
  private let size: Int
  private let classes: Int
  private let planeSize: Int
  private let asked: Int?
  private var generator: PhiloxGenerator
  private var drawn = 0

  /// - Parameter asked: the class of all samples; nil: one after the other, 0, 1, … and 0 again.
  public init(_ network: Network, seed: UInt64, asked: Int? = nil) {
    noise = network.noise ?? .normal
    size = network.noiseShape.elementCount
    classes = network.classes ?? 0
    planeSize = network.noiseShape.dropFirst().reduce(1, *)
    self.asked = asked
    generator = PhiloxGenerator(seed: seed, stream: "samples")
  }

  /// What the network reads for the next `count` samples: noise, then the planes of the class.
  public mutating func draw(_ count: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(count * (size + classes * planeSize))
    for _ in 0..<count {
      for _ in 0..<size {
        switch noise {
        case .normal: values.append(Float(generator.normal()))
        case .uniform: values.append(Float(2 * generator.uniform() - 1))
        }
      }
      for plane in 0..<classes {
        let value: Float = plane == asked ?? drawn % classes ? 1 : 0
        values += repeatElement(value, count: planeSize)
      }
      drawn += 1
    }
    return values
  }
}
