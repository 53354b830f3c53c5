import Constraints
import Diagnostics
import Layers
import Model
import Rounding
import Tensors
import Testing

private let example: [Double] = [3, 0, 4, 5]

/// AOL, clip and weight_norm.
@Suite struct HeldWeightTests {
  /// WᵀW = [[25, 20], [20, 25]]: every row of |WᵀW| sums to 45.
  @Test func almostOrthogonalHasItsPublishedValue() throws {
    let run = ConstraintRun(AlmostOrthogonal(arguments()), [2, 2])
    let found = try run(.reparametrise, example)
    #expect(distance(found.weight, example.map { $0 / 45.0.squareRoot() }) < 1e-9)
    let columns = try run(.reparametrise, [3, -8, 4, 6])
    #expect(distance(columns.weight, [0.6, -0.8, 0.8, 0.6]) < 1e-9, "orthogonal columns")
    let rows = ConstraintRun(
      AlmostOrthogonal(arguments(["of": AlmostOrthogonal.Side.outputs])), [2, 2])
    let found2 = try rows(.reparametrise, example)
    let (a, b) = (21.0.squareRoot(), 53.0.squareRoot())
    #expect(distance(found2.weight, [3 / a, 0, 4 / b, 5 / b]) < 1e-9)
  }

  /// Never above the bound, whatever the padding, stride, dilation and groups.
  @Test(arguments: kernels.indices)
  func almostOrthogonalConvolutionsNeverExceedTheBound(_ index: Int) throws {
    let (name, linear, shape) = kernels[index]
    let run = ConstraintRun(AlmostOrthogonal(arguments()), shape, linear, bound: 0.5)
    for seed in 0..<20 {
      // Kernels of one sign are the worst: nothing cancels.
      let weight = normals(shape, seed: UInt64(seed)).map { seed < 10 ? $0 : abs($0) }
      let found = try run(.reparametrise, weight)
      let matrix = operatorMatrix(linear) { _ in found.weight }
      let norm = singularValues(matrix, linear.outputCount, linear.inputCount)[0]
      #expect(norm <= 0.5 + 1e-9 && norm > 0.05, "\(name): \(norm)")
    }
  }

  @Test func clippingIsIntoTheCubeAndStaysBelowItsDecimal() throws {
    let run = ConstraintRun(Clip(arguments(["c": 0.1])), [2, 2])
    let inside = 0.09999999403953552  // the largest float32 below 0.1
    for call in [ConstraintRun.Call.project, .start] {
      let found = try run(call, [0.05, -3, 0.1, -0.02])
      #expect(found.weight == [0.05, -inside, inside, -0.02])
    }
    #expect(try run(.reparametrise, example).weight == example)
  }

  /// No weights in the cube have a larger norm, and for dense layers the cube's corner has that one.
  @Test(arguments: kernels.indices, Norm.allCases)
  func theBoundOfTheCubeHoldsEveryConvolution(_ index: Int, _ norm: Norm) throws {
    let (name, linear, shape) = kernels[index]
    let bound = try #require(Clip(arguments(["c": 0.25])).staticBound(linear, norm: norm)).bound
    for seed in 0..<10 {
      let weight = normals(shape, seed: UInt64(seed)).map { seed == 0 || $0 > 0 ? 0.25 : -0.25 }
      let matrix = operatorMatrix(linear) { _ in weight }
      let found = size(matrix, linear.outputCount, linear.inputCount, norm)
      #expect(found <= bound.value * (1 + 1e-12), "\(name)")
      // Corners lose a few windows to the border, no more.
      if seed == 0 { #expect(found > 0.5 * bound.value, "\(name): \(found) of \(bound)") }
    }
  }

  @Test(arguments: Norm.allCases)
  func theBoundOfTheCubeIsReachedByADenseLayer(_ norm: Norm) throws {
    let linear = LinearOperator.dense(weight: "w", outputs: 3, inputs: 5)
    let bound = try #require(Clip(arguments(["c": 0.25])).staticBound(linear, norm: norm)).bound
    let found = size([Double](repeating: 0.25, count: 15), 3, 5, norm)
    // The test's own singular values are rounded.
    #expect(abs(found - bound.value) <= 1e-14 * found)
  }

  private func size(_ a: [Double], _ rows: Int, _ columns: Int, _ norm: Norm) -> Double {
    switch norm {
    case .l2: singularValues(a, rows, columns)[0]
    case .linf:
      (0..<rows).map { i in (0..<columns).reduce(0) { $0 + abs(a[i * columns + $1]) } }.max()!
    case .l1:
      (0..<columns).map { j in (0..<rows).reduce(0) { $0 + abs(a[$1 * columns + j]) } }.max()!
    }
  }

  /// A layer that says `unconstrained` itself leaves what it would inherit.
  @Test func constraintsWithoutABoundHoldLayersWithoutOne() throws {
    for (settings, kinds) in [
      ("constraint: {type: clip, c: 1}", ["clip", "clip"]),
      ("lipschitz: unconstrained, constraint: weight_norm", ["weight_norm", "weight_norm"]),
    ] {
      let network = try network(
        "lgc: 1\nname: a\nmodel: {input: [4], \(settings), layers: [{dense: 3}, {dense: 2}]}")
      #expect(network.nodes.map { $0.constraint?.kind ?? "-" } == kinds)
      #expect(network.nodes.allSatisfy { $0.declared == nil })
    }
    let free = try network(
      "lgc: 1\nname: a\nmodel: {input: [4], constraint: {type: clip, c: 1}, layers: "
        + "[{dense: {units: 3, lipschitz: unconstrained}}]}")
    #expect(free.nodes[0].constraint == nil)
  }

  /// Training starts where it would without the constraint, and g is trained with the rest.
  @Test(arguments: kernels.indices)
  func weightNormStartsWithTheInitialWeight(_ index: Int) throws {
    let (name, linear, shape) = kernels[index]
    let run = ConstraintRun(WeightNorm(arguments()), shape, linear)
    let weight = normals(shape, seed: 4)
    let started = try run(.start, weight)
    #expect(started.weight == weight)
    let found = try run(.reparametrise, weight, state: started.state)
    #expect(distance(found.weight, weight) < 1e-12, "\(name)")
    // The gradient in V has no part along a unit's direction.
    let doubled = try run(.reparametrise, weight.map { $0 * 2 }, state: started.state)
    #expect(distance(doubled.weight, weight) < 1e-12, "\(name)")
  }

  @Test func trainedStateFollowsTheOptimizer() throws {
    let network = try network(
      "lgc: 1\nname: a\nmodel: {input: [4], constraint: weight_norm, layers: [{dense: 3}]}")
    let name = "dense_1.weight.weight_norm.g"
    #expect(network.trainedStates.map(\.name) == ["dense_1.weight", "dense_1.bias", name])
    #expect(network.trainedStates.last?.shape == [3])
    let held = Lowering.deployedWeights(network: network).outputs.map(\.name)
    #expect(held == ["dense_1.weight"])
    let clipped = try KindsTests.network(
      "lgc: 1\nname: a\nmodel: {input: [4], constraint: {type: clip, c: 1}, layers: [{dense: 3}]}")
    #expect(
      Lowering.constraintWarmup(network: clipped, iterations: 1)?.updates.map(\.state)
        == ["dense_1.weight", "dense_1.bias"])
  }
}
