import Glibc
import ReferenceEngine
import Tensors
import Testing

@Suite struct ReferenceEngineTests {
  /// The one output of a graph over inputs given by name.
  private func evaluate(
    _ inputs: [String: [Double]] = [:], _ body: (GraphBuilder) -> Value
  ) throws -> [Double] {
    let g = GraphBuilder()
    let y = body(g)
    let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
    return try ReferenceEngine().evaluate(program, inputs: inputs)["y"]!
  }

  private let matrix: [Double] = [1, 2, 3, 4, 5, 6]  // 2×3

  @Test func dotTransposesEitherSide() throws {
    let b: [Double] = [1, 0, 2, 1, 0, 3]
    let product: [Double] = [5, 11, 14, 23]  // [1 2 3; 4 5 6] · [1 0; 2 1; 0 3]
    let inputs = ["a": matrix, "b": b]
    #expect(
      try evaluate(inputs) { g in g.dot(g.input("a", [2, 3]), g.input("b", [3, 2])) } == product)
    #expect(
      try evaluate(inputs) { g in
        g.dot(
          g.transpose(g.input("a", [2, 3]), [1, 0]), g.transpose(g.input("b", [3, 2]), [1, 0]),
          transposeLeft: true, transposeRight: true)
      } == product)
  }

  @Test func reindexingMovesTheDocumentedElements() throws {
    let inputs = ["a": matrix]
    func run(_ body: (GraphBuilder, Value) -> Value) throws -> [Double] {
      try evaluate(inputs) { g in body(g, g.input("a", [2, 3])) }
    }
    #expect(try run { g, a in g.transpose(a, [1, 0]) } == [1, 4, 2, 5, 3, 6])
    #expect(try run { g, a in g.sum(a, [0]) } == [5, 7, 9])
    #expect(try run { g, a in g.maximum(over: [1], a) } == [3, 6])
    #expect(try run { g, a in g.sum(a) } == [21])
    #expect(
      try run { g, a in g.slice(a, starts: [0, 0], limits: [2, 3], strides: [1, 2]) }
        == [1, 3, 4, 6])
    #expect(
      try run { g, a in g.pad(a, low: [1, 0], high: [0, 1], interior: [0, 1]) }
        == [0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0])
    #expect(
      try run { g, a in g.concatenate([a, g.negate(a)], axis: 1) }
        == [1, 2, 3, -1, -2, -3, 4, 5, 6, -4, -5, -6])
    #expect(
      try run { g, a in g.broadcast(a, to: [2, 2, 3], axes: [1, 2]) } == matrix + matrix)
    #expect(
      try run { g, a in g.broadcast(leading: g.sum(a, [1]), to: [2, 2]) } == [6, 6, 15, 15])
    #expect(try evaluate { g in g.iota([2, 3], axis: 0) } == [0, 0, 0, 1, 1, 1])
    #expect(try evaluate { g in g.iota([2, 3], axis: 1) } == [0, 1, 2, 0, 1, 2])
  }

  @Test func elementwiseFunctionsEqualTheirDefinitions() throws {
    let points: [Double] = [-1.5, -0.25, 0, 0.75, 2]
    func expected(_ op: Unary, _ x: Double) -> Double {
      switch op {
      case .negate: 0 - x
      case .exp: pow(M_E, x)
      case .log: log2(x) / log2(M_E)
      case .squareRoot: pow(x, 0.5)
      case .reciprocalSquareRoot: pow(x, -0.5)
      case .reciprocal: pow(x, -1)
      case .tanh: (exp(x) - exp(-x)) / (exp(x) + exp(-x))
      case .sigmoid: exp(x) / (1 + exp(x))
      case .relu: (x + abs(x)) / 2
      case .softplus: log(1 + exp(x))
      case .absolute: x.magnitude
      case .square: pow(x, 2)
      case .sine: cos(x - .pi / 2)
      case .cosine: sin(x + .pi / 2)
      case .erf: 1 - erfc(x)
      case .sign: x == 0 ? 0 : x / x.magnitude
      case .step: x > 0 ? 1 : 0
      }
    }
    for op in Unary.allCases {
      let positive = [.log, .squareRoot, .reciprocalSquareRoot].contains(op)
      let x = positive ? [0.25, 1, 3.5] : op == .reciprocal ? [-2, 0.5, 3] : points
      let y = try evaluate(["x": x]) { g in g.unary(op, g.input("x", [x.count])) }
      for (x, y) in zip(x, y) {
        #expect(abs(y - expected(op, x)) <= 1e-14 * max(1, abs(y)), "\(op)(\(x)) = \(y)")
      }
    }
  }

  @Test func binaryFunctionsEqualTheirDefinitions() throws {
    let x: [Double] = [1, 2, 3, 2.5]
    let y: [Double] = [2, 2, -1, 0]
    let expected: [Binary: [Double]] = [
      .add: [3, 4, 2, 2.5], .subtract: [-1, 0, 4, 2.5], .multiply: [2, 4, -3, 0],
      .divide: [0.5, 1, -3, .infinity], .maximum: [2, 2, 3, 2.5], .minimum: [1, 2, -1, 0],
      .power: [1, 4, 1.0 / 3, 1], .greater: [0, 0, 1, 1], .greaterOrEqual: [0, 1, 1, 1],
      .equal: [0, 1, 0, 0], .maskPositive: [1, 2, 0, 0],
    ]
    for op in Binary.allCases {
      let z = try evaluate(["x": x, "y": y]) { g in
        g.binary(op, g.input("x", [4]), g.input("y", [4]))
      }
      #expect(z == expected[op], "\(op)")
    }
    let chosen = try evaluate(["x": x, "y": y]) { g in
      g.select(g.input("y", [4]), g.input("x", [4]), g.constant(9, [4]))
    }
    #expect(chosen == [1, 2, 3, 9])
  }

  @Test func randomIsTheDocumentedWordOfPhilox() throws {
    let numbers = try evaluate(["c": [5]]) { g in
      g.random(stream: 0x299f_31d0_a409_3822, counter: g.input("c", []), [2, 3])
    }
    let first = Philox.block(key: (0xa409_3822, 0x299f_31d0), counter: (0, 0, 5, 0))
    let second = Philox.block(key: (0xa409_3822, 0x299f_31d0), counter: (1, 0, 5, 0))
    let words = [first.0, first.1, first.2, first.3, second.0, second.1]
    #expect(numbers == words.map { Double($0 >> 8) / 16_777_216 })
  }

  @Test func updatesTakeEffectTogetherAfterEveryRead() throws {
    let g = GraphBuilder()
    let (a, b) = (g.state("a", [2]), g.state("b", [2]))
    let swap = Program(
      name: "swap", graph: g.graph, outputs: [.init("old", a)],
      updates: [.init("a", b), .init("b", a)])
    let executable = try ReferenceEngine().executable([swap])
    try executable.writeState("a", [1, 2] as [Double])
    try executable.writeState("b", [3, 4] as [Double])
    try executable.run("swap")
    #expect(try executable.readState("a") == [3, 4])
    #expect(try executable.readState("b") == [1, 2])
    #expect(try executable.readOutput("old", of: "swap") == [1, 2])
    #expect(try executable.readState("a", count: 2) == [3, 4] as [Float])
    #expect(executable.stateBytes == 32)
  }

  @Test func misuseIsAnErrorThatNamesIt() throws {
    let g = GraphBuilder()
    let y = g.negate(g.input("x", [2]))
    let executable = try ReferenceEngine().executable([
      Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
    ])
    func message(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return "\(error)" }
      return nil
    }
    #expect(message { try executable.run("q") } == "no program 'q'")
    #expect(message { try executable.run("p") } == "input 'x' of 'p' was never written")
    #expect(
      message { try executable.writeInput("x", of: "p", [1] as [Double]) }
        == "1 numbers given for input 'x' of 'p', which is 2")
    #expect(
      message { try executable.writeInput("z", of: "p", [1] as [Double]) }
        == "program 'p' has no input 'z'")
    #expect(
      message { _ = try executable.readOutput("y", of: "p") } == "program 'p' has not run yet")
    #expect(message { _ = try executable.readState("w") } == "no state 'w'")
  }
}
