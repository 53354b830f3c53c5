import ReferenceEngine
import Tensors
import TensorsTestSupport
import Testing

@Suite struct GradientTests {
  /// First derivatives of f = Σ w⊙y(x), in x and in w, and second ones, those of Σ vᵢ⊙∂f/∂xᵢ,
  /// against central differences.
  @Test(arguments: OpKind.allCases)
  func derivativesEqualCentralDifferences(of kind: OpKind) throws {
    let samples = gradientSamples(of: kind)
    #expect(!samples.isEmpty)
    for (number, sample) in samples.enumerated() {
      try check(sample, asState: kind == .state, seed: UInt64(number))
    }
  }

  @Test func everyPrimitiveIsSampled() {
    var met: Set<String> = []
    for kind in OpKind.allCases {
      for sample in gradientSamples(of: kind) {
        let g = GraphBuilder()
        let x = sample.shapes.enumerated().map { (index, shape) in
          kind == .state ? g.state("x\(index)", shape) : g.input("x\(index)", shape)
        }
        _ = sample.body(g, x)
        met.formUnion(g.graph.nodes.map(\.op.primitive.mnemonic))
      }
    }
    #expect(met == everyMnemonic)
  }

  private func check(_ sample: GradientSample, asState: Bool, seed: UInt64) throws {
    var generator = PhiloxGenerator(seed: seed, stream: sample.description)
    let g = GraphBuilder()
    let x = sample.shapes.enumerated().map { (index, shape) in
      asState ? g.state("x\(index)", shape) : g.input("x\(index)", shape)
    }
    var point: [String: [Double]] = [:]
    for (index, shape) in sample.shapes.enumerated() {
      point["x\(index)"] = numbers(shape, sample.domains[index], &generator, index)
    }
    let y = sample.body(g, x)
    let w = g.input("w", g.shape(y))
    point["w"] = numbers(g.shape(y), .any, &generator, 0)
    let f = g.sum(g.multiply(w, y))
    let sources = x.indices.filter { !sample.stopped.contains($0) }.map { ("x\($0)", x[$0]) }
    let first = g.gradient(of: f, with: sources.map(\.1) + [w])
    try compare(g, f, sources + [("w", w)], first, at: point, "\(sample), first")

    var s = g.constant(0)
    for (index, slope) in first.dropLast().enumerated() {
      let v = g.input("v\(index)", g.shape(slope))
      point["v\(index)"] = numbers(g.shape(slope), .any, &generator, 0)
      s = g.add(s, g.sum(g.multiply(v, slope)))
    }
    let second = g.gradient(of: s, with: sources.map(\.1) + [w])
    try compare(g, s, sources + [("w", w)], second, at: point, "\(sample), second")

    for index in sample.stopped {
      let none = g.gradient(of: f, with: [x[index]])[0]
      let values = try evaluate(g, none, at: point)
      #expect(values.allSatisfy { $0 == 0 }, "\(sample): operand \(index) is stopped")
    }
  }

  /// With h = 2⁻¹⁵ truncation is about h²/6 = 2e-10 times the third derivative, and rounding
  /// 1e-16/h = 3e-12 times the value.
  private func compare(
    _ g: GraphBuilder, _ f: Value, _ sources: [(String, Value)], _ slopes: [Value],
    at point: [String: [Double]], _ what: String
  ) throws {
    let h = 0x1p-15
    for ((name, source), slope) in zip(sources, slopes) {
      #expect(g.shape(slope) == g.shape(source))
      let exact = try evaluate(g, slope, at: point)
      for element in point[name]!.indices {
        var moved = point
        moved[name]![element] += h
        let above = try evaluate(g, f, at: moved)[0]
        moved[name]![element] = point[name]![element] - h
        let below = try evaluate(g, f, at: moved)[0]
        let difference = (above - below) / (2 * h)
        #expect(
          abs(difference - exact[element]) <= 1e-6 * max(1, abs(difference)),
          "\(what) derivative by \(name)[\(element)]: \(exact[element]), not \(difference)")
      }
    }
  }

  private func evaluate(
    _ g: GraphBuilder, _ y: Value, at point: [String: [Double]]
  ) throws -> [Double] {
    let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)]).withoutDeadCode()
    let inputs = point.filter { program.inputs[$0.key] != nil }
    let state = point.filter { program.states[$0.key] != nil }
    return try ReferenceEngine().evaluate(program, inputs: inputs, state: state)["y"]!
  }

  private func numbers(
    _ shape: Shape, _ domain: GradientSample.Domain, _ generator: inout PhiloxGenerator,
    _ operand: Int
  ) -> [Double] {
    switch domain {
    case .any: return (0..<shape.elementCount).map { _ in 4 * generator.uniform() - 2 }
    case .positive: return (0..<shape.elementCount).map { _ in 0.2 + 1.8 * generator.uniform() }
    case .nonzero:
      return (0..<shape.elementCount).map { _ in
        (0.2 + 1.8 * generator.uniform()) * (generator.uniform() < 0.5 ? -1 : 1)
      }
    case .distinct:
      // Multiples of 0.1 whose squares differ too, shifted between operands by 0.05.
      let ranks = Array(1...max(1, shape.elementCount)).shuffled(using: &generator)
      return ranks.map { Double($0) * 0.1 * ($0 % 2 == 0 ? 1 : -1) + 0.05 * Double(operand) }
    }
  }

  // MARK: special points

  private func slope(
    at x: [Double], order: Int = 1, _ body: (GraphBuilder, Value) -> Value
  ) throws -> [Double] {
    let g = GraphBuilder()
    let source = g.input("x", [x.count])
    var y = body(g, source)
    for _ in 0..<order { y = g.gradient(of: g.sum(y), with: [source])[0] }
    return try evaluate(g, y, at: ["x": x])
  }

  @Test func powersHaveFiniteDerivativesOfEveryOrderAtZeroAndBelow() throws {
    let x: [Double] = [0, -1.5, 2]
    func power(_ k: Double, _ order: Int) throws -> [Double] {
      try slope(at: x, order: order) { g, x in g.binary(.power, x, g.constant(k, [3])) }
    }
    #expect(try power(0, 1) == [0, 0, 0])
    #expect(try power(1, 1) == [1, 1, 1])
    #expect(try power(1, 2) == [0, 0, 0])
    #expect(try power(2, 2) == [2, 2, 2])
    #expect(try power(2, 3) == [0, 0, 0])
    #expect(try power(3, 2) == [0, -9, 12])
  }

  @Test func anExponentAtBaseZeroGetsNoCotangent() throws {
    let zeros = try slope(at: [1.5, 2]) { g, y in g.binary(.power, g.constant(0, [2]), y) }
    #expect(zeros == [0, 0])
  }

  @Test func aTieOfMaximumFlowsToTheFirstAndOfReduceMaximumIsShared() throws {
    let tie = try slope(at: [1, 3]) { g, x in g.binary(.maximum, x, g.constant(1, [2])) }
    #expect(tie == [1, 1])
    let other = try slope(at: [1, 3]) { g, x in g.binary(.maximum, g.constant(1, [2]), x) }
    #expect(other == [0, 1])
    let shared = try slope(at: [2, 1, 2]) { g, x in g.maximum(over: [0], x) }
    #expect(shared == [0.5, 0, 0.5])
  }

  @Test func aValueUsedTwiceGetsTheSumOfBothCotangents() throws {
    let x: [Double] = [0.5, -2]
    #expect(try slope(at: x) { g, x in g.divide(x, x) } == [0, 0])
    #expect(try slope(at: x) { g, x in g.multiply(x, x) } == [1, -4])
    #expect(try slope(at: x) { g, x in g.subtract(x, x) } == [0, 0])
  }

  @Test func reluAtZeroHasSlopeZero() throws {
    #expect(try slope(at: [0, -0.0, 1]) { g, x in g.unary(.relu, x) } == [0, 0, 1])
  }

  @Test func sourcesThatDependOnEachOtherGetTotalDerivatives() throws {
    let g = GraphBuilder()
    let x = g.input("x", [])
    let z = g.square(x)
    let y = g.multiply(z, x)
    let slopes = g.gradient(of: y, with: [x, z, y, g.input("other", [2])])
    let values = try slopes.map { try evaluate(g, $0, at: ["x": [3], "other": [0, 0]]) }
    #expect(values == [[27], [3], [1], [0, 0]])
  }

  @Test func aSeedWeighsTheElements() throws {
    let g = GraphBuilder()
    let (x, seed) = (g.input("x", [2]), g.input("seed", [2]))
    let slope = g.gradient(of: g.square(x), with: [x], seed: seed)[0]
    #expect(try evaluate(g, slope, at: ["x": [3, 5], "seed": [1, -2]]) == [6, -20])
  }

  @Test func nodesOfAGradientHaveTheOriginOfWhatTheyDifferentiate() {
    let g = GraphBuilder()
    let x = g.input("x", [2])
    let y = g.with(origin: Origin(name: "fc1")) { g.unary(.tanh, x) }
    let before = g.graph.nodes.count
    _ = g.gradient(of: y, with: [x])
    let made = g.graph.nodes[(before + 1)...]
    #expect(made.allSatisfy { $0.origin?.name == "fc1" } && !made.isEmpty)
  }
}
