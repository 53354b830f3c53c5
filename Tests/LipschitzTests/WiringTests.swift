import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Testing

/// A network of branches at random: layers that read any earlier value, sums and concatenations,
/// parallel and residual blocks, repeats with one set of weights. At its end everything that
/// nothing reads is concatenated.
private struct RandomWiring {
  private var random: TestRandom
  private var values: [(name: String, width: Int, isRead: Bool)]
  private var lines: [String] = []

  init(_ seed: UInt64) {
    random = TestRandom(seed)
    values = [("input", 4, true)]
  }

  mutating func model() -> String {
    for index in 1...(3 + random.below(6)) { append("v\(index)") }
    let unread = values.indices.filter { !values[$0].isRead }
    let names = unread.map { values[$0].name }
    if names.count > 1 {
      lines.append("concat: {from: [\(names.joined(separator: ", "))]}")
      lines.append("dense: 3")
    } else {
      lines.append("dense: {units: 3, from: \(names[0])}")
    }
    return "    input: [4]\n    layers:\n" + lines.map { "      - \($0)" }.joined(separator: "\n")
  }

  private mutating func pick() -> Int {
    let index = random.below(values.count)
    values[index].isRead = true
    return index
  }

  private mutating func activation() -> String {
    ["relu", "tanh", "abs", "leaky_relu: -0.5", "softplus"][random.below(5)]
  }

  private mutating func append(_ name: String) {
    let source = pick()
    let (from, width) = (values[source].name, values[source].width)
    var result = width
    switch random.below(7) {
    case 0, 1:
      result = 2 + random.below(4)
      lines.append("dense: {name: \(name), units: \(result), from: \(from)}")
    case 2:
      lines.append("parallel: {name: \(name), from: \(from), combine: "
        + "\(["sum", "mean", "concat"][random.below(3)]), branches: [[dense: 3, \(activation())], "
        + "[dense: 3], [\(activation()), dense: 3]]}")
      result = lines.last!.contains("concat") ? 9 : 3
    case 3:
      lines.append("parallel: {name: \(name), from: \(from), combine: weighted, "
        + "weights: [0.5, -1.5], branches: [[], [dense: \(width), \(activation())]]}")
    case 4:
      lines.append("repeat: {name: \(name), from: \(from), times: 3, shared: true, layers: "
        + "[dense: \(width), \(activation())]}")
    case 5:
      let equal = values.indices.filter { values[$0].width == width }
      let other = equal[random.below(equal.count)]
      values[other].isRead = true
      lines.append("add: {name: \(name), from: [\(from), \(values[other].name)], "
        + "weights: [1, \(["-0.5", "2"][random.below(2)])]}")
    default:
      let other = pick()
      lines.append("concat: {name: \(name), from: [\(from), \(values[other].name)]}")
      result = width + values[other].width
    }
    values.append((name, result, false))
  }
}

@Suite struct WiringTests {
  @Test(arguments: 1...24 as ClosedRange<UInt64>)
  func noSlopeOfARandomGraphExceedsItsBoundAndTheCheckerAgrees(_ seed: UInt64) throws {
    var wiring = RandomWiring(seed)
    let model = wiring.model()
    let network = try network(model)
    var random = TestRandom(seed + 100)
    let tensors = tensors(network) { _, _ in Float(0.7 * random.normal()) }
    let weights = try NetworkWeights(network, tensors: tensors)
    let reports = try certifiedBound(weights, norms: Norm.allCases)
    for report in reports {
      #expect(report.upper.isFinite)
      let slope = try steepestSlope(
        weights, norm: report.norm, search: ReferenceEngine(), exact: ReferenceEngine())
      if let slope { #expect(slope.value.value <= report.upper.value, "\(report.norm) of\n\(model)") }
    }
    let certificate = try CertificateText(
      weights, reports: reports, tensors: Array(tensors.values))
    let claims = try certificate.verified().claims
    #expect(claims.map(\.norm) == Norm.allCases)
  }

  /// x ↦ (2x, 3x) and x ↦ 2x − 3x, and one matrix applied three times.
  @Test func branchesComposeByTheNormOfTheirBounds() throws {
    let cases: [(model: String, l1: Double, l2: Double, linf: Double)] = [
      ("concat: {from: [a, b]}", 5, 13.0.squareRoot(), 3),
      ("add: {from: [a, b], weights: [1, -1]}", 5, 5, 5),
      ("add: {from: [a, b], weights: [0.5, 2]}", 7, 7, 7),
      ("parallel: {from: a, combine: mean, branches: [[], [scale: 3]]}, add: {from: [parallel_1, b]}",
        7, 7, 7),
      ("parallel: {from: a, combine: concat, branches: [[scale: 3], [scale: 4]]}, "
        + "concat: {from: [parallel_1, b]}", 17, 109.0.squareRoot(), 8),
    ]
    for trial in cases {
      let network = try network(
        "  input: [2]\n  layers: [scale: {name: a, value: 2}, "
          + "scale: {name: b, value: 3, from: input}, \(trial.model)]")
      let reports = try certifiedBound(network: network, weights: [:], norms: Norm.allCases)
      for (report, expected) in zip(reports, [trial.l1, trial.l2, trial.linf]) {
        #expect(report.product.value >= expected * (1 - 1e-15), "\(trial.model)")
        #expect(report.product.value <= expected * (1 + 1e-12), "\(trial.model)")
      }
    }
  }

  @Test func aSharedMatrixCountsOncePerRound() throws {
    let network = try network(
      "  input: [2]\n  layers: [repeat: {times: 3, shared: true, layers: [dense: 2]}]")
    #expect(network.nodes.map { $0.weights.count } == [2, 0, 0])
    #expect(network.parameterCount == 6)
    #expect(Set(network.nodes.map { $0.tensorName("weight") }) == ["repeat_1.1.dense_1.weight"])
    let weights = tensors(network) { name, index in
      name.hasSuffix("weight") ? [1.5, 0, 0, 0.5][index] : 0
    }
    for report in try certifiedBound(network: network, weights: weights, norms: Norm.allCases) {
      #expect(abs(report.product.value - 3.375) < 1e-9)
    }
  }
}
