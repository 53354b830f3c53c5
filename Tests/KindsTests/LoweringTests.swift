import Losses
import Model
import Optimizers
import ReferenceEngine
import Tensors
import Testing

private let spectralNetwork = """
  lgc: 1
  name: example
  model:
    input: [2, 3]
    lipschitz: {norm: l2, bound: 0.5}
    constraint: {type: spectral}
    layers:
      - flatten
      - dense: {units: 8, activation: group_sort}
      - dropout: 0.5
      - dense: {units: 8, activation: relu, residual: convex}
      - dense: {name: logits, units: 3}
  """

private func programs(
  _ network: Network, batch: Int = 4, evaluationBatch: Int = 4, loss: (any SupervisedLoss)? = nil
) throws -> TrainingPrograms {
  Lowering.trainingPrograms(
    network: network, loss: loss ?? CrossEntropy(arguments(["temperature": 0.1])),
    optimizer: try Adam(arguments()), batch: batch, evaluationBatch: evaluationBatch, seed: 7)
}

/// Compiled for the reference engine, state written as training would.
private func executable(
  _ programs: TrainingPrograms, _ others: [Program] = []
) throws -> ReferenceExecutable {
  let executable = try ReferenceEngine().executable([programs.train, programs.evaluate] + others)
  for state in programs.initial {
    let values = materialise(state.initializer, shape: state.shape, name: state.name, seed: 7)
    try executable.writeState(state.name, values.map(Double.init))
  }
  return executable
}

@Suite struct LoweringTests {
  @Test func everyStateOfTheProgramsHasAStartAndNothingElseHas() throws {
    let network = try network(spectralNetwork)
    let programs = try programs(network)
    let names = programs.initial.map(\.name)
    #expect(Set(names).count == names.count)
    let used = programs.train.states.merging(programs.evaluate.states) { a, _ in a }
    #expect(Set(used.keys) == Set(names))
    for state in programs.initial { #expect(used[state.name] == state.shape, "\(state.name)") }
    #expect(names.contains("logits.weight.spectral.u"))
    #expect(names.contains("optimizer.m.logits.bias"))
    #expect(programs.parameters.first == "dense_1.weight")
    #expect(programs.parameters.count == 6)
  }

  @Test func inputsAndOutputsAreAsPromised() throws {
    let programs = try programs(try network(spectralNetwork), batch: 4, evaluationBatch: 6)
    #expect(programs.train.inputs == ["x": [4, 2, 3], "labels": [4], "learning_rate": []])
    #expect(programs.evaluate.inputs == ["x": [6, 2, 3], "labels": [6]])
    func outputs(_ program: Program) -> [String: Shape] {
      Dictionary(
        uniqueKeysWithValues: program.outputs.map { ($0.name, program.graph.shape($0.value)) })
    }
    #expect(outputs(programs.train) == ["loss": [], "correct": []])
    #expect(outputs(programs.evaluate) == ["loss": [6], "correct": [6]])
    #expect(programs.evaluate.updates.isEmpty)
  }

  @Test func trainingLowersTheLossAndCountsSteps() throws {
    let network = try network(spectralNetwork)
    let programs = try programs(network, batch: 8, evaluationBatch: 8)
    let executable = try executable(programs)
    let x = normals([8, 2, 3], seed: 1)
    let labels = (0..<8).map { Double($0 % 3) }
    func evaluate() throws -> Double {
      try executable.writeInput("x", of: "evaluate", x)
      try executable.writeInput("labels", of: "evaluate", labels)
      try executable.run("evaluate")
      return try (executable.readOutput("loss", of: "evaluate") as [Double]).reduce(0, +) / 8
    }
    let before = try evaluate()
    for _ in 0..<60 {
      try executable.writeInput("x", of: "train", x)
      try executable.writeInput("labels", of: "train", labels)
      try executable.writeInput("learning_rate", of: "train", [0.01])
      try executable.run("train")
    }
    #expect(try executable.readState("step") as [Double] == [60])
    let after = try evaluate()
    #expect(after < 0.8 * before, "\(before) to \(after)")
  }

  @Test func gradientOfAWholeStepIsTheDifferenceOfItsLoss() throws {
    let network = try network(spectralNetwork)
    let plain = Lowering.trainingPrograms(
      network: network, loss: CrossEntropy(arguments()), optimizer: try SGD(arguments()),
      batch: 4, evaluationBatch: 4, seed: 7)
    // Enough power iterations for u and v to be the singular vectors: there σ̂'s gradient with
    // constant vectors is the gradient of the norm, so differences of the loss agree with it.
    let warmup = try #require(Lowering.constraintWarmup(network: network, iterations: 100))
    let x = normals([4, 2, 3], seed: 1)
    func step(_ moved: (name: String, index: Int, by: Double)?, rate: Double) throws -> (
      loss: Double, state: (String) throws -> [Double]
    ) {
      let executable = try executable(plain, [warmup])
      if let moved {
        var values = try executable.readState(moved.name) as [Double]
        values[moved.index] += moved.by
        try executable.writeState(moved.name, values)
      }
      try executable.run("warmup")
      try executable.writeInput("x", of: "train", x)
      try executable.writeInput("labels", of: "train", [0, 1, 2, 0])
      try executable.writeInput("learning_rate", of: "train", [rate])
      try executable.run("train")
      let loss = try executable.readOutput("loss", of: "train") as [Double]
      return (loss[0], { try executable.readState($0) })
    }
    let still = try step(nil, rate: 0)
    let stepped = try step(nil, rate: 1)
    for name in plain.parameters {
      let (p, q) = (try still.state(name), try stepped.state(name))
      for index in [0, p.count / 2, p.count - 1] {
        let up = try step((name, index, 1e-5), rate: 0).loss
        let down = try step((name, index, -1e-5), rate: 0).loss
        #expect(abs((p[index] - q[index]) - (up - down) / 2e-5) < 1e-7, "\(name)[\(index)]")
      }
    }
  }

  @Test func deployedWeightsGiveTheNetworkThatWasEvaluated() throws {
    let network = try network(spectralNetwork)
    let trained = try programs(network)
    let deploy = Lowering.deployedWeights(network: network)
    let warmup = try #require(Lowering.constraintWarmup(network: network, iterations: 100))
    let held = Lowering.forward(network: network, batch: 4, mode: .evaluation)
    var stored = Lowering.forward(network: network, batch: 4, mode: .deployed)
    stored.name = "stored"
    let executable = try executable(trained, [deploy, warmup, held, stored])
    try executable.run("warmup")
    let x = normals([4, 2, 3], seed: 9)
    try executable.writeInput("x", of: "forward", x)
    try executable.run("forward")
    let expected = try executable.readOutput("y", of: "forward") as [Double]
    try executable.run("deploy")
    #expect(
      Set(deploy.outputs.map(\.name)) == ["dense_1.weight", "dense_2.weight", "logits.weight"])
    for output in deploy.outputs {
      let values = try executable.readOutput(output.name, of: "deploy") as [Double]
      let shape = deploy.graph.shape(output.value)
      #expect(abs(norm(values, shape) - 0.5) < 1e-9, "\(output.name)")
      try executable.writeState(output.name, values)
    }
    try executable.writeInput("x", of: "stored", x)
    try executable.run("stored")
    #expect(distance(try executable.readOutput("y", of: "stored"), expected) < 1e-12)
  }

  /// √ of the largest eigenvalue of WᵀW by power iteration.
  private func norm(_ w: [Double], _ shape: Shape) -> Double {
    var v = [Double](repeating: 1, count: shape[1])
    var sigma = 0.0
    for _ in 0..<2000 {
      let u = (0..<shape[0]).map { i in
        v.indices.reduce(0) { $0 + w[i * shape[1] + $1] * v[$1] }
      }
      v = v.indices.map { j in u.indices.reduce(0) { $0 + w[$1 * shape[1] + j] * u[$1] } }
      let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      v = v.map { $0 / length }
      sigma = length.squareRoot()
    }
    return sigma
  }

  @Test func networksWithoutConstraintsNeedNoWarmup() throws {
    let network = try network(layerDocument("dense: 3", input: [4]))
    #expect(Lowering.constraintWarmup(network: network, iterations: 15) == nil)
    #expect(Lowering.deployedWeights(network: network).outputs.isEmpty)
  }

  @Test func theFirstLargestOutputIsTheAnswer() throws {
    let network = try network(layerDocument("relu", input: [3]))
    let programs = try programs(network, batch: 1, evaluationBatch: 5)
    let executable = try executable(programs)
    try executable.writeInput(
      "x", of: "evaluate",
      [1, 2, 0, 5, 5, 1, 5, 5, 1, 0, 0, 0, .nan, 1, 2])
    try executable.writeInput("labels", of: "evaluate", [1, 0, 1, 0, 2])
    try executable.run("evaluate")
    #expect(try executable.readOutput("correct", of: "evaluate") == [1, 1, 0, 1, 0.0])
  }

  @Test func paddedSamplesGiveNumbers() throws {
    let programs = try programs(try network(spectralNetwork), evaluationBatch: 2)
    let executable = try executable(programs)
    try executable.writeInput("x", of: "evaluate", [Double](repeating: 0, count: 12))
    try executable.writeInput("labels", of: "evaluate", [-1, 1])
    try executable.run("evaluate")
    let loss = try executable.readOutput("loss", of: "evaluate") as [Double]
    #expect(loss.allSatisfy { $0.isFinite })
    #expect((try executable.readOutput("correct", of: "evaluate") as [Double])[0] == 0)
  }

  /// x·(k·W/σ)ᵀ is computed as (x·Wᵀ)·(k/σ): no dot has a scaled copy of a weight as operand.
  @Test func dotsReadTheStoredWeightAndNotAScaledCopy() throws {
    let graph = try programs(try network(spectralNetwork)).train.graph
    for node in graph.nodes {
      guard case .dot = node.op else { continue }
      for operand in node.operands {
        if case .binary(.multiply) = graph[operand].op {
          let scaled = graph[operand].operands.contains { factor in
            if case .state = graph[factor].op { true } else { false }
          }
          #expect(!scaled, "\(node.origin?.name ?? "")")
        }
      }
    }
  }
}

@Suite struct InitialisationTests {
  @Test func uniformNumbersFillTheirInterval() {
    let values = materialise(.uniform(bound: 0.25), shape: [100, 100], name: "a", seed: 1)
    #expect(values.allSatisfy { $0 >= -0.25 && $0 <= 0.25 })
    #expect(values.min()! < -0.2499 && values.max()! > 0.2499)
    let mean = values.reduce(0) { $0 + Double($1) } / 10_000
    #expect(abs(mean) < 5 * 0.25 / 3.0.squareRoot() / 100)
  }

  @Test func numbersDependOnSeedAndNameAlone() {
    let a = materialise(.normal(deviation: 1), shape: [50], name: "a", seed: 1)
    #expect(a == materialise(.normal(deviation: 1), shape: [50], name: "a", seed: 1))
    #expect(a != materialise(.normal(deviation: 1), shape: [50], name: "b", seed: 1))
    #expect(a != materialise(.normal(deviation: 1), shape: [50], name: "a", seed: 2))
    #expect(a == Array(materialise(.normal(deviation: 1), shape: [90], name: "a", seed: 1)[..<50]))
  }

  @Test func unitVectorsHaveLengthOne() {
    for count in [1, 2, 784] {
      let v = materialise(.unitVector, shape: [count], name: "v", seed: 3)
      #expect(abs(v.reduce(0) { $0 + Double($1) * Double($1) } - 1) < 1e-6)
    }
  }

  @Test func denseStartsAsPyTorchDoes() throws {
    let network = try network(layerDocument("dense: 4", input: [16]))
    #expect(network.nodes[0].weights.map(\.initializer) == [
      .uniform(bound: 0.25), .uniform(bound: 0.25),
    ])
  }
}
