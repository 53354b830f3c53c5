import Constraints
import Model
import ReferenceEngine
import Rounding
import Tensors
import Testing

/// What one constraint makes of a dense weight: W̄ and its pullback of G, and the projection.
private func apply(
  _ constraint: any Constraint, _ weight: [Double], _ shape: Shape, bound: Double = 1,
  norm: Norm = .l2, linear given: LinearOperator? = nil, pulled: [Double]? = nil
) throws -> (weight: [Double], gradient: [Double], projected: [Double]) {
  let linear = given ?? .dense(weight: "w", outputs: shape[0], inputs: shape[1])
  let g = GraphBuilder()
  let w = g.state("w", shape)
  var leaves: [String: Value] = [:]
  for declaration in constraint.state(shape, of: linear, norm: norm) {
    leaves[declaration.name] = g.state(declaration.name, declaration.shape)
  }
  let context = ConstraintContext(
    graph: g, mode: .training, linear: linear, norm: norm, state: leaves,
    tensor: { g.state($0, shape) })
  let result = constraint.reparametrise(w, bound: bound, context)
  let projected = constraint.project(w, bound: bound, context)
  let gradient = g.gradient(
    of: g.sum(g.multiply(result, g.input("G", shape))), with: [w])[0]
  let program = Program(
    name: "apply", graph: g.graph,
    outputs: [
      .init("weight", result), .init("gradient", gradient), .init("projected", projected),
    ], updates: context.updates.map { .init($0.name, $0.value) })
  let executable = try ReferenceEngine().executable([program])
  try executable.writeState("w", weight)
  for (name, value) in leaves {
    try executable.writeState(name, normals(g.shape(value), seed: 9))
  }
  try executable.writeInput("G", of: "apply", pulled ?? weight)
  try executable.run("apply")
  return (
    try executable.readOutput("weight", of: "apply"),
    try executable.readOutput("gradient", of: "apply"),
    try executable.readOutput("projected", of: "apply")
  )
}

private let example: [Double] = [3, 0, 4, 5]

@Suite struct ConstraintTests {
  /// W = [[3, 0], [4, 5]], G = [[1, 2], [−1, 0.5]].
  @Test func frobeniusWeightAndGradientHaveThePublishedValues() throws {
    let found = try apply(Frobenius(arguments()), example, [2, 2], pulled: [1, 2, -1, 0.5])
    let length = 50.0.squareRoot()
    #expect(distance(found.weight, example.map { $0 / length }) < 1e-12)
    #expect(
      distance(found.gradient, [0.12869343, 0.28284271, -0.15839192, 0.04949747]) < 1e-8)
  }

  @Test func frobeniusProjectionIsOntoTheBallAndLeavesItsInsideAlone() throws {
    let constraint = FrobeniusProjection(arguments())
    let outside = try apply(constraint, example, [2, 2], bound: 2)
    #expect(distance(outside.weight, example) == 0)
    #expect(distance(outside.projected, example.map { $0 * 2 / 50.0.squareRoot() }) < 1e-12)
    let inside = try apply(constraint, example, [2, 2], bound: 8)
    #expect(inside.projected == example)
  }

  /// ‖W‖₁ = 7 (columns), ‖W‖∞ = 9 (rows), ‖W‖₂ = √45.
  @Test(arguments: [(Norm.l1, 7.0), (.linf, 9), (.l2, 45.0.squareRoot())])
  func projectionMeasuresInTheNormOfTheBound(_ norm: Norm, _ size: Double) throws {
    let constraint = Projection(arguments(["iterations": 100]))
    let found = try apply(constraint, example, [2, 2], norm: norm)
    #expect(distance(found.projected, example.map { $0 / size }) < 1e-10)
    #expect(found.weight == example, "the forward pass sees the stored weight")
    let inside = try apply(constraint, example, [2, 2], bound: 100, norm: norm)
    #expect(inside.projected == example)
  }

  /// One input channel, two filters: Σ over a filter's taps, and over everything that reads a channel.
  @Test func projectionOfAConvolutionSumsOverTaps() throws {
    let geometry = ConvolutionGeometry(
      inputs: 1, outputs: 2, groups: 1, axes: [WindowAxis(extent: 6, kernel: 2)])
    let linear = LinearOperator.convolution(weight: "w", geometry)
    let w: [Double] = [1, -2, 3, 0.5]
    for (norm, size) in [(Norm.l1, 6.5), (.linf, 3.5)] {
      let found = try apply(
        Projection(arguments()), w, [2, 1, 2], norm: norm, linear: linear)
      #expect(distance(found.projected, w.map { $0 / size }) < 1e-12)
    }
  }

  @Test func afterAnUpdateTheSpectralNormIsTheBound() throws {
    let constraint = SpectralAfterUpdate(arguments(["iterations": 100]))
    for (bound, start) in [(1.0, example), (3.0, example.map { $0 / 100 })] {
      let found = try apply(constraint, start, [2, 2], bound: bound)
      let scale = start[0] / 3 * 45.0.squareRoot() / bound
      #expect(distance(found.projected, start.map { $0 / scale }) < 1e-9)
      #expect(found.weight == start)
    }
  }

  /// (1, 1) is orthogonal to the leading vector of [[1, −1], [−1, 1]]; random vectors are not, and a
  /// weight of zeros divides nothing by 0.
  @Test func noWeightGivesNaN() throws {
    for constraint in [
      Frobenius(arguments()), FrobeniusProjection(arguments()), Projection(arguments()),
      SpectralAfterUpdate(arguments()), Spectral(arguments(["init": Spectral.Start.ones])),
      Spectral(arguments()), AlmostOrthogonal(arguments()), WeightNorm(arguments()),
      Clip(arguments(["c": 0.5])), try Orthogonal(arguments()),
      try Orthogonal(arguments(["apply": Orthogonal.Application.forward])),
      try Orthogonal(arguments(["method": Orthogonal.Method.cayley])),
      try Orthogonal(arguments(["method": Orthogonal.Method.exponential])),
    ] as [any Constraint] {
      for weight in [[1, -1, -1, 1], [0, 0, 0, 0]] as [[Double]] {
        let found = try apply(constraint, weight, [2, 2])
        let numbers = found.weight + found.gradient + found.projected
        #expect(numbers.allSatisfy { $0.isFinite })
      }
    }
  }

  @Test(arguments: Norm.allCases)
  func constraintsThatMeasureInL2RefuseOtherNorms(_ norm: Norm) {
    let dense = LinearOperator.dense(weight: "w", outputs: 2, inputs: 2)
    for constraint in [
      Frobenius(arguments()), FrobeniusProjection(arguments()), SpectralAfterUpdate(arguments()),
    ] as [any Constraint] {
      #expect((constraint.refusal(dense, norm: norm) == nil) == (norm == .l2))
    }
    #expect(Projection(arguments()).refusal(dense, norm: norm) == nil)
  }
}
