import Constraints
import Datasets
import Diagnostics
import Layers
import Model
import Rounding
import Tensors
import TensorsTestSupport
import Testing

/// Layers that are Lipschitz where their input is bounded, and what bounds it.
@Suite struct BoundedInputTests {
  /// What a layer says of its largest output, which constants on bounded inputs rest on.
  @Test(arguments: layerTrials.filter { $0.code == nil })
  func noOutputIsLargerThanTheLayerSays(_ trial: Trial) throws {
    let network = try network(trial.text)
    let node = network.nodes[0]
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    func largest(_ weight: String) throws -> Double {
      try #require(run.state[node.tensorName(weight)]).map(abs).max()!
    }
    func limit(_ number: Double, _ scale: String?, _ addends: [String]) throws -> Double {
      var limit = number
      if let scale { limit *= try largest(scale) }
      for addend in addends { limit += try largest(addend) }
      return limit * (1 + 1e-12) + 1e-300
    }
    switch node.layer.reach(node.inputShapes) {
    case .unknown: return
    case .within(let number, let scale, let addends):
      let limit = try limit(number, scale, addends)
      for seed in 0..<60 {
        var x = normals(network.inputShape, seed: UInt64(seed)).map {
          $0 * [1e-3, 1, 30, 1e4][seed % 4]
        }
        if seed % 3 == 0 { x[seed % x.count] *= 1e6 }
        let found = try run.output(x).map(abs).max()!
        #expect(found <= limit, "\(found) of \(limit)")
      }
    case .fromZero(let number, let addends):
      let origin = [Double](repeating: 0, count: network.inputShape.elementCount)
      let found = try run.output(origin).map(abs).max()!
      #expect(found <= (try limit(number, nil, addends)), "\(found)")
    }
  }

  static let bounded = [
    "tanh, attention: {heads: 2}", "sigmoid, scale: 3, attention",
    "layer_norm: {eps: 0.5}, attention",
    "relu6, conv: {filters: 4, kernel: 2}, attention: {heads: 2}",
    "tanh, parallel: {branches: [[scale: 2], [abs]], combine: concat}, attention: {heads: 4}",
    "softmax, permute: [1, 0], attention, reshape: [12], dense: 3",
  ]

  /// Behind a layer that bounds its output the constant holds for all inputs: at least 6 000
  /// pairs in each norm, at random and around the steepest.
  @Test(arguments: bounded)
  func noPairExceedsTheConstantBehindABoundedLayer(_ layers: String) throws {
    let text = "lgc: 1\nname: t\nmodel: {input: [4, 3], layers: [\(layers)]}"
    let network = try network(text)
    #expect(network.domain == nil)
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    let constants = try Norm.allCases.map { try product(network, $0, run) }
    #expect(constants.allSatisfy { $0.isFinite })
    var search = try PairSearch(
      Lowering.forward(network: network, batch: 256, mode: .deployed), state: run.state,
      constants: constants, seed: 3)
    try search.run(pairs: max(6000, LipschitzTests.pairCount / Self.bounded.count + 1))
    for index in 0..<3 { #expect(search.excess[index] == 0, "\(Norm.allCases[index])") }
  }

  /// On a domain: pairs of its points only, corners among them, the weights small and large.
  @Test(arguments: [0.05, 1, 6], [1, 2])
  func noPairOfTheDomainExceedsTheConstantOnIt(_ size: Double, _ heads: Int) throws {
    let text = """
      lgc: 1
      name: t
      data: {type: synthetic, range: [-1, 3]}
      model: {input: [4, 3], layers: [attention: {heads: \(heads)}]}
      """
    let network = try network(text)
    #expect(network.domain == -1...3)
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    for name in run.state.keys { run.state[name] = run.state[name]!.map { $0 * size } }
    var largest = [0.0, 0, 0]
    let constants = try Norm.allCases.map { try product(network, $0, run) }
    var best: [(ratio: Double, a: [Double], b: [Double])?] = [nil, nil, nil]
    for turn in 0..<800 {
      var a = normals([12], seed: UInt64(turn))
      var b = normals([12], seed: UInt64(turn + 50_000))
      switch turn % 4 {
      case 0: a = a.map { $0 > 0 ? 3 : -1 }
      case 1: (a, b) = (a.map { 1 + $0 }, zip(a, b).map { 1 + $0 + 0.05 * $1 })
      case 2: (a, b) = (a.map { $0 > 0 ? 3 : -1 }, zip(a, b).map { ($0 > 0 ? 3 : -1) + 0.1 * $1 })
      default:
        // Around the steepest pair so far.
        if let pair = best[turn / 4 % 3] {
          a = zip(pair.a, a).map { $0 + 0.1 * $1 }
          b = zip(pair.b, b).map { $0 + 0.1 * $1 }
        }
      }
      (a, b) = (a.map { min(3, max(-1, $0)) }, b.map { min(3, max(-1, $0)) })
      let difference = zip(try run.output(a), try run.output(b)).map { $0 - $1 }
      for (index, norm) in Norm.allCases.enumerated() {
        let run = norm.length(zip(a, b).map { $0 - $1 })
        if run < 1e-6 { continue }
        let ratio = norm.length(difference) / run
        largest[index] = max(largest[index], ratio)
        if ratio > best[index]?.ratio ?? 0 { best[index] = (ratio, a, b) }
      }
    }
    for index in 0..<3 {
      #expect(largest[index] <= constants[index] * (1 + 1e-9), "\(Norm.allCases[index])")
    }
  }

  /// Without a bound of the input there is none of the layer, and the reason names what gives one.
  @Test func dotProductAttentionOfUnboundedInputsHasNone() throws {
    for layers in [
      "attention", "relu, attention", "tanh, conv_transpose: {filters: 4, kernel: 1}, attention",
    ] {
      let network = try network("lgc: 1\nname: t\nmodel: {input: [4, 3], layers: [\(layers)]}")
      guard case .unbounded(let reason) = network.nodes.last!.operation else {
        Issue.record("\(layers) has a bound")
        continue
      }
      #expect(reason.contains("data.range"))
    }
  }

  /// What the constant rests on decides whether it holds everywhere.
  @Test func aDomainIsStatedOnlyWhereTheInputsRangeIsRead() throws {
    func domain(_ layers: String) throws -> ClosedRange<Double>? {
      try network(
        """
        lgc: 1
        name: t
        data: {type: synthetic, range: [0, 0.1],
          standardize: {mean: [0.05, 0.05], deviation: [0.05, 0.1]}}
        model: {input: [2, 3], layers: [\(layers)]}
        """
      ).domain
    }
    #expect(try domain("relu, abs") == nil)
    #expect(try domain("tanh, attention") == nil)
    let found = try #require(try domain("relu, attention"))
    #expect(found.lowerBound <= -1 && found.lowerBound > -1.00001)
    // (0.1 − 0.05)/0.05, as float32 has it or not.
    #expect(found.upperBound >= 1 && found.upperBound < 1.00001)
  }

  /// Σ over a chain of the layers' constants in one norm, each from the run's weights.
  private func product(_ network: Network, _ norm: Norm, _ run: LayerRun) throws -> Double {
    var values: [Double] = []
    for node in network.nodes {
      let own = try constant(of: node, norm, run)
      let operands = node.inputs.map { input in
        if case .node(let index) = input { values[index] } else { 1.0 }
      }
      values.append(own * norm.length(operands))
    }
    return values.last! * (1 + 1e-12)
  }
}
