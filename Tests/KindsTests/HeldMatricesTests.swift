import Constraints
import Diagnostics
import Layers
import Model
import ReferenceEngine
import Rounding
import Tensors
import Testing

/// Constraints on layers whose constant follows from several matrices.
@Suite struct HeldMatricesTests {
  static let layers = [
    "rnn: {units: 3}", "rnn: {units: 3, nonlinearity: relu, output: sequence}",
    "lstm: {units: 3}", "gru: {units: 3}", "gru: {units: 2, bias: false}", "attention: {kind: l2}",
    "attention: {lipschitz_norm: true, heads: 2}",
  ]

  private func node(
    _ layer: String, _ settings: String = "  lipschitz: 0.7\n  constraint: spectral\n"
  ) throws -> LayerNode {
    try network(layerDocument(layer, input: [4, 3], settings: settings)).nodes[0]
  }

  /// Matrices at their bounds and numbers as they start give the declared bound, not much less.
  @Test(arguments: layers)
  func theDeclaredBoundIsSplitWithoutWaste(_ layer: String) throws {
    let node = try node(layer)
    let held = node.heldMatrices
    #expect(held.count >= 2 && node.isHeld)
    guard case .stored(let constants) = node.operation else { return }
    let found = constants.l2.value { step in
      switch step {
      case .norm(let rows, let norm):
        let matrix = held.first { $0.name == rows.weight }!
        let linear = LinearOperator.dense(
          weight: rows.weight, outputs: rows.rows.count, inputs: rows.columns)
        return UpperBound(proved: matrix.bound) * normFactor(linear, from: .l2, to: norm)
      case .largest(let weight):
        guard case .uniform(let bound) = node.weights.first(where: { $0.name == weight })!
          .initializer
        else { return .unknown }
        return UpperBound(proved: bound)
      default: return .unknown
      }
    }.value
    #expect(found <= 0.7 && found > 0.69, "\(found)")
  }

  /// W̄ of every matrix stands in the deployed network with its own bound.
  @Test(arguments: layers)
  func everyMatrixIsHeldInTraining(_ layer: String) throws {
    let network = try network(
      layerDocument(
        layer, input: [4, 3],
        settings: "  lipschitz: 0.7\n  constraint: {type: spectral, iterations: 60, init: ones}\n"))
    let node = network.nodes[0]
    let program = Lowering.deployedWeights(network: network)
    #expect(program.outputs.count == node.heldMatrices.count)
    let executable = try ReferenceEngine().executable([program])
    for (index, weight) in node.weights.enumerated() where weight.isConstrained {
      try executable.writeState(
        node.tensorName(weight.name), normals(weight.shape, seed: UInt64(index)))
    }
    try executable.run(program.name)
    for matrix in node.heldMatrices {
      let name = node.tensorName(matrix.name)
      let norm = Norm.l2.operatorNorm(
        try executable.readOutput(name, of: program.name), matrix.linear.outputCount,
        matrix.linear.inputCount)
      #expect(abs(norm - matrix.bound) < 0.03 * matrix.bound, "\(name): \(norm) of \(matrix.bound)")
    }
  }

  @Test func clippedMatricesHaveABoundWithoutWeights() throws {
    let node = try node("gru: {units: 2}", "  constraint: {type: clip, c: 0.01}\n")
    for norm in Norm.allCases { #expect(node.boundOfHeldMatrices(norm).isFinite) }
    #expect(node.boundOfHeldMatrices(.l2).value < 0.2)
  }

  @Test func aClipThatCannotKeepTheBoundIsRefused() throws {
    let text = layerDocument(
      "rnn: 4", input: [4, 3], settings: "  lipschitz: 0.5\n  constraint: {type: clip, c: 1}\n")
    let error = #expect(throws: DiagnosticError.self) { try network(text) }
    #expect(error?.diagnostics.first?.code == .boundNotHeld)
    #expect(error?.diagnostics.first?.message.contains("above the declared bound 0.5") == true)
  }

  @Test func aNormThatTheConstraintCannotHoldIsRefused() throws {
    let text = layerDocument(
      "lstm: 4", input: [4, 3],
      settings: "  lipschitz: {norm: linf, bound: 1}\n  constraint: spectral\n")
    let error = #expect(throws: DiagnosticError.self) { try network(text) }
    #expect(error?.diagnostics.first?.code == .constraintNorm)
  }

  /// A constraint that would hold nothing says so where it is written, and is no matter inherited.
  @Test(arguments: [
    ("sll: {units: 2, constraint: spectral}", "[5]", "1-Lipschitz in l2 whatever its weights are"),
    ("householder: {size: 2, constraint: spectral}", "[4]", "1-Lipschitz in l2 whatever"),
    ("layer_norm: {lipschitz: 1}", "[4]", "no weight matrix that a constraint could hold"),
    ("attention: {constraint: spectral}", "[4, 3]", "not Lipschitz where its input has no bound"),
    ("relu: {lipschitz: 1}", "[4]", "has no weights"),
  ])
  func aConstraintThatHoldsNothingIsRefused(
    _ layer: String, _ input: String, _ part: String
  ) throws {
    let text = "lgc: 1\nname: t\nmodel: {input: \(input), lipschitz: 1, layers: [\(layer)]}"
    let error = #expect(throws: DiagnosticError.self) { try network(text) }
    let message = error?.diagnostics.first?.message ?? ""
    #expect(message.contains(part), "\(message)")
    let kind = layer.split(separator: ":")[0]
    let inherited = "lgc: 1\nname: t\nmodel: {input: \(input), lipschitz: 1, constraint: spectral, "
      + "layers: [\(kind)]}"
    #expect(try network(inherited).nodes[0].declared == nil)
  }
}
