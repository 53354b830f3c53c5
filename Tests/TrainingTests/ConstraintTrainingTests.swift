import CPUEngine
import Diagnostics
import Glibc
import Lipschitz
import Model
import Rounding
import Testing

@testable import Training

/// What each constraint promises, on a network that is trained a little, proved of the stored weights.
@Suite struct ConstraintTrainingTests {
  static let constraints: [(norm: String, constraint: String)] = [
    ("l2", "spectral"), ("l2", "{type: spectral, of: kernel}"), ("l2", "spectral_after_update"),
    ("l1", "project"), ("l2", "project"), ("linf", "project"), ("l2", "frobenius"),
    ("l2", "frobenius_project"), ("l2", "almost_orthogonal"),
    ("l2", "{type: almost_orthogonal, of: outputs}"), ("l2", "{type: orthogonal, rows: 4}"),
    ("l2", "{type: orthogonal, apply: lazy}"),
    ("l2", "{type: orthogonal, apply: forward, iterations: 8}"),
    ("l2", "{type: orthogonal, method: cayley}"), ("l2", "{type: orthogonal, method: exponential}"),
  ]

  private func description(_ settings: String) -> String {
    """
    lgc: 1
    name: held
    data: {type: synthetic, name: two_moons, samples: 200, noise: 0.1}
    model:
      input: [2]
      \(settings)
      layers:
        - dense: {name: fc1, units: 16}
        - reshape: [4, 4]
        - conv: {name: conv, filters: 6, kernel: 3, padding: 1}
        - batch_norm: {name: norm}
        - group_sort
        - conv_transpose: {name: up, filters: 4, kernel: 2, stride: 2, groups: 2}
        - scale: {name: gain, value: 1.5, learned: true}
        - flatten
        - dense: {name: logits, units: 2}
    loss: {family: cross_entropy, temperature: 0.05}
    optimizer: {type: adam, lr: 3e-2}
    train: {steps: 12, batch: 50, seed: 3}
    """
  }

  private func trained(_ settings: String) throws -> (Network, [BoundReport]) {
    let folder = Folder()
    let setup = try TrainingSetup(experiment(description(settings)), directory: ".")
    let run = TrainingRun(
      setup,
      options: TrainingOptions(
        version: "test", engine: CPUEngine(), threads: 1, output: folder.path + "/run"))
    return (setup.network, try run.run().bounds)
  }

  @Test(arguments: constraints.indices)
  func everyLayerEndsWithinItsDeclaredBound(_ index: Int) throws {
    let (norm, constraint) = Self.constraints[index]
    let (network, reports) = try trained(
      "lipschitz: {norm: \(norm), bound: 0.8}\n  constraint: \(constraint)")
    let report = try #require(reports.first { $0.norm.rawValue == norm })
    #expect(report.upper.value <= pow(0.8, 6))
    for (layer, node) in zip(report.layers, network.nodes) where node.constraint != nil {
      #expect(layer.bound.upper.value <= 0.8, "\(node.name)")
      #expect(layer.bound.upper.value > 0.05, "\(node.name) is not shrunk away")
    }
  }

  static let several: [(layer: String, settings: String)] = [
    "rnn: 6", "rnn: {units: 6, nonlinearity: relu, output: sequence}", "lstm: 6", "gru: 6",
    "attention: {kind: l2}", "attention: {lipschitz_norm: true}", "attention: {heads: 2}",
  ].flatMap { layer in
    [
      (layer, "lipschitz: 0.8\n  constraint: spectral"),
      (layer, "lipschitz: {norm: linf, bound: 0.8}\n  constraint: project"),
      (layer, "lipschitz: {norm: l1, bound: 2}\n  constraint: project"),
      (layer, "lipschitz: 0.8\n  constraint: {type: orthogonal, rows: 4}"),
      (layer, "lipschitz: 0.8\n  constraint: {type: orthogonal, apply: lazy}"),
    ]
  }

  /// A layer of several matrices: each keeps its share, and the layer its declared bound, whatever the
  /// biases grew to.
  @Test(arguments: several.indices)
  func aLayerOfSeveralMatricesEndsWithinItsDeclaredBound(_ index: Int) throws {
    let (layer, settings) = Self.several[index]
    let text = """
      lgc: 1
      name: held
      data: {type: synthetic, name: two_moons, samples: 200, noise: 0.1}
      model:
        input: [2]
        \(settings)
        layers:
          - dense: 8
          - sigmoid
          - reshape: [4, 2]
          - \(layer)
          - flatten
          - dense: 2
      loss: {family: cross_entropy, temperature: 0.02}
      optimizer: {type: adam, lr: 0.1}
      train: {steps: 12, batch: 50, seed: 3}
      """
    let folder = Folder()
    let setup = try TrainingSetup(experiment(text), directory: ".")
    let run = TrainingRun(
      setup,
      options: TrainingOptions(
        version: "test", engine: CPUEngine(), threads: 1, output: folder.path + "/run"))
    let node = setup.network.nodes[3]
    let declared = try #require(node.declared)
    let bound = try #require(try run.run().bounds.first { $0.norm == declared.norm })
      .layers[3].bound.upper.value
    #expect(bound <= declared.bound && bound > 0, "\(bound)")
    // l1 of attention goes through l2 and back.
    if declared.norm != .l1 { #expect(bound > 0.02 * declared.bound, "\(bound)") }
    // What `check` says before training holds after it, in every norm.
    let claims = analyse(setup.experiment).networks[0].layers[3].bounds
    #expect(claims[declared.norm]?.value == declared.bound)
  }

  @Test func clippedLayersEndWithinWhatCheckProves() throws {
    let settings = "constraint: {type: clip, c: 0.3}"
    let analysis = analyse(try experiment(description(settings)))
    let (network, reports) = try trained(settings)
    let report = try #require(reports.first { $0.norm == .l2 })
    for (index, node) in network.nodes.enumerated() where node.isHeld {
      let proved = analysis.networks[0].layers[index].bound
      #expect(report.layers[index].bound.upper.value <= proved.value, "\(node.name)")
    }
  }

  @Test func weightNormTrainsItsLengths() throws {
    let folder = Folder()
    let setup = try TrainingSetup(
      experiment(description("constraint: weight_norm")), directory: ".")
    _ = try TrainingRun(
      setup,
      options: TrainingOptions(
        version: "test", engine: CPUEngine(), threads: 1, output: folder.path + "/run")
    ).run()
    #expect(setup.programs.parameters.contains("up.weight.weight_norm.g"))
  }

  private func analysed(_ model: String) throws -> (StaticAnalysis?, [Diagnostic]) {
    let (experiment, diagnostics) = loadExperiment(
      SourceFile(path: "clip.yaml", text: "lgc: 1\nname: clip\nmodel: {\(model)}"),
      catalogs: catalogs, directory: ".")
    return (experiment.map(analyse), diagnostics)
  }

  @Test func checkProvesWhatTheCubeProves() throws {
    let (analysis, _) = try analysed(
      "input: [4], constraint: {type: clip, c: 0.5}, layers: [{dense: 9}, relu, {dense: 1}]")
    let network = try #require(analysis).networks[0]
    #expect(network.layers.map(\.bound.value) == [3, 1, 1.5])
    #expect(network.total[.l2]?.value == 4.5)
    #expect(network.layers[0].heldBy == "clip, entries within ±0.5")
  }

  @Test func aBoundBelowTheCubesIsRefusedWithItsFactor() throws {
    let (analysis, diagnostics) = try analysed(
      "input: [4], lipschitz: 1, constraint: {type: clip, c: 0.5}, layers: [{dense: 9}]")
    #expect(analysis == nil)
    #expect(diagnostics.map(\.code) == [.boundNotHeld])
    #expect(diagnostics[0].message.contains("prove 3 in l2, 3 times the declared bound 1"))
    #expect(diagnostics[0].help?.contains("`c: 0.16") == true, "\(diagnostics[0].help ?? "-")")
  }

  @Test func batchNormalisationUnderClipHasNoStaticBound() throws {
    let (analysis, diagnostics) = try analysed(
      "input: [2, 3, 3], constraint: {type: clip, c: 0.5}, layers: [batch_norm]")
    #expect(diagnostics.filter { $0.severity == .error }.isEmpty)
    #expect(try #require(analysis).networks[0].total[.l2]?.isFinite == false)
  }

}
