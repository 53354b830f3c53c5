import Constraints
import Datasets
import Diagnostics
import Layers
import Losses
import Model
import Optimizers
import Regularisers
import Testing

private struct Loaded {
  var experiment: Experiment?
  var diagnostics: [Diagnostic]
  /// `L0102 «units»` for each.
  var found: [String] { diagnostics.map { "\($0.code.id) «\($0.span?.text ?? "")»" } }
}

private func described(
  _ regularize: String, layers: String = "[{dense: 3}]", loss: String = "cross_entropy"
) -> Loaded {
  let text = """
    lgc: 1
    name: t
    model: {input: [6], layers: \(layers)}
    loss: \(loss)
    regularize: \(regularize)
    """
  return read(text)
}

private func read(_ text: String) -> Loaded {
  let catalogs = Catalogs(
    layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
    adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
    optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all)
  let (experiment, diagnostics) = loadExperiment(
    SourceFile(path: "t.yaml", text: text), catalogs: catalogs, directory: ".")
  return Loaded(experiment: experiment, diagnostics: diagnostics)
}

@Suite struct RegulariseTests {
  @Test func aListOfKindsIsReadAndWrittenOut() throws {
    let loaded = described("[{l2: 1e-4}, {gradient_penalty: {weight: 2}}, {l2: {weight: 3}}]")
    #expect(loaded.found == [])
    let experiment = try #require(loaded.experiment)
    #expect(experiment.networks[0].regularisers.map(\.name) == ["l2", "gradient_penalty", "l2_2"])
    let expected = """
      regularize:
        - l2: {weight: 0.0001}
        - gradient_penalty: {weight: 2.0, of: output, sided: one, target: 1.0, at: data}
        - l2: {weight: 3.0}

      """
    #expect(experiment.resolvedText.contains(expected))
    #expect(read(experiment.resolvedText).experiment?.resolvedText == experiment.resolvedText)
  }

  @Test(arguments: [
    ("[{l3: 1e-4}]", "L0105 «l3»"), ("{l2: 1e-4}", "L0103 «{l2: 1e-4}»"),
    ("[{l2: 1e-4, l1: 1}]", "L0103 «l1»"), ("[3]", "L0103 «3»"),
    ("[{gradient_penalty: {wieght: 1}}]", "L0101 «wieght»"), ("[l2]", "L0102 «l2»"),
  ])
  func mistakesAreFoundWhereTheyStand(_ text: String, _ expected: String) {
    #expect(described(text).found == [expected])
  }

  @Test func aMisspelledKindIsCorrected() throws {
    let diagnostics: [Diagnostic] = described("[{spectral_nrom: 0.1}]").diagnostics
    let first = try #require(diagnostics.first)
    #expect(first.help == "did you mean `spectral_norm`?")
  }

  @Test(arguments: ["gradient_penalty: 1", "jacobian: 1"])
  func layersThatSpoilAnInputGradientAreWarnedOf(_ kind: String) {
    let layers = "[{dense: 4}, batch_norm, dropout, {dense: 3}]"
    #expect(
      described("[{\(kind)}]", layers: layers).found == ["L0311 «batch_norm»", "L0319 «dropout»"])
    #expect(described("[{l2: 1}]", layers: layers).found == [])
    #expect(described("[{\(kind)}]", layers: "[{dense: 4}, layer_norm, {dense: 3}]").found == [])
  }

  @Test func theNetworksOfAPairHaveTheirOwnOrTheCommonOnes() throws {
    func models(_ critic: String, _ rest: String) -> String {
      """
      lgc: 1
      name: t
      models:
        generator: {input: {shape: [2]}, layers: [{dense: 3}]}
        critic: {input: [3], layers: [{dense: 1}]\(critic)}
      loss: sgan
      \(rest)
      """
    }
    let own = try #require(read(models(", regularize: [{l2: 1}]", "")).experiment)
    #expect(own.networks.map { $0.regularisers.map(\.kind) } == [[], ["l2"]])
    let common = try #require(
      read(models(", regularize: [{l2: 1}]", "regularize: [{l1: 1}]")).experiment)
    #expect(common.networks.map { $0.regularisers.map(\.kind) } == [["l1"], ["l2"]])
    let text = common.resolvedText
    #expect(read(text).experiment?.resolvedText == text)
    let labelled = models(", regularize: [{gradient_penalty: {weight: 1, of: loss}}]", "")
    #expect(read(labelled).found == ["L0110 «gradient_penalty»"])
  }

  @Test func whatTheOutputDoesNotAllowIsRefused() {
    let penalty = "[{gradient_penalty: {weight: 1, of: margin}}]"
    #expect(described(penalty).found == [])
    let found = described(penalty, layers: "[{reshape: [2, 3]}]", loss: "mse").found
    #expect(found.contains("L0110 «gradient_penalty»"))
  }
}
