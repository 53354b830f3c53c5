import Constraints
import Model
import ReferenceEngine
import Tensors
import Testing

/// W̄, its pullback of G, and the state after one application, in Double.
private func apply(
  _ weight: [Double], _ shape: Shape, bound: Double = 1, iterations: Int = 1,
  mode: LoweringMode = .training, state: [String: [Double]], pulled: [Double]
) throws -> (weight: [Double], gradient: [Double], state: [String: [Double]]) {
  let constraint = Spectral(arguments(["iterations": iterations]))
  let linear: LinearOperator =
    shape.count == 2
    ? .dense(weight: "w", outputs: shape[0], inputs: shape[1])
    : .diagonal(weight: "w", count: shape.elementCount)
  let g = GraphBuilder()
  let w = g.state("w", shape)
  var leaves: [String: Value] = [:]
  for declaration in constraint.state(shape, of: linear, norm: .l2) {
    leaves[declaration.name] = g.state(declaration.name, declaration.shape)
  }
  let context = ConstraintContext(
    graph: g, mode: mode, linear: linear, norm: .l2, state: leaves,
    tensor: { g.state($0, shape) })
  let result = constraint.reparametrise(w, bound: bound, context)
  let gradient = g.gradient(
    of: g.sum(g.multiply(result, g.input("G", shape))), with: [w])[0]
  let program = Program(
    name: "apply", graph: g.graph,
    outputs: [.init("weight", result), .init("gradient", gradient)],
    updates: context.updates.map { .init($0.name, $0.value) })
  let executable = try ReferenceEngine().executable([program])
  try executable.writeState("w", weight)
  for (name, values) in state { try executable.writeState(name, values) }
  try executable.writeInput("G", of: "apply", pulled)
  try executable.run("apply")
  var after: [String: [Double]] = [:]
  for name in leaves.keys { after[name] = try executable.readState(name) as [Double] }
  return (
    try executable.readOutput("weight", of: "apply"),
    try executable.readOutput("gradient", of: "apply"), after
  )
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

@Suite struct SpectralTests {
  /// Worked by hand: W = [[3, 0], [4, 5]], σ = √45, G = [[1, 2], [−1, 0.5]].
  @Test func weightAndGradientHaveThePublishedValues() throws {
    let found = try apply(
      [3, 0, 4, 5], [2, 2], iterations: 60, state: ["u": [1, 0], "v": [0.8, 0.6]],
      pulled: [1, 2, -1, 0.5])
    let root = 45.0.squareRoot()
    #expect(distance(found.weight, [3 / root, 0, 4 / root, 5 / root]) < 1e-11)
    #expect(
      distance(found.gradient, [0.14161764, 0.29068884, -0.17143188, 0.05217492]) < 1e-8)
  }

  /// With u, v constant: ∂/∂W = (k/σ̂)·(G − ⟨G, W⟩/σ̂ · u·vᵀ), whether they have converged or not.
  @Test(arguments: [(1, 1.0), (3, 0.5)])
  func gradientIsTheFormulaWithTheVectorsConstant(_ iterations: Int, _ bound: Double) throws {
    let (rows, columns) = (5, 4)
    let w = normals([rows, columns], seed: 1)
    let pulled = normals([rows, columns], seed: 2)
    let found = try apply(
      w, [rows, columns], bound: bound, iterations: iterations,
      state: ["u": normals([rows], seed: 3), "v": normals([columns], seed: 4)], pulled: pulled)
    let (u, v) = (found.state["u"]!, found.state["v"]!)
    #expect(abs(dot(u, u) - 1) < 1e-12 && abs(dot(v, v) - 1) < 1e-12)
    let outer = u.flatMap { x in v.map { x * $0 } }
    let sigma = dot(outer, w)
    #expect(distance(found.weight, w.map { bound * $0 / sigma }) < 1e-11)
    let share = dot(pulled, w) / sigma
    let expected = zip(pulled, outer).map { bound / sigma * ($0 - share * $1) }
    #expect(distance(found.gradient, expected) < 1e-11)
    #expect(abs(dot(found.gradient, w)) < 1e-10, "the gradient is orthogonal to W")
  }

  @Test func eachApplicationAdvancesTheVectorsOnlyInTraining() throws {
    let w = normals([3, 6], seed: 1)
    let state = ["u": [1.0, 0, 0], "v": [0, 1.0, 0, 0, 0, 0]]
    let pulled = normals([3, 6], seed: 2)
    let once = try apply(w, [3, 6], state: state, pulled: pulled)
    let again = try apply(w, [3, 6], state: once.state, pulled: pulled)
    let twice = try apply(w, [3, 6], iterations: 2, state: state, pulled: pulled)
    #expect(distance(again.state["u"]!, twice.state["u"]!) < 1e-14)
    #expect(distance(again.state["v"]!, twice.state["v"]!) < 1e-14)
    let frozen = try apply(w, [3, 6], mode: .evaluation, state: once.state, pulled: pulled)
    #expect(frozen.state == once.state)
    #expect(distance(frozen.weight, once.weight) < 1e-14)
  }

  @Test func aWeightOfZerosStaysZero() throws {
    let zeros = [Double](repeating: 0, count: 6)
    let found = try apply(
      zeros, [2, 3], state: ["u": [1, 0], "v": [0, 1, 0]],
      pulled: [Double](repeating: 1, count: 6))
    #expect(found.weight == zeros)
    #expect(found.gradient.allSatisfy { $0.isFinite })
  }

  @Test func aScaleInsideTheBallIsLeftAloneAndOneOutsideIsScaledOntoIt() throws {
    let pulled = [1.0, 1, 1]
    let inside = try apply([0.5, -1, 0.25], [3], state: [:], pulled: pulled)
    #expect(inside.weight == [0.5, -1, 0.25])
    #expect(inside.gradient == pulled)
    let outside = try apply([1, -4, 2], [3], bound: 2, state: [:], pulled: pulled)
    #expect(distance(outside.weight, [0.5, -2, 1]) < 1e-15)
    // Onto the sphere max |s| = 2 the radial part is lost: ⟨gradient, s⟩ = 0.
    #expect(abs(dot(outside.gradient, [1, -4, 2])) < 1e-14)
  }

  @Test func spectralHoldsDenseWeightsInL2Only() {
    let spectral = Spectral(arguments())
    let dense = LinearOperator.dense(weight: "weight", outputs: 2, inputs: 3)
    #expect(spectral.refusal(dense, norm: .l2) == nil)
    #expect(spectral.refusal(dense, norm: .l1) != nil)
    #expect(spectral.refusal(dense, norm: .linf) != nil)
    #expect(spectral.refusal(.diagonal(weight: "weight", count: 3), norm: .linf) == nil)
  }
}
