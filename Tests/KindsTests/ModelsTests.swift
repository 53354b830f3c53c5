import Diagnostics
import Model
import Testing

private let critic = "{input: [3], layers: [{dense: 4}, {dense: 1}]}"
private let generator = "{input: {noise: uniform, shape: [2]}, layers: [{dense: 3}]}"

private func text(
  generator: String = generator, critic: String = critic, _ rest: String = "loss: wgan_gp"
) -> String {
  "lgc: 1\nname: t\nmodels:\n  generator: \(generator)\n  critic: \(critic)\n\(rest)\n"
}

/// `L0102 «units»` for each diagnostic.
private func found(_ text: String) -> [String] {
  loadExperiment(
    SourceFile(path: "t.yaml", text: text), catalogs: catalogs, directory: "."
  ).diagnostics.map { "\($0.code.id) «\($0.span?.text ?? "")»" }
}

@Suite struct ModelsTests {
  @Test func twoNetworksAreResolvedWithScopedTensors() throws {
    let experiment = try experiment(text())
    #expect(experiment.networks.map(\.name) == ["generator", "critic"])
    #expect(experiment.networks.map(\.noise) == [.uniform, nil])
    #expect(experiment.networks[1].nodes[1].tensorName("weight") == "critic.dense_2.weight")
    #expect(experiment.adversarial?.criticSteps == 5)
    #expect(experiment.adversarial?.averageDecay == nil)
    #expect(experiment.loss == nil)
  }

  @Test func aNetworksOwnOptimizerComesBeforeTheCommonOne() throws {
    let own = "{input: [3], optimizer: {type: sgd, lr: 0.5}, layers: [{dense: 1}]}"
    let section = try #require(
      try experiment(
        text(critic: own, "loss: wgan_gp\noptimizer: {lr: 0.25, schedule: linear}")
      ).adversarial)
    #expect(section.criticOptimizer.kind == "sgd")
    #expect(section.criticOptimizer.optimizer.learningRate == 0.5)
    #expect(section.generatorOptimizer.kind == "adam")
    #expect(section.generatorOptimizer.optimizer.learningRate == 0.25)
    #expect(section.generatorOptimizer.schedule == .linear)
  }

  @Test func resolvedTextReadsBackAsTheSameExperiment() throws {
    let first = try experiment(
      text(
        """
        loss: {family: wgan_gp, sided: one}
        train: {steps: 7, critic_steps: 3, generator_average: 0.99}
        targets: [{lipschitz: {of: critic, bound: 2}}]
        """))
    let second = try experiment(first.resolvedText)
    #expect(second.resolvedText == first.resolvedText)
    #expect(second.adversarial?.criticSteps == 3)
    #expect(second.adversarial?.averageDecay == 0.99)
    #expect(second.networks[0].noise == .uniform)
  }

  @Test func aGeneratorOfClassesReadsThemBehindTheNoise() throws {
    let text = text(
      generator: "{input: {shape: [2, 4, 4], classes: 5}, layers: [flatten, {dense: 3}]}",
      critic: "{input: [3], layers: [{dense: 5}]}")
    let first = try experiment(text)
    #expect(first.networks.map(\.classes) == [5, nil])
    #expect(first.networks[0].inputShape == [7, 4, 4])
    #expect(first.networks[0].noiseShape == [2, 4, 4])
    #expect(first.resolvedText.contains("input: {noise: normal, shape: [2, 4, 4], classes: 5}"))
    let second = try experiment(first.resolvedText)
    #expect(second.resolvedText == first.resolvedText)
  }

  @Test(arguments: [
    (text(generator: "{input: [2], layers: [{dense: 3}]}"), "L0103 «[2]»"),
    (text(generator: "{input: {noise: white, shape: [2]}, layers: [{dense: 3}]}"),
      "L0103 «white»"),
    (text(generator: "{input: {noise: normal}, layers: [{dense: 3}]}"), "L0102 «input»"),
    (text(generator: "{input: {shape: [2]}, layers: [{dense: 4}]}"), "L0201 «dense»"),
    (text(critic: "{input: [3], layers: [{dense: 2}]}"), "L0201 «dense»"),
    (text(critic: "{input: {noise: normal, shape: [3]}, layers: [{dense: 1}]}"),
      "L0103 «{noise: normal, shape: [3]}»"),
    (text(critic: "{input: [3], optimiser: adam, layers: [{dense: 1}]}"), "L0101 «optimiser»"),
    (text(generator: "{input: {shape: [2], classes: 1}, layers: [{dense: 3}]}"), "L0104 «1»"),
    (text(generator: "{input: {shape: [2], classes: 4}, layers: [{dense: 3}]}"), "L0201 «dense»"),
    (text(critic: "{input: [3], layers: [{dense: 4}]}"), "L0201 «dense»"),
    (text("loss: cross_entropy"), "L0110 «cross_entropy»"),
    (text("loss: wgan_pg"), "L0105 «wgan_pg»"),
    (text("loss: wgan_gp\nmodel: {input: [3], layers: [relu]}"), "L0110 «models»"),
    (text("loss: wgan_gp\ntrain: {critic_steps: 0}"), "L0104 «0»"),
    (text("loss: wgan_gp\ntrain: {generator_average: 1}"), "L0104 «1»"),
    (text("loss: wgan_gp\ntargets: [{lipschitz: {of: critics, bound: 1}}]"),
      "L0109 «critics»"),
    ("lgc: 1\nname: t\nmodels: {generator: \(generator)}", "L0102 «models»"),
    ("lgc: 1\nname: t\nmodels: {generator: \(generator), critics: \(critic)}",
      "L0101 «critics»"),
    ("lgc: 1\nname: t\nmodel: {input: [3], layers: [relu]}\nloss: wgan", "L0110 «wgan»"),
    ("lgc: 1\nname: t\nmodel: {input: [3], layers: [relu]}\ntrain: {critic_steps: 2}",
      "L0101 «critic_steps»"),
  ])
  func whatIsWrongIsSaidOnceAtItsPlace(_ text: String, _ expected: String) {
    #expect(found(text) == [expected])
  }

  @Test func aTargetOfTwoNetworksNamesOne() {
    #expect(found(text("loss: wgan_gp\ntargets: [{lipschitz: 1}]")) == ["L0102 «lipschitz»"])
  }

  @Test func wganWarnsOfEveryCriticThatIsNotHeld() throws {
    #expect(found(text("loss: wgan")) == ["L0307 «wgan»"])
    let half = """
      {input: [3], lipschitz: 1, constraint: spectral,
       layers: [{dense: 4}, {dense: {units: 1, lipschitz: unconstrained}}]}
      """
    #expect(found(text(critic: half, "loss: wgan")) == ["L0307 «wgan»"])
    let held = "{input: [3], lipschitz: 1, constraint: spectral, layers: [{dense: 4}, {dense: 1}]}"
    #expect(found(text(critic: held, "loss: wgan")) == [])
    #expect(found(text("loss: wgan_gp")) == [])
  }
}
