import Diagnostics
import Formats
import Model
import ReferenceEngine
import Rounding
import Testing

@testable import Lipschitz

private let mlp = """
    input: [6]
    layers:
      - dense: {units: 5, name: fc1}
      - relu
      - dense: {units: 4, name: fc2}
      - tanh
      - dense: {units: 3, name: fc3}
  """
private let residual = """
    input: [6]
    layers:
      - dense: {units: 6, name: start}
      - residual:
          mode: convex
          weight: 0.25
          layers:
            - dense: {units: 8, name: up}
            - group_sort
            - dense: {units: 6, name: down}
      - residual:
          mode: sum
          layers:
            - scale: {value: 0.5, learned: true, name: gain}
            - sigmoid
      - dense: {units: 2, name: end}
  """

private func gaussians(_ network: Network, seed: UInt64) -> [String: NamedTensor] {
  var random = TestRandom(seed)
  return tensors(network) { _, _ in Float(random.normal()) }
}

/// Slopes between random pairs, in float64 on the reference engine.
private func largestSampledSlope(
  _ network: Network, _ weights: [String: NamedTensor], _ norm: Norm
) throws -> Double {
  var random = TestRandom(77)
  let batch = 200
  let inputs = network.inputShape.reduce(1, *)
  let outputs = network.outputShape.reduce(1, *)
  let program = Lowering.forward(network: network, batch: batch, mode: .deployed)
  var state: [String: [Double]] = [:]
  for (name, tensor) in weights {
    if case .float32(let values) = tensor.values { state[name] = values.map(Double.init) }
  }
  let a = (0..<batch * inputs).map { _ in random.normal() }
  let b = a.map { $0 + 0.05 * random.normal() }
  let engine = ReferenceEngine()
  let fa = try engine.evaluate(program, inputs: ["x": a], state: state)["y"]!
  let fb = try engine.evaluate(program, inputs: ["x": b], state: state)["y"]!
  func length(_ x: [Double]) -> Double {
    switch norm {
    case .l1: x.reduce(0) { $0 + abs($1) }
    case .l2: x.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .linf: x.reduce(0) { max($0, abs($1)) }
    }
  }
  return (0..<batch).map { sample in
    let i = sample * inputs..<(sample + 1) * inputs
    let o = sample * outputs..<(sample + 1) * outputs
    return length(zip(fa[o], fb[o]).map(-)) / length(zip(a[i], b[i]).map(-))
  }.max()!
}

@Suite struct NetworkBoundTests {
  @Test(arguments: [mlp, residual], Norm.allCases)
  func sampledSlopesAndTheSearchedSlopeLieBelowTheBound(_ model: String, _ norm: Norm) throws {
    let network = try network(model)
    for seed in 1...3 as ClosedRange<UInt64> {
      let weights = gaussians(network, seed: seed)
      let report = try #require(
        try certifiedBound(network: network, weights: weights, norms: [norm]).first)
      let sampled = try largestSampledSlope(network, weights, norm)
      #expect(sampled <= report.upper.value)
      #expect(report.upper <= report.product)
      let checked = try NetworkWeights(network, tensors: weights)
      let slope = try #require(
        try steepestSlope(
          checked, norm: norm, search: ReferenceEngine(), exact: ReferenceEngine()))
      #expect(slope.value.value <= report.upper.value)
      #expect(slope.value.value >= sampled, "the search finds more than random pairs do")
    }
  }

  @Test func aChainIsTheProductOfItsLayers() throws {
    let network = try network(mlp)
    let weights = gaussians(network, seed: 4)
    for norm in Norm.allCases {
      let report = try certifiedBound(network: network, weights: weights, norms: [norm])[0]
      let product = report.layers.reduce(1) { $0 * $1.bound.upper.value }
      #expect(abs(report.product.value / product - 1) < 1e-14)
      #expect(report.layers.map(\.name) == network.nodes.map(\.name))
    }
  }

  @Test func oneLayerIsItsNormAndTheSearchReachesIt() throws {
    let network = try network("    input: [2]\n    layers: [{dense: {units: 2, name: fc}}]")
    // [[3, 4], [0, 0]]: L2 norm 5, largest column sum 4, largest row sum 7.
    let weights = tensors(network) { name, index in name == "fc.weight" ? [3, 4, 0, 0][index] : 1 }
    let checked = try NetworkWeights(network, tensors: weights)
    for (norm, expected) in [(Norm.l1, 4.0), (.l2, 5), (.linf, 7)] {
      let report = try certifiedBound(checked, norms: [norm])[0]
      #expect(report.upper.value >= expected && report.upper.value < expected * (1 + 1e-9))
      let slope = try #require(
        try steepestSlope(
          checked, norm: norm, search: ReferenceEngine(), exact: ReferenceEngine()))
      #expect(slope.value.value <= expected && slope.value.value > expected * (1 - 1e-4))
    }
  }

  /// W₂W₁ with cancelling signs: |W₂||W₁| sees the structure that the norms' product does not.
  @Test func absoluteValuesBeatTheProductWhereRowsAreUneven() throws {
    let network = try network(
      """
          input: [2]
          layers:
            - dense: {units: 2, name: a}
            - relu
            - dense: {units: 2, name: b}
      """)
    // |B||A|1 = [[0, 1], [0, 1]]·[9, 1] = [1, 1]; the product is 9 · 1.
    let weights = tensors(network) { name, index in
      switch name {
      case "a.weight": [9, 0, 0, 1][index]
      case "b.weight": [0, 1, 0, -1][index]
      default: 0
      }
    }
    let reports = try certifiedBound(network: network, weights: weights, norms: [.linf, .l1, .l2])
    #expect(reports[0].product.value == 9)
    #expect(reports[0].method == .absoluteValues)
    #expect(reports[0].upper.value >= 1 && reports[0].upper.value < 1 + 1e-12)
    // Backward: c(relu) = |B|ᵀ(1, 1) = (0, 2), c(input) = |A|ᵀ(0, 2) = (0, 2); product 9 · 2.
    #expect(reports[1].product.value == 18)
    #expect(reports[1].upper.value >= 2 && reports[1].upper.value < 2 + 1e-12)
    #expect(reports[2].upper <= reports[2].product)
  }

  @Test func convexResidualWithHalvesOfOneIsOne() throws {
    let network = try network(
      """
          input: [4]
          layers:
            - residual:
                mode: convex
                weight: 0.5
                layers: [{dense: {units: 4, name: fc, bias: false}}, relu]
      """)
    let weights = tensors(network) { _, index in index % 5 == 0 ? 1 : 0 }
    let reports = try certifiedBound(network: network, weights: weights, norms: [.l1, .linf])
    #expect(reports.allSatisfy { $0.upper.value == 1 })
    let block = try #require(reports[0].residualBlocks.first)
    #expect(block.body.value == 1 && block.whole.value == 1)
  }

  @Test func sumResidualIsOnePlusItsBody() throws {
    let network = try network(
      """
          input: [4]
          layers:
            - scale: 3
            - residual:
                layers: [{dense: {units: 4, name: fc, bias: false}}]
      """)
    let weights = tensors(network) { _, index in index % 5 == 0 ? 2 : 0 }
    let report = try certifiedBound(network: network, weights: weights, norms: [.linf])[0]
    #expect(report.upper.value == 9)
    #expect(report.residualBlocks[0].body.value == 2)
    #expect(report.residualBlocks[0].whole.value == 3)
  }

  @Test func zeroWeightsMakeTheBoundZero() throws {
    let network = try network(mlp)
    let weights = tensors(network) { name, _ in name == "fc2.weight" ? 0 : 1 }
    for norm in Norm.allCases {
      #expect(
        try certifiedBound(network: network, weights: weights, norms: [norm])[0].upper == .zero)
    }
  }
}

@Suite struct WeightProblemTests {
  private func messages(
    _ network: Network, _ weights: [String: NamedTensor]
  ) -> [String] {
    do {
      _ = try certifiedBound(network: network, weights: weights, norms: [.l2])
      return []
    } catch {
      return error.diagnostics.map(\.message)
    }
  }

  @Test func everyTensorThatIsWrongIsNamed() throws {
    let network = try network(mlp)
    var weights = gaussians(network, seed: 1)
    weights["fc1.weight"] = nil
    weights["fc2.bias"]!.shape = [2, 2]
    weights["fc3.bias"]!.values = .float32([0, .infinity, 0])
    weights["fc9.weight"] = NamedTensor(name: "fc9.weight", shape: [1], values: .float32([1]))
    #expect(messages(network, weights) == [
      "there is no tensor fc1.weight (5×6) in the weights",
      "tensor fc2.bias is 2×2 where the model has 4",
      "weight fc3.bias[1] is inf",
      "tensor fc9.weight belongs to no layer of the model",
    ])
  }

  @Test func aNumberThatIsNotFiniteIsNamedByItsIndex() throws {
    let network = try network(mlp)
    for bad in [Float.nan, .infinity, -.infinity] {
      var weights = gaussians(network, seed: 1)
      guard case .float32(var values) = weights["fc2.weight"]!.values else { return }
      values[7] = bad
      weights["fc2.weight"]!.values = .float32(values)
      #expect(messages(network, weights) == ["weight fc2.weight[1, 2] is \(bad)"])
    }
  }
}

@Suite struct SHA256Tests {
  /// FIPS 180-4 examples and lengths around the block border.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
  ])
  func knownDigests(_ message: String, _ digest: String) {
    #expect(SHA256.hexadecimal(Array(message.utf8)) == digest)
  }

  @Test func aMillionLettersInUnevenPieces() {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 100_000)
    var hash = SHA256()
    var left = 1_000_000
    for size in [1, 63, 64, 65, 127, 1000] {
      bytes.withUnsafeBytes { hash.update(.init(rebasing: $0[..<size])) }
      left -= size
    }
    while left > 0 {
      let size = min(left, 99_999)
      bytes.withUnsafeBytes { hash.update(.init(rebasing: $0[..<size])) }
      left -= size
    }
    #expect(
      hash.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }
}
