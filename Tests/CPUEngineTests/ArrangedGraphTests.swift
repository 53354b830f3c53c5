import Tensors
import Testing

@testable import CPUEngine

/// Programs around convolutions drawn at random: what an engine may compute in an arrangement of
/// its own, mixed with what it may not.
struct RandomArrangedProgram {
  private let g = GraphBuilder()
  private var numbers: Numbers
  private var inputs = 0
  /// Tensors [2, channels, 6, 6] and others of four axes.
  private var values: [Value] = []
  private(set) var program: Program
  private var outputs: [Value] = []

  init(seed: UInt64, gradients: Bool) {
    numbers = Numbers(seed: seed &+ 77)
    program = Program(name: "p", graph: Graph(), outputs: [])
    values = [convolved(leaf([2, pick([1, 3, 16]), 6, 6]))]
    for _ in 0..<14 { grow() }
    var results = outputs + [values.last!]
    if gradients {
      let total = results.map { g.sum(g.multiply($0, 0.1)) }.reduce(g.constant(0)) { g.add($0, $1) }
      let leaves = g.graph.nodes.indices.filter { index in
        if case .input = g.graph.nodes[index].op { true } else { false }
      }.map(Value.init)
      results = g.gradient(of: total, with: leaves)
    }
    program = Program(
      name: "p", graph: g.graph,
      outputs: results.enumerated().map { Program.Output("v\($0)", $1) })
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int(numbers.next() >> 33) % elements.count]
  }

  private mutating func leaf(_ shape: Shape) -> Value {
    inputs += 1
    return g.input("x\(inputs)", shape)
  }

  private mutating func convolved(_ x: Value) -> Value {
    let shape = g.shape(x)
    let axes = shape[2...].map { WindowAxis(extent: $0, kernel: 3, low: 1, high: 1) }
    let weight = leaf([pick([16, 32, 16, 5]), shape[1], 3, 3])
    let small = g.multiply(weight, 1 / Double(shape[1] * 3))
    return g.convolution(x, small, axes: axes)
  }

  private mutating func grow() {
    let x = pick(values.suffix(3).map(\.self))
    let shape = g.shape(x)
    let made: Value
    switch pick(Array(0..<15)) {
    case 0, 1: made = convolved(x)
    case 2: made = g.unary(pick([.tanh, .sine, .sigmoid]), x)
    case 3:
      let others = values.filter { g.shape($0) == shape }
      made = g.binary(pick([.add, .subtract, .multiply]), x, pick(others))
    case 4, 5:
      let axes = pick([[1], [0], [0, 1], [2, 3], [1, 2], [1, 2, 3], [], [3]])
      let source = leaf(axes.map { shape[$0] })
      made = g.binary(
        pick([.add, .multiply]), x, g.broadcast(source, to: shape, axes: axes))
    case 6, 7:
      let axes = pick([[0, 2, 3], [1, 2, 3], [2, 3], [0, 1, 2, 3], [1], [3]])
      let kept = (0..<4).filter { !axes.contains($0) }
      let sum = g.multiply(g.sum(g.unary(.tanh, x), axes), 0.1)
      outputs.append(sum)
      made = g.multiply(x, g.broadcast(sum, to: shape, axes: kept))
    case 8:
      let starts = [0, pick([0, 0, 1 % shape[1]]), 0, 1]
      made = g.slice(x, starts: starts, limits: shape, strides: [1, 1, 2, 1])
    case 9:
      made = g.pad(x, low: [0, 0, 1, 0], high: [0, 0, 0, 1], interior: [0, 0, 0, 0])
    case 10: made = g.concatenate([x, g.unary(.sine, x)], axis: pick([0, 1, 3]))
    case 11:
      let axis = pick([1, 2, 3])
      let places = (0..<shape[axis]).map { ($0 * 2 + 1) % shape[axis] }
      made = g.take(x, axis: axis, places: places)
    case 12:
      let axis = pick([1, 1, 2, 3])
      guard shape[axis] % 2 == 0 else { return }
      let mask = shape[axis] % 16 == 0 ? pick([1, 3, 15]) : 1
      made = g.exchange(x, axis: axis, mask: mask)
    case 13:
      let axes = shape[2...].map { WindowAxis(extent: $0, kernel: 2, stride: 1, low: 1) }
      made = pick([true, false])
        ? g.windowMaximum(x, axes: axes) : g.multiply(g.window(.sum, x, axes: axes), 0.25)
    default:
      let flat = g.reshape(x, to: [shape[0], shape.elementCount / shape[0]])
      made = g.reshape(g.unary(.tanh, flat), to: shape)
    }
    if g.shape(made).elementCount < 6000, g.shape(made)[2...].allSatisfy({ $0 > 1 }) {
      values.append(made)
    }
  }
}

extension CPUEngineTests {
  @Suite struct ArrangedGraphTests {
    private func check(_ program: Program, seed: Int) throws {
      var comparison = Comparison(
        [program], runs: ["p"], seed: UInt64(seed) &+ 5, range: -1...1)
      comparison.tolerance = 1e-5
      comparison.threads = [1 + seed % 2]
      comparison.plans = ([nil] + Arrangement.allCases).flatMap { arrangement in
        [true, false].map { PlanOptions(fusion: $0, inPlace: $0, arrangement: arrangement) }
      }
      try comparison.check()
    }

    @Test(arguments: 0..<60)
    func everyArrangementGivesTheValuesOfTheReference(seed: Int) throws {
      try check(RandomArrangedProgram(seed: UInt64(seed), gradients: false).program, seed: seed)
    }

    @Test(arguments: 100..<140)
    func andItsGradients(seed: Int) throws {
      try check(RandomArrangedProgram(seed: UInt64(seed), gradients: true).program, seed: seed)
    }
  }
}
