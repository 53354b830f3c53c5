import CPUEngine
import Diagnostics
import Losses
import Model
import Optimizers
import ReferenceEngine
import Tensors
import Testing

private func experiment(
  critic: String = "{input: [3], layers: [{dense: {units: 5, activation: tanh}}, {dense: 1}]}",
  generator: String = "{input: {shape: [2]}, layers: [{dense: {units: 4, activation: relu}}, "
    + "{dense: 3}]}",
  loss: String = "wgan_gp", train: String = "{batch: 6}"
) throws -> Experiment {
  try KindsTests.experiment(
    """
    lgc: 1
    name: example
    models:
      generator: \(generator)
      critic: \(critic)
    loss: \(loss)
    optimizer: {type: adam, lr: 0.01, betas: [0, 0.9]}
    train: \(train)
    """)
}

extension Experiment {
  fileprivate var programs: AdversarialPrograms {
    Lowering.adversarialPrograms(
      generator: networks[0], critic: networks[1], adversarial!, batch: train!.batch, samples: 4,
      seed: train!.seed)
  }
}

private func executable(_ programs: AdversarialPrograms) throws -> ReferenceExecutable {
  let executable = try ReferenceEngine().executable(programs.all)
  for state in programs.initial where executable.states[state.name] != nil {
    let values = materialise(state.initializer, shape: state.shape, name: state.name, seed: 7)
    try executable.writeState(state.name, values.map(Double.init))
  }
  for average in programs.averages {
    try executable.writeState(average.average, try executable.readState(average.weight))
  }
  return executable
}

private let spectralCritic = """
  {input: [3], lipschitz: 1.0, constraint: {type: spectral}, \
  layers: [{dense: {units: 6, activation: group_sort}}, {dense: 1}]}
  """

@Suite struct AdversarialLoweringTests {
  @Test func everyStateHasAStartAndIsNamedAfterItsNetwork() throws {
    let programs = try experiment(critic: spectralCritic, loss: "wgan").programs
    let names = programs.initial.map(\.name)
    #expect(Set(names).count == names.count)
    var used: [String: Shape] = [:]
    for program in programs.all { used.merge(program.states) { a, _ in a } }
    #expect(Set(used.keys).isSubset(of: names))
    for state in programs.initial where used[state.name] != nil {
      #expect(used[state.name] == state.shape, "\(state.name)")
    }
    #expect(names.allSatisfy { $0.hasPrefix("critic.") || $0.hasPrefix("generator.") })
    #expect(names.contains("critic.dense_1.weight.spectral.u"))
    #expect(names.contains("generator.optimizer.v.generator.dense_2.bias"))
  }

  @Test func inputsAndOutputsAreAsPromised() throws {
    let experiment = try experiment()
    let programs = experiment.programs
    #expect(programs.criticStep.inputs == ["real": [6, 3], "learning_rate": []])
    #expect(programs.criticStep.outputs.map(\.name) == ["loss", "gap", "penalty"])
    #expect(programs.generatorStep.inputs == ["learning_rate": []])
    #expect(programs.sample.inputs == ["noise": [4, 2]])
    let given = Lowering.criticStep(
      generator: experiment.networks[0], critic: experiment.networks[1], experiment.adversarial!,
      batch: 6, seed: 0, inputs: .given
    ).program
    #expect(
      given.inputs == ["real": [6, 3], "fake": [6, 3], "epsilon": [6], "learning_rate": []])
  }

  @Test(arguments: ["wgan", "wgan_gp"])
  func eachStepUpdatesItsNetworkAloneAndAdvancesItsConstraintsOnce(_ loss: String) throws {
    let programs = try experiment(
      critic: spectralCritic,
      generator: "{input: {shape: [2]}, lipschitz: 2, constraint: spectral, layers: [{dense: 3}]}",
      loss: loss
    ).programs
    for (program, own) in [
      (programs.criticStep, "critic."), (programs.generatorStep, "generator."),
    ] {
      let updated = program.updates.map(\.state)
      #expect(updated.allSatisfy { $0.hasPrefix(own) }, "\(updated)")
      #expect(updated.contains("\(own)dense_1.weight.spectral.u"))
      #expect(updated.contains("\(own)dense_1.weight"))
      #expect(updated.contains("\(own)step"))
    }
  }

  /// The step's change of every weight under plain descent is −rate times the loss's slope, the
  /// loss taken from the program itself at weights a little off: first derivatives of a loss that
  /// holds a first derivative.
  @Test(arguments: ["wgan_gp", "{family: wgan_gp, sided: one, weight: 3}"])
  func theCriticsStepFollowsTheSlopeOfItsOwnLoss(_ loss: String) throws {
    let experiment = try experiment(
      critic: """
        {input: [3], optimizer: {type: sgd, lr: 1},
         layers: [{dense: {units: 5, activation: tanh}}, {dense: {units: 4, activation: softplus}},
           {dense: 1}]}
        """, loss: loss)
    let step = Lowering.criticStep(
      generator: experiment.networks[0], critic: experiment.networks[1], experiment.adversarial!,
      batch: 6, seed: 0, inputs: .given)
    let program = step.program
    let executable = try ReferenceEngine().executable([program])
    var start: [String: [Double]] = [:]
    for state in step.initial {
      let values = materialise(state.initializer, shape: state.shape, name: state.name, seed: 7)
      start[state.name] = values.map { Double($0) * 3 }
    }
    for (index, name) in ["real", "fake"].enumerated() {
      try executable.writeInput(name, of: program.name, normals([6, 3], seed: UInt64(index + 1)))
    }
    try executable.writeInput("epsilon", of: program.name, [0.1, 0.9, 0.5, 0.3, 0.7, 0])
    try executable.writeInput("learning_rate", of: program.name, [1])
    func run(_ changed: [String: [Double]] = [:]) throws -> Double {
      for (name, values) in start.merging(changed, uniquingKeysWith: { $1 }) {
        try executable.writeState(name, values)
      }
      try executable.run(program.name)
      return try executable.readOutput("loss", of: program.name)[0]
    }
    var count = 0
    for name in start.keys where name.hasSuffix("weight") || name.hasSuffix("bias") {
      _ = try run()
      let after: [Double] = try executable.readState(name)
      for index in start[name]!.indices {
        let h = 1e-5
        func loss(_ shift: Double) throws -> Double {
          var values = start[name]!
          values[index] += shift
          return try run([name: values])
        }
        let slope = (try loss(h) - loss(-h)) / (2 * h)
        let step = start[name]![index] - after[index]
        let error = abs(step - slope) / max(1, abs(slope))
        #expect(error <= 1e-6, "\(name)[\(index)]")
        count += 1
      }
    }
    #expect(count == 20 + 24 + 5)
  }

  @Test func fakeSamplesChangeFromStepToStepAndRepeatWithTheSeed() throws {
    let programs = try experiment(loss: "{family: wgan_gp, weight: 0}").programs
    func gaps() throws -> [Double] {
      let executable = try executable(programs)
      return try (0..<3).map { _ in
        try executable.writeInput("real", of: "critic_step", [Double](repeating: 0, count: 18))
        try executable.writeInput("learning_rate", of: "critic_step", [0])
        try executable.run("critic_step")
        return try executable.readOutput("gap", of: "critic_step")[0]
      }
    }
    let found = try gaps()
    #expect(Set(found).count == 3)
    #expect(try gaps() == found)
  }

  @Test func drawnNoiseIsNormalOrUniform() throws {
    for (noise, square, fourth) in [("normal", 1.0, 3.0), ("uniform", 1 / 3.0, 0.2)] {
      // The generator is the identity and the critic a mean of powers of its input.
      let experiment = try experiment(
        critic: "{input: [2], layers: [{dense: 1}]}",
        generator: "{input: {noise: \(noise), shape: [2]}, layers: [{dense: 2}]}", loss: "wgan",
        train: "{batch: 20000}")
      let step = Lowering.generatorStep(
        generator: experiment.networks[0], critic: experiment.networks[1],
        experiment.adversarial!, batch: 20000, seed: 3
      ).program
      var program = step
      let random = step.graph.nodes.indices.first { index in
        step.graph.nodes[index].shape == [20000, 2]
          && step.graph.nodes[(index + 1)...].contains {
            if case .dot = $0.op { $0.operands.contains(Value(index)) } else { false }
          }
      }
      program.outputs = [.init("noise", Value(try #require(random)))]
      program.updates = []
      let executable = try ReferenceEngine().executable([program])
      try executable.writeInput("learning_rate", of: program.name, [0])
      try executable.run(program.name)
      let values: [Double] = try executable.readOutput("noise", of: program.name)
      func moment(_ power: (Double) -> Double) -> Double {
        values.reduce(0) { $0 + power($1) } / Double(values.count)
      }
      let (mean, power) = (moment { $0 }, moment { $0 * $0 })
      // Five standard deviations of each sample moment.
      let meanError = 5 * (square / 40000).squareRoot()
      let powerError = 5 * ((fourth - square * square) / 40000).squareRoot()
      #expect(abs(mean) < meanError)
      #expect(abs(power - square) < powerError)
      if noise == "uniform" { #expect(values.allSatisfy { -1 <= $0 && $0 < 1 }) }
    }
  }

  @Test func averagesFollowTheGeneratorAndAreWhatIsSampled() throws {
    let programs = try experiment(train: "{batch: 6, generator_average: 0.75}").programs
    let executable = try executable(programs)
    let name = "generator.dense_2.bias"
    let start: [Double] = try executable.readState(name)
    try executable.writeInput("learning_rate", of: "generator_step", [0.1])
    try executable.run("generator_step")
    let moved: [Double] = try executable.readState(name)
    let average: [Double] = try executable.readState("average.\(name)")
    #expect(zip(start, moved).contains { $0 != $1 })
    for index in start.indices {
      let expected = 0.75 * start[index] + 0.25 * moved[index]
      #expect(abs(average[index] - expected) < 1e-15)
    }
    #expect(programs.sample.states.keys.allSatisfy { $0.hasPrefix("average.generator.") })
    try executable.writeInput("noise", of: "sample", normals([4, 2], seed: 1))
    try executable.run("sample")
    let samples: [Double] = try executable.readOutput("samples", of: "sample")
    #expect(samples.count == 12)
  }

  @Test func theCPUEngineTakesTheSameSteps() throws {
    let experiment = try experiment(train: "{batch: 16, generator_average: 0.9}")
    let programs = experiment.programs
    let cpu = try CPUEngine().compile(programs.all, options: EngineOptions(threads: 1))
    let reference: any Executable = try executable(programs)
    for (name, shape) in reference.states {
      try cpu.writeState(name, try reference.readState(name, count: shape.elementCount))
    }
    for step in 0..<6 {
      let program = step % 3 == 2 ? "generator_step" : "critic_step"
      var losses: [Float] = []
      for engine in [cpu, reference] {
        if program == "critic_step" {
          try engine.writeInput(
            "real", of: program, normals([16, 3], seed: UInt64(step)).map(Float.init))
        }
        try engine.writeInput("learning_rate", of: program, [0.01])
        try engine.run(program)
        losses.append(try engine.readOutput("loss", of: program, count: 1)[0])
      }
      let error = abs(losses[0] - losses[1])
      #expect(error < 1e-4 * max(1, abs(losses[1])))
    }
    for (name, shape) in reference.states {
      let a = try cpu.readState(name, count: shape.elementCount)
      let b = try reference.readState(name, count: shape.elementCount)
      let error = zip(a, b).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
      #expect(error < 2e-3, "\(name)")
    }
  }
}
