import Diagnostics
import Model
import Tensors

/// The training programs compiled and their state: runs one step at a time.
public final class StepRunner: SteppedRunner {
  public let setup: TrainingSetup
  public let executable: any Executable
  /// Steps done.
  public private(set) var step: Int
  private let engine: any Engine
  private let threads: Int?
  private let pipeline: BatchPipeline
  /// One epoch's batches, where they were asked for in advance; used over and over.
  private var prepared: [(x: [Float], labels: [Float])] = []

  /// What one step reports, of the network before its update.
  public struct StepResult: StepOutcome {
    /// The batch's mean, without regularisers.
    public let loss: Float
    /// How many samples were right; nil where samples have no classes.
    public let correct: Float?
    /// The regularisers' sum; nil without any.
    public let penalty: Float?
    var losses: [Double] { [loss, penalty].compactMap { $0.map(Double.init) } }
  }
  typealias Sums = RunningMetrics

  /// Compiles, and starts every state as declared, or as `initial` says for the tensors it names;
  /// then draws the constraints' vectors near.
  ///
  /// - Parameter steps: how many steps batches are prepared for.
  /// - Parameter memoryLimit: bytes that state, working memory and batches may need together; nil
  ///   for what the machine can give. More is an error before any of it is allocated.
  /// - Parameter checkpoint: where the run goes on; nil: at its beginning.
  /// - Parameter prepared: whether one epoch's batches are made before the first step and kept, for
  ///   the comparison with programs that find their batches in memory.
  public init(
    _ setup: TrainingSetup, engine: any Engine, threads: Int?, steps: Int,
    memoryLimit: Int? = nil, initial: [String: [Float]] = [:],
    from checkpoint: Checkpoint? = nil, prepared isPrepared: Bool = false
  ) throws(DiagnosticError) {
    self.setup = setup
    self.engine = engine
    self.threads = threads
    step = checkpoint?.step ?? 0
    let warmup = Lowering.constraintWarmup(network: setup.network, iterations: 15)
    let programs =
      [setup.programs.train, setup.programs.evaluate]
      + [warmup, Lowering.deployedWeights(network: setup.network)].compactMap { $0 }
      .filter { !$0.outputs.isEmpty || !$0.updates.isEmpty }
    executable = try DiagnosticError.translating {
      try engine.compile(
        programs,
        options: EngineOptions(
          threads: threads, memoryLimit: memoryLimit,
          otherBytes: setup.batchBytes(prepared: isPrepared)))
    }
    pipeline = setup.batches(
      from: checkpoint?.step ?? 0, total: isPrepared ? setup.stepsPerEpoch : steps)
    if isPrepared {
      while let batch = pipeline.withNext({ (x: Array($0.x), labels: Array($0.labels)) }) {
        prepared.append(batch)
      }
    }
    if let checkpoint {
      try checkpoint.restore(executable)
      return
    }
    try DiagnosticError.translating {
      for state in setup.programs.initial where executable.states[state.name] != nil {
        let values =
          initial[state.name]
          ?? materialise(
            state.initializer, shape: state.shape, name: state.name, seed: setup.train.seed)
        try executable.writeState(state.name, values)
      }
      if let warmup { try executable.run(warmup.name) }
    }
  }

  /// Runs the next step at its learning rate of the schedule over `total` steps.
  public func run(total: Int) throws(DiagnosticError) -> StepResult {
    do {
      let program = setup.programs.train.name
      if prepared.isEmpty {
        try pipeline.withNext { batch in
          try executable.writeInput("x", of: program, batch.x)
          try executable.writeInput("labels", of: program, batch.labels)
        }
      } else {
        let batch = prepared[step % prepared.count]
        try executable.writeInput("x", of: program, batch.x)
        try executable.writeInput("labels", of: program, batch.labels)
      }
      let rate = Float(setup.optimizer.learningRate(step: step, of: total))
      try executable.writeInput("learning_rate", of: program, [rate])
      try executable.run(program)
      step += 1
      let named = setup.programs.train.outputs.map(\.name)
      func scalar(_ name: String) throws(EngineError) -> Float? {
        named.contains(name) ? try executable.readOutput(name, of: program, count: 1)[0] : nil
      }
      return StepResult(
        loss: try scalar("loss")!, correct: try scalar("correct"),
        penalty: try scalar("penalty"))
    } catch {
      throw DiagnosticError(error)
    }
  }

  func runStep() throws(DiagnosticError) -> StepResult { try run(total: setup.totalSteps) }

  func firstBroken() throws(DiagnosticError) -> BrokenValue? {
    let rate = setup.optimizer.learningRate(step: step, of: setup.totalSteps)
    let inputs = pipeline.withNext { batch in
      ["x": Array(batch.x), "labels": Array(batch.labels), "learning_rate": [Float(rate)]]
    }
    return try BrokenValue(
      in: setup.programs.train, inputs: inputs ?? [:], stateOf: executable, engine: engine,
      threads: threads)
  }

  /// Mean loss and, of samples with classes, accuracy of the network in training (constraints
  /// applied) over a split.
  public func evaluate(
    _ samples: Samples
  ) throws(DiagnosticError) -> (loss: Double, accuracy: Double?) {
    let program = BatchedProgram(
      setup.programs.evaluate, of: executable, batch: setup.evaluationBatch)
    let pipeline = BatchPipeline.evaluation(samples, setup.scaling, batch: program.batch)
    var loss = 0.0
    var correct = 0.0
    let hasClasses = samples.labelKind == .classes
    do {
      while let count = try pipeline.withNext({ batch in
        try program.write("x", batch.x)
        try program.write("labels", batch.labels)
        return batch.count
      }) {
        try program.run(count: count)
        loss += program["loss"].reduce(0) { $0 + Double($1) }
        if hasClasses { correct += program["correct"].reduce(0) { $0 + Double($1) } }
      }
    } catch {
      throw DiagnosticError(error)
    }
    let count = Double(samples.count)
    return (loss / count, hasClasses ? correct / count : nil)
  }

  /// Every weight as the network uses it, W̄ where a constraint holds it, in network order.
  public func deployedWeights()
    throws(DiagnosticError) -> [(name: String, shape: Shape, values: [Float])]
  {
    try DiagnosticError.translating {
      let program = Lowering.deployedWeights(network: setup.network)
      if !program.outputs.isEmpty { try executable.run(program.name) }
      let constrained = Set(program.outputs.map(\.name))
      return try setup.network.nodes.flatMap { node in
        try node.weights.map { weight in
          let name = node.tensorName(weight.name)
          let count = weight.shape.elementCount
          let values =
            constrained.contains(name)
            ? try executable.readOutput(name, of: program.name, count: count)
            : try executable.readState(name, count: count)
          return (name, weight.shape, values)
        }
      }
    }
  }
}
