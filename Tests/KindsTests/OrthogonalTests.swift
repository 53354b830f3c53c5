import CPUEngine
import Constraints
import Model
import ReferenceEngine
import Tensors
import Testing

private func orthogonal(_ values: [String: any Sendable] = [:]) throws -> Orthogonal {
  try Orthogonal(arguments(values))
}

private let methods: [[String: any Sendable]] = [
  [:], ["apply": Orthogonal.Application.lazy], ["apply": Orthogonal.Application.forward],
  ["apply": Orthogonal.Application.forward, "order": 3, "iterations": 9],
  ["method": Orthogonal.Method.cayley], ["method": Orthogonal.Method.exponential],
]

private let engines: [any Engine] = [ReferenceEngine(), CPUEngine()]
private let example: [Double] = [3, 0, 4, 5]

@Suite struct OrthogonalTests {
  @Test(arguments: [0, 1])
  func fifteenStepsGiveThePolarFactor(_ engine: Int) throws {
    let run = ConstraintRun(
      try orthogonal(["apply": Orthogonal.Application.forward]), [2, 2], engine: engines[engine])
    let found = try run(.reparametrise, example)
    #expect(distance(found.weight, [0.8944272, -0.4472136, 0.4472136, 0.8944272]) < 1e-6)
  }

  /// σ ↦ 3/2·σ − 1/2·σ³, from 1 and 1/3.
  @Test(arguments: [0, 1])
  func threeStepsOfBjorckHaveTheirPublishedValue(_ engine: Int) throws {
    let constraint = try orthogonal(
      ["apply": Orthogonal.Application.forward, "iterations": 3])
    let run = ConstraintRun(constraint, [2, 2], engine: engines[engine])
    let found = try run(.reparametrise, [1, 0, 0, 1 / 3.0])
    #expect(distance(found.weight, [1, 0, 0, 0.8516401007]) < 1e-6)
  }

  /// 1 + e/2 + 3/8·e² + 5/16·e³ + 35/128·e⁴ of e = 1 − σ², to each order.
  @Test(arguments: 1...4)
  func aStepOfEachOrderIsItsPolynomial(_ order: Int) throws {
    let constraint = try orthogonal(
      ["apply": Orthogonal.Application.forward, "iterations": 1, "order": order])
    let published: [[Double]] = [
      [1.5, -0.5], [15 / 8.0, -5 / 4.0, 3 / 8.0], [35 / 16.0, -35 / 16.0, 21 / 16.0, -5 / 16.0],
      [315 / 128.0, -105 / 32.0, 189 / 64.0, -45 / 32.0, 35 / 128.0],
    ]
    let sigma = 0.6
    var (expected, power) = (0.0, sigma)
    for coefficient in published[order - 1] {
      expected += coefficient * power
      power *= sigma * sigma
    }
    let found = try ConstraintRun(constraint, [2, 2])(.reparametrise, [1, 0, 0, sigma])
    #expect(distance(found.weight, [1, 0, 0, expected]) < 1e-12)
  }

  @Test(arguments: [0, 1])
  func cayleyHasItsPublishedValue(_ engine: Int) throws {
    let run = ConstraintRun(
      try orthogonal(["method": Orthogonal.Method.cayley]), [2, 2], engine: engines[engine])
    let started = try run(.start, [0, 1, 0, 0])
    let found = try run(.reparametrise, [0, 1, 0, 0], state: started.state)
    #expect(distance(found.weight, [0, -1, 1, 0]) < 1e-6)
    // Without a state it starts cold, and gets there as training goes on.
    let later = try run(.reparametrise, [0, 1, 0, 0], times: 10)
    #expect(distance(later.weight, [0, -1, 1, 0]) < 1e-6)
  }

  /// e^A of A = t·[[0, 1], [−1, 0]] is the rotation by t.
  @Test(arguments: [0.1, 2, 11])
  func theExponentialIsARotation(_ angle: Double) throws {
    let run = ConstraintRun(
      try orthogonal(["method": Orthogonal.Method.exponential]), [2, 2])
    let found = try run(.reparametrise, [0.3, angle, 0, -2])
    // The series stands for e^A; its own cosine is the one to compare with.
    let (c, s) = (cosine(angle), cosine(angle - 1.5707963267948966))
    #expect(distance(found.weight, [c, s, -s, c]) < 1e-6)
  }

  private func cosine(_ x: Double) -> Double { Unary.cosine.apply(x) }

  @Test(arguments: methods.indices, [[5, 4], [4, 7], [6, 6], [1, 5], [5, 1]])
  func everyMethodEndsWithEqualSingularValues(_ index: Int, _ shape: Shape) throws {
    let run = ConstraintRun(try orthogonal(methods[index]), shape, bound: 0.7)
    let weight = normals(shape, seed: 3).map { $0 * 0.4 }
    let warm = try run.warm(weight, steps: 8)
    let found = try run(.deploy, warm.weight, state: warm.state, mode: .evaluation)
    let values = singularValues(found.weight, shape[0], shape[1])
    #expect(values.allSatisfy { abs($0 - 0.7) < 1e-9 }, "\(values)")
    let trained = try run(.reparametrise, warm.weight, state: warm.state)
    #expect(
      singularValues(trained.weight, shape[0], shape[1]).allSatisfy { abs($0 - 0.7) < 0.05 })
  }

  /// σ of 4 beside ones near 1, as training makes them, and a matrix that then moves.
  @Test(arguments: [[8, 13], [13, 8], [9, 9]])
  func theFollowerArrivesAtThePolarFactorAndStaysThere(_ shape: Shape) throws {
    let run = ConstraintRun(try orthogonal(["apply": Orthogonal.Application.lazy]), shape)
    let exact = ConstraintRun(
      try orthogonal(["apply": Orthogonal.Application.forward, "iterations": 60]), shape)
    let start = try run(.start, normals(shape, seed: 11))
    let (u, v) = (normals([shape[0]], seed: 12), normals([shape[1]], seed: 13))
    let length = (u + v).reduce(0) { $0 + $1 * $1 } / 2
    let noise = normals(shape, seed: 14)
    func moved(_ share: Double) -> [Double] {
      start.weight.indices.map { index in
        let spike = 3 * u[index / shape[1]] * v[index % shape[1]] / length
        return start.weight[index] + share * (spike + 0.05 * noise[index])
      }
    }
    var state = start.state
    for step in 1...50 {
      let weight = moved(Double(step) / 50)
      let found = try run(.reparametrise, weight, state: state)
      state = found.state
      let values = singularValues(found.weight, shape[0], shape[1])
      #expect(values.allSatisfy { abs($0 - 1) < 1e-2 })
      let target = try exact(.reparametrise, weight).weight
      #expect(distance(found.weight, target) < 0.2)
    }
    let arrived = try run(.reparametrise, moved(1), state: state, times: 100)
    #expect(distance(arrived.weight, try exact(.reparametrise, moved(1)).weight) < 1e-9)
  }

  /// Where all singular values are equal the gradient is the polar factor's own, and elsewhere near.
  @Test(arguments: [[4, 7], [7, 4], [5, 5]], [0, 0.3])
  func theFollowerHasTheGradientOfThePolarFactor(_ shape: Shape, _ spread: Double) throws {
    let run = ConstraintRun(try orthogonal(["apply": Orthogonal.Application.lazy]), shape)
    let exact = ConstraintRun(
      try orthogonal(["apply": Orthogonal.Application.forward, "iterations": 60]), shape)
    let start = try run(.start, normals(shape, seed: 15))
    let weight = zip(start.weight, normals(shape, seed: 16)).map { 2.5 * $0 + spread * $1 }
    let state = try run(.reparametrise, weight, state: start.state, times: 100).state
    let pulled = normals(shape, seed: 17)
    let found = try run(.reparametrise, weight, state: state, pulled: pulled).gradients["w"]!
    let expected = try exact(.reparametrise, weight, pulled: pulled).gradients["w"]!
    let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(distance(found, expected) < (spread == 0 ? 1e-8 : 0.1 * length))
  }

  /// Rows in turn: after each update they go on towards the polar factor, from a σ at which the plain
  /// iteration diverges too.
  @Test(arguments: [[10, 14], [14, 10], [11, 11]], [3, 4, 11])
  func blocksOfRowsConvergeAlsoFromFarAway(_ shape: Shape, _ rows: Int) throws {
    let run = ConstraintRun(try orthogonal(["rows": rows]), shape)
    for scale in [0.5, 3] {
      let weight = normals(shape, seed: 5).map { $0 * scale }
      let found = try run(.project, weight, times: 400).weight
      let values = singularValues(found, shape[0], shape[1])
      #expect(values.allSatisfy { abs($0 - 1) < 1e-6 }, "\(scale): \(values)")
    }
  }

  /// Near an orthogonal matrix one turn over all rows leaves a quarter of the error or less.
  @Test func oneTurnReducesTheErrorOfANearlyOrthogonalMatrix() throws {
    let shape = [12, 20]
    let run = ConstraintRun(try orthogonal(["rows": 4]), shape)
    let start = try run(.start, normals(shape, seed: 6)).weight
    let weight = zip(start, normals(shape, seed: 7)).map { $0 + 0.01 * $1 }
    func error(_ w: [Double]) -> Double {
      singularValues(w, 12, 20).map { abs($0 - 1) }.max()!
    }
    let before = error(weight)
    let found = try run(.project, weight, times: 3)
    #expect(found.state["turn"] == [0])
    #expect(error(found.weight) < 0.4 * before, "\(before) to \(error(found.weight))")
  }

  @Test(arguments: methods.indices, kernels.indices)
  func aConvolutionEndsWithTheNormOfItsBound(_ index: Int, _ kernel: Int) throws {
    let (name, linear, shape) = kernels[kernel]
    let run = ConstraintRun(try orthogonal(methods[index]), shape, linear, bound: 0.7)
    let warm = try run.warm(normals(shape, seed: 8).map { $0 * 0.3 }, steps: 200)
    let found = try run(.deploy, warm.weight, state: warm.state, mode: .evaluation)
    let matrix = operatorMatrix(linear) { _ in found.weight }
    let largest = singularValues(matrix, linear.outputCount, linear.inputCount)[0]
    #expect(largest > 0.7 - 1e-9 && largest < 0.71, "\(name): \(largest)")
    // Each group's kernel is a multiple of an orthogonal matrix, the same for all.
    let groups = switch linear {
    case .convolution(_, let geometry), .transposedConvolution(_, let geometry): geometry.groups
    default: 1
    }
    let size = found.weight.count / groups
    let values = (0..<groups).flatMap { group in
      singularValues(
        Array(found.weight[group * size..<(group + 1) * size]), shape[0] / groups,
        size / (shape[0] / groups))
    }
    #expect(values.max()! - values.min()! < 1e-9, "\(name): \(values)")
  }
}
