import ExactDefiniteness
import Formats
import Model
import Rounding
import Testing

@testable import Lipschitz

/// Weights of few bits, so that Jacobians of small networks are exact as float32.
private func coarse(
  _ network: Network, _ random: inout TestRandom, scale: (String) -> Float = { _ in 1 }
) -> [String: NamedTensor] {
  var tensors: [String: NamedTensor] = [:]
  for node in network.nodes {
    for declaration in node.weights {
      let name = node.tensorName(declaration.name)
      let values = (0..<declaration.shape.reduce(1, *)).map { _ in
        (Float(random.normal() * 2).rounded()) * scale(node.name)
      }
      tensors[name] = NamedTensor(name: name, shape: declaration.shape, values: .float32(values))
    }
  }
  return tensors
}

/// The Jacobian, row-major, where activation i of the network has the slopes `pattern[i]`.
private func jacobian(
  _ network: Network, _ weights: [String: NamedTensor], _ pattern: [Int: [Double]]
) -> [Double] {
  let inputs = network.inputShape.reduce(1, *)
  var values: [NetworkValue: [[Double]]] = [.input: (0..<inputs).map { row in
    (0..<inputs).map { $0 == row ? 1 : 0 }
  }]
  for (index, node) in network.nodes.enumerated() {
    let operands = node.inputs.map { values[$0]! }
    switch node.operation {
    case .linear(.dense(let weight, let outputs, let count)):
      guard case .float32(let w) = weights[node.tensorName(weight)]!.values else { continue }
      values[.node(index)] = (0..<outputs).map { row in
        (0..<inputs).map { column in
          (0..<count).reduce(0) { $0 + Double(w[row * count + $1]) * operands[0][$1][column] }
        }
      }
    case .linear(.diagonal(let weight, _)):
      guard case .float32(let w) = weights[node.tensorName(weight)]!.values else { continue }
      values[.node(index)] = zip(w, operands[0]).map { s, row in row.map { Double(s) * $0 } }
    case .linear(.scaling(let factor)):
      values[.node(index)] = operands[0].map { $0.map { factor * $0 } }
    case .elementwise:
      values[.node(index)] = zip(pattern[index]!, operands[0]).map { s, row in row.map { s * $0 } }
    case .weightedSum(let coefficients):
      values[.node(index)] = operands[0].indices.map { row in
        (0..<inputs).map { column in
          zip(coefficients, operands).reduce(0) { $0 + $1.0 * $1.1[row][column] }
        }
      }
    default: Issue.record("no Jacobian of \(node.kind)")
    }
  }
  return values[network.output]!.flatMap { $0 }
}

/// Every choice of extreme slopes; the norm of the Jacobian is largest at one of them, because it
/// is convex in each slope.
private func patterns(_ network: Network) -> [[Int: [Double]]] {
  var result: [[Int: [Double]]] = [[:]]
  for (index, node) in network.nodes.enumerated() {
    guard case .elementwise(let slopes) = node.operation else { continue }
    let count = node.outputShape.reduce(1, *)
    result = result.flatMap { pattern in
      (0..<1 << count).map { bits in
        var longer = pattern
        longer[index] = (0..<count).map { bits >> $0 & 1 == 0 ? slopes.lower : slopes.upper }
        return longer
      }
    }
  }
  return result
}

private func chain(_ sizes: [Int], _ activation: String) -> String {
  var text = "    input: [\(sizes[0])]\n    layers:\n"
  for (index, size) in sizes.dropFirst().enumerated() {
    text += "      - dense: {units: \(size), name: fc\(index + 1), bias: false}\n"
    if index + 2 < sizes.count { text += "      - \(activation)\n" }
  }
  return text
}

private func residual(_ size: Int, _ hidden: Int, _ mode: String, _ activation: String) -> String {
  func block(_ name: String) -> String {
    """
          - residual:
              mode: \(mode)
              layers:
                - dense: {units: \(hidden), name: \(name)a, bias: false}
                - \(activation)
                - dense: {units: \(size), name: \(name)b, bias: false}

    """
  }
  return "    input: [\(size)]\n    layers:\n" + block("p") + block("q")
    + "      - dense: {units: 2, name: out, bias: false}\n"
}

private let activations = ["relu", "leaky_relu: 0.25", "abs", "leaky_relu: 2", "scale: 0.5"]

/// Whether the bound holds for every pattern, decided in exact arithmetic.
private func expectSound(
  _ network: Network, _ weights: [String: NamedTensor], _ square: Double, _ label: String
) {
  let rows = network.outputShape.reduce(1, *)
  let columns = network.inputShape.reduce(1, *)
  for pattern in patterns(network) {
    let exact = jacobian(network, weights, pattern)
    let floats = exact.map { Float($0) }
    #expect(zip(exact, floats).allSatisfy { $0 == Double($1) }, "not exact: \(label)")
    let sign = exact_definiteness_of_square(Int32(rows), Int32(columns), floats, square)
    #expect(sign >= 0, "\(label): a Jacobian is steeper than √\(square)")
    if sign < 0 { return }
  }
}

private func evidence(
  _ network: Network, _ tensors: [String: NamedTensor]
) throws -> (weights: NetworkWeights, found: [JointEvidence]) {
  let weights = try NetworkWeights(network, tensors: tensors)
  var found: [JointEvidence] = []
  try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
    for stretch in network.jointStretches() {
      guard var bound = try JointBound(weights, stretch), let fast = bound.fast() else { continue }
      found.append(fast.evidence)
      if let joint = bound.improved(from: fast.multipliers) { found.append(joint) }
    }
  }
  return (weights, found)
}

@Suite struct JointBoundTests {
  @Test func chainsAreNeverBelowTheSteepestPattern() throws {
    var random = TestRandom(1)
    var count = 0
    for activation in activations {
      for sizes in [[3, 4, 2], [2, 3, 3, 2], [4, 1, 1, 3], [1, 2, 1], [2, 2, 2, 2, 1]] {
        let network = try network(chain(sizes, activation))
        for exponent in [0, 0, -40, 30] {
          let weights = coarse(network, &random) { _ in
            Float(sign: .plus, exponent: exponent, significand: 1)
          }
          for found in try evidence(network, weights).found {
            expectSound(network, weights, found.square, "\(sizes) \(activation) 2^\(exponent)")
            count += 1
          }
        }
      }
    }
    #expect(count > 120)
  }

  @Test func residualBlocksAreNeverBelowTheSteepestPattern() throws {
    var random = TestRandom(2)
    var count = 0
    for activation in activations {
      for mode in ["sum", "convex\n          weight: 0.25", "sum\n          weight: 0.5"] {
        let network = try network(residual(2, 2, mode, activation))
        for _ in 0..<3 {
          let weights = coarse(network, &random)
          for found in try evidence(network, weights).found {
            expectSound(network, weights, found.square, "residual \(mode) \(activation)")
            count += 1
          }
        }
      }
    }
    #expect(count > 60)
  }

  /// Zeros, one unit, layers of very different scale, denormal and huge weights: no bound at all is
  /// allowed, a wrong one is not.
  @Test func degenerateWeightsGiveNoWrongBound() throws {
    var random = TestRandom(3)
    let scales: [[Float]] = [
      [0, 1, 1], [1, 0, 1], [1, 1, 0], [0x1p-140, 1, 1], [0x1p120, 0x1p-60, 1],
      [0x1p-60, 0x1p60, 1], [1, 0x1p-80, 0x1p80], [0x1p100, 0x1p20, 0x1p-120],
    ]
    for scale in scales {
      for sizes in [[3, 2, 2, 2], [1, 1, 1, 1]] {
        let network = try network(chain(sizes, "relu"))
        let weights = coarse(network, &random) { scale[Int(String($0.last!))! - 1] }
        for found in try evidence(network, weights).found {
          expectSound(network, weights, found.square, "\(sizes) \(scale)")
        }
        let report = try certifiedBound(network: network, weights: weights, norms: [.l2])[0]
        #expect(report.upper <= report.product)
        let square = report.upper.value * report.upper.value
        if square.isFinite, square > 0x1p-200 {
          expectSound(network, weights, square * (1 + 1e-12), "report \(sizes) \(scale)")
        }
      }
    }
  }

  @Test func aSquareThatIsTooSmallIsRefused() throws {
    var random = TestRandom(4)
    var count = 0
    for activation in activations + ["tanh", "sigmoid"] {
      for text in [chain([5, 6, 4, 3], activation), residual(4, 3, "sum", activation)] {
        let network = try network(text)
        let tensors = tensors(network) { _, _ in Float(random.normal()) }
        let (weights, found) = try evidence(network, tensors)
        for found in found {
          #expect(found.isProved(weights))
          let lower = JointEvidence(
            entry: found.entry, exit: found.exit, activations: found.activations,
            square: found.square * (1 - 1e-5))
          #expect(!lower.isProved(weights), "\(activation)")
          let altered = JointEvidence(
            entry: found.entry, exit: found.exit,
            activations: found.activations.map {
              .init(node: $0.node, multipliers: $0.multipliers.map { $0 * .nan })
            }, square: found.square)
          #expect(found.activations.isEmpty || !altered.isProved(weights))
          count += 1
        }
      }
    }
    #expect(count > 20)
  }

  @Test func jointIsAtMostFastIsAtMostWhatIsReported() throws {
    var random = TestRandom(5)
    for activation in ["relu", "tanh", "sigmoid", "leaky_relu: 0.1"] {
      let network = try network(chain([12, 10, 8, 4], activation))
      let tensors = tensors(network) { _, _ in Float(random.normal() * 0.4) }
      let report = try certifiedBound(network: network, weights: tensors, norms: [.l2])[0]
      let uppers = Dictionary(uniqueKeysWithValues: report.methods.map { ($0.method, $0.upper) })
      let joint = try #require(uppers[.joint])
      #expect(try joint <= #require(uppers[.fast]))
      #expect(joint < report.product && report.upper <= joint)
      #expect(report.method == .joint && report.stretches.count == 1)
      // Steep patterns, by the power method in float64: below the bound.
      for _ in 0..<200 {
        var pattern: [Int: [Double]] = [:]
        for (index, node) in network.nodes.enumerated() {
          guard case .elementwise(let slopes) = node.operation else { continue }
          pattern[index] = (0..<node.outputShape.reduce(1, *)).map { _ in
            random.normal() < 0.3 ? slopes.upper : slopes.lower
          }
        }
        let floats = jacobian(network, tensors, pattern).map { Float($0) }
        let square = quadruple_rayleigh(4, 12, floats, 30)
        #expect(square.squareRoot() <= joint.value * (1 + 1e-6))
      }
    }
  }

  @Test func matricesWithNothingBetweenAreOneMatrix() throws {
    let network = try network("""
          input: [2]
          layers: [dense: {units: 2, name: a}, scale: 4, dense: {units: 2, name: b}, relu]
      """)
    let weights = tensors(network) { name, index in
      switch name {
      case "a.weight": [2, 0, 0, 0.5][index]
      case "b.weight": [0.5, 0, 0, 2][index]
      default: 0
      }
    }
    let report = try certifiedBound(network: network, weights: weights, norms: [.l2])[0]
    #expect(report.product.value >= 16)
    #expect(report.upper.value >= 4 && report.upper.value < 4 + 1e-6)
  }

  @Test func stretchesEndAtSortingAndAreTrimmed() throws {
    let network = try network("""
          input: [2, 3]
          layers:
            - flatten
            - dense: {units: 4, name: a}
            - relu
            - dense: {units: 4, name: b}
            - group_sort
            - relu
            - dense: {units: 4, name: c}
            - residual: {name: r, layers: [tanh, {dense: {units: 4, name: d}}]}
            - sigmoid
      """)
    let names = network.nodes.map(\.name)
    func name(_ value: NetworkValue) -> String {
      if case .node(let index) = value { names[index] } else { "input" }
    }
    let stretches = network.jointStretches()
    #expect(stretches.map { name($0.entry) } == ["flatten_1", names[names.firstIndex(of: "c")! - 1]])
    #expect(stretches.map { name($0.exit) } == ["b", "r"])
    #expect(name(stretches[1].root) == "c")
  }
}
