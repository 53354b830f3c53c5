import Diagnostics
import Lipschitz
import Model
import Rounding
import Testing

private func analysis(_ text: String) throws -> StaticAnalysis {
  let (experiment, diagnostics) = load(text)
  return analyse(try #require(experiment, "\(found(diagnostics))"))
}

private let spectral = "lipschitz: 1, constraint: spectral, "

@Suite struct StaticAnalysisTests {
  @Test func certifiedLayersHaveTheirDeclaredBound() throws {
    let result = try analysis(
      description(
        "dense: {units: 4, lipschitz: 3}, relu, flatten, swell: {slope: 1.5}, dense: 2",
        model: "lipschitz: 2, constraint: spectral, "))
    let network = result.networks[0]
    #expect(network.norm == .l2)
    #expect(network.layers.map(\.bound.value) == [3, 1, 1, 1.5, 2])
    #expect(network.total[.l2]?.value == 9)
    #expect(
      network.layers.map(\.heldBy) == [
        "spectral, certified rescale", "1-Lipschitz in every norm", "1-Lipschitz in every norm",
        "slopes of at most 1.5", "spectral, certified rescale",
      ])
    #expect(found(result.diagnostics) == [])
  }

  /// Equivalence of norms: 9 inputs, 4 outputs.
  @Test(arguments: [
    ("l2", [Norm.l1: 2.0, .l2: 1, .linf: 3]),
    ("l1", [.l1: 1, .l2: 3, .linf: 9]),
    ("linf", [.l1: 4, .l2: 2, .linf: 1]),
  ])
  func otherNormsFollowFromNormEquivalence(_ declared: String, _ bounds: [Norm: Double]) throws {
    let network = try analysis(
      description(
        "dense: 4", input: "[9]", model: "lipschitz: {norm: \(declared), bound: 1}, "
          + "constraint: ball, ")
    ).networks[0]
    #expect(network.norm.rawValue == declared)
    #expect(network.layers[0].bounds.mapValues(\.value) == bounds)
    #expect(network.total.mapValues(\.value) == bounds)
  }

  @Test func normEquivalenceNeverRoundsDown() throws {
    for inputs in 1...200 {
      let total = try #require(
        analysis(description("dense: 3", input: "[\(inputs)]", model: spectral))
          .networks[0].total[.linf]
      ).value
      // The sign of a fused multiply-add is exact: total² ≥ n, and one double less is below √n.
      #expect((-Double(inputs)).addingProduct(total, total) >= 0)
      #expect((-Double(inputs)).addingProduct(total.nextDown, total.nextDown) < 0)
    }
  }

  @Test(arguments: [
    ("dense: 4", "nothing; `lgc bound` proves it from the weights", [String]()),
    ("dense: {units: 4, lipschitz: unconstrained}",
      "nothing; `lgc bound` proves it from the weights", []),
    ("dense: {units: 4, lipschitz: 2}", "nothing; `lgc bound` proves it from the weights",
      ["L0306 «2»"]),
    ("dense: {units: 4, lipschitz: 2, constraint: none}",
      "nothing; `lgc bound` proves it from the weights", ["L0306 «2»"]),
    ("dense: {units: 4, lipschitz: 2, constraint: weak}",
      "weak, not certified; `lgc bound` proves it from the weights", ["L0306 «2»"]),
    ("jump", "no finite bound: it is discontinuous", []),
  ])
  func whatNothingHoldsHasNoBound(
    _ layer: String, _ heldBy: String, _ diagnostics: [String]
  ) throws {
    let result = try analysis(description("relu, \(layer)"))
    let network = result.networks[0]
    #expect(network.layers[1].bound == .unknown)
    #expect(network.layers[1].heldBy == heldBy)
    for norm in Norm.allCases { #expect(network.total[norm] == .unknown) }
    #expect(found(result.diagnostics) == diagnostics)
  }

  // MARK: residual connections

  @Test func aResidualSumIsOnePlusItsWeightTimesItsBody() throws {
    let result = try analysis(
      description(
        "dense: 8, residual: {name: a, weight: -0.5, layers: [dense: {units: 8, lipschitz: 3}, "
          + "swell: {slope: 2}]}, residual: {name: b, mode: convex, weight: 0.25, "
          + "layers: [dense: {units: 8, lipschitz: 3}]}, relu",
        model: spectral))
    let network = result.networks[0]
    let bounds = Dictionary(
      uniqueKeysWithValues: network.layers.map { ($0.name, $0.bound.value) })
    #expect(bounds["a"] == 1 + 0.5 * 6)
    #expect(bounds["b"] == 0.75 + 0.25 * 3)
    #expect(network.total[.l2]?.value == 4 * 1.5)
    #expect(found(result.diagnostics) == ["L0301 «residual»"])
    #expect(
      result.diagnostics[0].message
        == "the bound of `a` is 1 + 0.5·6 = 4 in l2, not the product 6 of its layers' bounds")
    #expect(result.diagnostics[0].severity == .warning)
  }

  @Test func aConvexBlockOfOneLipschitzLayersIsOneLipschitz() throws {
    for weight in ["0", "0.1", "0.3", "1/3", "0.7", "1"] {
      let network = try analysis(
        description(
          "dense: {units: 8, residual: {mode: convex, weight: \(weight)}}", model: spectral)
      ).networks[0]
      #expect(try #require(network.total[.l2]).value <= 1)
    }
  }

  @Test func nestedBlocksAndShortcutsCompose() throws {
    let network = try analysis(
      description(
        "residual: {name: o, layers: [residual: {name: i, layers: [dense: 8]}, "
          + "dense: {units: 4, lipschitz: 2}], shortcut: {layers: [dense: {units: 4, "
          + "lipschitz: 0.5}]}}", model: spectral)
    ).networks[0]
    let bounds = Dictionary(
      uniqueKeysWithValues: network.layers.map { ($0.name, $0.bound.value) })
    #expect(bounds["o.i"] == 2)
    #expect(bounds["o"] == 0.5 + 2 * 2)
    #expect(network.total[.l2]?.value == 4.5)
  }

  @Test func aRepeatedSumIsWarnedOfOnce() throws {
    let result = try analysis(
      description(
        "repeat: {times: 5, layers: [dense: {units: 8, residual: sum}]}", model: spectral))
    #expect(found(result.diagnostics) == ["L0301 «residual»"])
    #expect(result.diagnostics[0].notes.count == 2)
    #expect(result.diagnostics[0].notes[0].hasPrefix("certified rescale divides"))
    #expect(result.networks[0].total[.l2]?.value == 32)
  }

  // MARK: targets

  private func judged(
    _ layers: String, model: String, target: String
  ) throws -> (target: TargetAnalysis, diagnostics: [Diagnostic]) {
    let result = try analysis(
      description(layers, model: model) + "targets: [\(target)]\n")
    return (result.targets[0], result.diagnostics.filter { $0.code.number != 301 })
  }

  @Test func aTargetThatTheDeclarationGivesIsProved() throws {
    let (target, diagnostics) = try judged(
      "dense: {units: 4, lipschitz: 0.5}, relu, dense: {units: 4, lipschitz: 2}", model: spectral,
      target: "lipschitz: {bound: 1}")
    #expect(target.verdict == .proved)
    #expect(target.text == "lipschitz l2 ≤ 1")
    #expect(target.explanation == "proved: 1")
    #expect(diagnostics.isEmpty)
  }

  @Test func aRefutedTargetIsUnderlinedWithItsCulprits() throws {
    let (target, diagnostics) = try judged(
      "dense: {units: 8, lipschitz: 3}, swell, dense: 8, dense: {units: 8, residual: sum}",
      model: spectral, target: "lipschitz: {bound: 4.5}")
    #expect(target.verdict == .refuted)
    #expect(found(diagnostics) == ["L0302 «4.5»"])
    #expect(diagnostics[0].message == "the declared bounds give 12 in l2, above the target 4.5")
    #expect(diagnostics[0].labels.map(\.span.text) == ["3", "swell", "residual"])
    #expect(
      diagnostics[0].labels.map(\.message) == [
        "`dense_1`: declared 3", "`swell_1`: expands by 2", "`dense_3.residual`: 1 + 1·1 = 2",
      ])
  }

  @Test func aTargetBelowContractionsBlamesTheLargestBounds() throws {
    let (_, diagnostics) = try judged(
      "dense: 8, dense: {units: 8, lipschitz: 0.5}, dense: 8", model: spectral,
      target: "lipschitz: {bound: 0.1}")
    #expect(found(diagnostics) == ["L0302 «0.1»"])
    #expect(diagnostics[0].labels.map(\.message) == ["`dense_1`, `dense_3`: declared 1"])
  }

  @Test func aTargetOverUnconstrainedLayersIsLeftOpen() throws {
    let (target, diagnostics) = try judged(
      "dense: 8, dense: {units: 8, lipschitz: unconstrained}", model: spectral,
      target: "lipschitz: {bound: 1}")
    #expect(target.verdict == .undecided)
    #expect(found(diagnostics) == ["L0303 «dense»"])
    #expect(diagnostics[0].severity == .warning)
    #expect(diagnostics[0].labels.map(\.span.text) == ["1"])
  }

  @Test func aTargetOverALayerThatIsNotLipschitzIsRefuted() throws {
    let (target, diagnostics) = try judged(
      "dense: {units: 8, lipschitz: unconstrained}, jump", model: spectral,
      target: "lipschitz: {bound: 1}")
    #expect(target.verdict == .refuted)
    #expect(found(diagnostics) == ["L0303 «jump»"])
    #expect(diagnostics[0].severity == .error)
  }

  /// The rows of a spectral layer may be much shorter than √n: only the weights decide.
  @Test func aTargetInAnotherNormIsLeftOpenUnlessItIsProved() throws {
    let open = try judged("dense: 4", model: spectral, target: "lipschitz: {norm: linf, bound: 2}")
    #expect(open.target.verdict == .undecided)
    #expect(found(open.diagnostics) == ["L0303 «2»"])
    #expect(open.diagnostics[0].severity == .warning)
    let proved = try judged(
      "dense: 4", model: spectral, target: "lipschitz: {norm: linf, bound: 3}")
    #expect(proved.target.verdict == .proved)
  }

  @Test(arguments: [
    ("accuracy: {at_least: 0.85}", "accuracy ≥ 0.85", TargetAnalysis.Verdict.undecided),
    ("accuracy: {report: true}", "accuracy", .reported),
    ("certified_accuracy: {norm: l2, radius: 0.5, at_least: 0.6}",
      "certified accuracy at l2 radius 0.5 ≥ 0.6", .undecided),
    ("lipschitz: {norm: linf, report: true}", "lipschitz linf", .reported),
  ])
  func measuredTargetsAreNotJudgedHere(
    _ target: String, _ text: String, _ verdict: TargetAnalysis.Verdict
  ) throws {
    let result = try judged("dense: 4", model: spectral, target: target)
    #expect(result.target.text == text)
    #expect(result.target.verdict == verdict)
    #expect(result.diagnostics.isEmpty)
  }
}
