import Diagnostics
import Model
import Rounding
import Testing

/// `lipschitz`, `constraint` and `residual` of blocks.
@Suite struct BlockDefaultsTests {
  private func nodes(_ layers: String, model: String = "lipschitz: 1, constraint: spectral, ")
    throws -> [LayerNode]
  {
    let (experiment, diagnostics) = load(description(layers, model: model))
    let network = try #require(experiment, "\(diagnostics.map(\.message))").networks[0]
    return network.nodes
  }

  @Test(arguments: [
    "repeat: {times: 2, lipschitz: 0.5, layers: [dense: 8, dense: {units: 8, lipschitz: 3}]}",
    "residual: {lipschitz: 0.5, layers: [dense: 8, dense: {units: 8, lipschitz: 3}]}",
    "residual: {lipschitz: 0.5, layers: [dense: 8, dense: {units: 8, lipschitz: 3}], "
      + "shortcut: {layers: [dense: 8]}}",
    "parallel: {lipschitz: 0.5, branches: [[dense: 8, dense: {units: 8, lipschitz: 3}], []]}",
  ])
  func aBlocksBoundHoldsForItsLayersWhereTheySayNothing(_ block: String) throws {
    let nodes = try nodes("dense: 8, \(block), dense: 8")
    let held = nodes.filter { $0.declared != nil }
    #expect(held.first?.declared?.bound == 1 && held.last?.declared?.bound == 1)
    for node in held.dropFirst().dropLast() {
      let own = node.name.hasSuffix("dense_2") ? 3 : 0.5
      #expect(node.declared?.bound == own, "\(node.name)")
      #expect(node.constraint?.kind == "spectral")
    }
  }

  /// The innermost block has the word, and a bound without a norm takes the norm from outside.
  @Test func blocksNest() throws {
    let nodes = try nodes(
      "repeat: {name: o, times: 1, lipschitz: {norm: linf, bound: 2}, constraint: none, layers: ["
        + "residual: {name: i, lipschitz: 0.5, layers: [dense: 8]}, dense: 8]}")
    let declared = Dictionary(
      uniqueKeysWithValues: nodes.compactMap { node in node.declared.map { (node.name, $0) } })
    #expect(declared["o.1.i.dense_1"]?.bound == 0.5 && declared["o.1.i.dense_1"]?.norm == .linf)
    #expect(declared["o.1.dense_1"]?.bound == 2 && declared["o.1.dense_1"]?.norm == .linf)
    #expect(nodes.allSatisfy { $0.constraint == nil })
  }

  @Test func anUnconstrainedBlockLeavesTheConstraintToo() throws {
    let nodes = try nodes(
      "parallel: {lipschitz: unconstrained, branches: [[dense: 8], [dense: {units: 8, lipschitz: 2,"
        + " constraint: spectral}]]}")
    #expect(nodes[0].declared == nil && nodes[0].constraint == nil)
    #expect(nodes[1].declared?.bound == 2 && nodes[1].constraint?.kind == "spectral")
  }

  @Test(arguments: ["lipschitz: 2", "constraint: spectral"])
  func settingsForNothingAreAnError(_ setting: String) {
    let (_, diagnostics) = load(
      description(
        "dense: 8, repeat: {times: 2, \(setting), layers: [relu]}", model: "lipschitz: 1, "))
    let place = setting.hasPrefix("constraint") ? "spectral" : "lipschitz"
    #expect(found(diagnostics) == ["L0110 «\(place)»"])
  }

  @Test(arguments: [
    "repeat: {name: b, times: 2, residual: convex, layers: [dense: 8]}",
    "parallel: {name: b, residual: convex, combine: mean, branches: [[dense: 8], [dense: 8]]}",
  ])
  func aResidualFlagAddsTheBlocksInput(_ block: String) throws {
    let (experiment, diagnostics) = load(
      description(block, model: "lipschitz: 1, constraint: spectral, "))
    let network = try #require(experiment, "\(diagnostics.map(\.message))").networks[0]
    #expect(network.blocks.map(\.name) == ["b.residual"])
    #expect(network.blocks[0].entry == .input && network.blocks[0].shortcut == .input)
    #expect(network.output == network.blocks[0].merge)
    // What is resolved says the same again.
    let again = load(experiment!.resolvedText)
    #expect(again.experiment?.resolvedText == experiment!.resolvedText)
    #expect(experiment!.resolvedText.contains("residual: {mode: convex, weight: 0.5}"))
  }

  @Test func aBlockThatChangesTheShapeCannotBeResidual() {
    let (_, diagnostics) = load(
      description("repeat: {times: 1, residual: true, layers: [dense: 3]}"))
    #expect(found(diagnostics).contains { $0.contains("«residual»") }, "\(found(diagnostics))")
  }

  @Test func standardizeTakesTheWordData() throws {
    let text = description("dense: 3")
      + "data: {type: synthetic, range: [0, 1], standardize: data}\n"
    let (experiment, diagnostics) = load(text)
    var data = try #require(experiment?.data, "\(diagnostics.map(\.message))")
    #expect(data.standardizesByData && data.standardize == nil && data.inputDomain == nil)
    #expect(experiment!.resolvedText.contains("\n  standardize: data\n"))
    data.standardize = ([0.25], [0.5])
    var measured = experiment!
    measured.data = data
    #expect(measured.resolvedText == experiment!.resolvedText)
    let stored = try #require(load(measured.storedText).experiment?.data)
    #expect(!stored.standardizesByData && stored.standardize?.deviation == [0.5])
    #expect(load(text.replacingOccurrences("standardize: data", "standardize: date")).diagnostics
      .first?.help?.contains("data") == true)
  }
}

extension String {
  fileprivate func replacingOccurrences(_ part: String, _ other: String) -> String {
    guard let range = firstRange(of: part) else { return self }
    return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
  }
}
