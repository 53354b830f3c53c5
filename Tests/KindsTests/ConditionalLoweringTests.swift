import Diagnostics
import Glibc
import Losses
import Model
import Optimizers
import ReferenceEngine
import Tensors
import Testing

private func section(
  critic: String, _ classes: String, loss: String = "wgan_gp"
) throws -> (networks: [Network], adversarial: AdversarialSection) {
  let experiment = try KindsTests.experiment(
    """
    lgc: 1
    name: example
    models:
      generator: {input: {shape: [2]\(classes)}, layers: [{dense: 3}]}
      critic: {input: [3], layers: [{dense: {units: 5, activation: tanh}}, {dense: \(critic)}]}
    loss: \(loss)
    optimizer: {type: sgd, lr: 1}
    train: {batch: 6}
    """)
  return (experiment.networks, experiment.adversarial!)
}

/// The steps of a generator that is asked for a class, and of a critic with a score for each.
@Suite struct ConditionalLoweringTests {
  @Test func labelsAreAnInputOfBothStepsAndPlanesOfTheGenerators() throws {
    let (networks, section) = try section(critic: "4", ", classes: 4")
    #expect(networks[0].inputShape == [6] && networks[0].noiseShape == [2])
    let programs = Lowering.adversarialPrograms(
      generator: networks[0], critic: networks[1], section, batch: 6, samples: 5, seed: 0)
    #expect(
      programs.criticStep.inputs == ["real": [6, 3], "labels": [6], "learning_rate": []])
    #expect(programs.generatorStep.inputs == ["labels": [6], "learning_rate": []])
    #expect(programs.sample.inputs == ["noise": [5, 6]])
  }

  /// With every label k, loss, gap and penalty are those of a critic of one score with row k.
  @Test(arguments: [0, 1])
  func everySampleIsJudgedByItsClasssScore(_ label: Int) throws {
    func told(_ critic: String, _ classes: String, row: Int?) throws -> [Double] {
      let (networks, section) = try section(critic: critic, classes)
      let step = Lowering.criticStep(
        generator: networks[0], critic: networks[1], section, batch: 6, seed: 0, inputs: .given)
      let executable = try ReferenceEngine().executable([step.program])
      let hidden = normals([5, 3], seed: 1)
      let (weights, biases) = (normals([2, 5], seed: 2), normals([2], seed: 3))
      let rows = row.map { $0..<$0 + 1 } ?? 0..<2
      try executable.writeState("critic.dense_1.weight", hidden)
      try executable.writeState(
        "critic.dense_2.weight", Array(weights[5 * rows.lowerBound..<5 * rows.upperBound]))
      try executable.writeState("critic.dense_2.bias", Array(biases[rows]))
      let inputs: [String: [Double]] = [
        "real": normals([6, 3], seed: 4), "fake": normals([6, 3], seed: 5),
        "epsilon": [0.1, 0.9, 0.5, 0.3, 0.7, 0], "learning_rate": [0],
        "labels": [Double](repeating: Double(label), count: 6),
      ]
      for (name, values) in inputs where step.program.inputs[name] != nil {
        try executable.writeInput(name, of: step.program.name, values)
      }
      try executable.run(step.program.name)
      return try ["loss", "gap", "penalty"].map {
        try executable.readOutput($0, of: step.program.name)[0]
      }
    }
    let found = try told("2", ", classes: 2", row: nil)
    let expected = try told("1", "", row: label)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-12) }
    #expect(expected[2] > 0)
  }

  /// The generator's step, with a generator that is nothing but the column of the class: its
  /// bias-free weights of the noise are zero.
  @Test func theGeneratorReadsTheClassBehindTheNoise() throws {
    let (networks, section) = try section(critic: "2", ", classes: 2", loss: "wgan")
    let step = Lowering.generatorStep(
      generator: networks[0], critic: networks[1], section, batch: 6, seed: 0)
    let executable = try ReferenceEngine().executable([step.program])
    // Columns: noise, noise, class 0, class 1.
    let columns: [[Double]] = [[0.5, -1, 2], [1.5, 0.25, -0.5]]
    let weight = (0..<3).flatMap { row -> [Double] in
      [0, 0, columns[0][row], columns[1][row]]
    }
    let (hidden, output) = (normals([5, 3], seed: 1), normals([2, 5], seed: 2))
    try executable.writeState("generator.dense_1.weight", weight)
    try executable.writeState("critic.dense_1.weight", hidden)
    try executable.writeState("critic.dense_2.weight", output)
    let labels = [0, 1, 1, 1, 0, 1]
    try executable.writeInput("labels", of: step.program.name, labels.map(Double.init))
    try executable.writeInput("learning_rate", of: step.program.name, [0])
    try executable.run(step.program.name)
    func score(_ label: Int) -> Double {
      (0..<5).reduce(0) { sum, unit in
        let input = (0..<3).reduce(0) { $0 + hidden[3 * unit + $1] * columns[label][$1] }
        return sum + output[5 * label + unit] * tanh(input)
      }
    }
    let expected = -labels.reduce(0) { $0 + score($1) } / 6
    let loss = try executable.readOutput("loss", of: step.program.name)[0]
    #expect(abs(loss - expected) < 1e-12)
  }
}
