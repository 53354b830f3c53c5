import ReferenceEngine
import Tensors
import TensorsTestSupport
import Testing

@Suite struct RandomGraphTests {
  private static let seeds: Range<UInt64> = 0..<120

  /// Outputs and states after one run.
  private func results(_ graph: RandomGraph, _ program: Program) throws -> [String: [Double]] {
    let executable = try ReferenceEngine().executable([program])
    for (name, values) in graph.inputs { try executable.writeInput(name, of: "random", values) }
    for (name, values) in graph.states where program.states[name] != nil {
      try executable.writeState(name, values)
    }
    try executable.run("random")
    var results: [String: [Double]] = [:]
    for output in program.outputs {
      results[output.name] = try executable.readOutput(output.name, of: "random")
    }
    for update in program.updates {
      results["state \(update.state)"] = try executable.readState(update.state)
    }
    return results
  }

  private func expectEqual(
    _ a: [String: [Double]], _ b: [String: [Double]], within tolerance: Double, _ what: String
  ) {
    #expect(Set(a.keys) == Set(b.keys))
    for (name, values) in a {
      let other = b[name] ?? []
      #expect(values.count == other.count, "\(what): \(name)")
      for (x, y) in zip(values, other) {
        #expect(abs(x - y) <= tolerance * max(1, abs(x)), "\(what): \(name) is \(y), not \(x)")
      }
    }
  }

  @Test func everyPrimitiveOccurs() {
    var met: Set<String> = []
    for seed in Self.seeds {
      met.formUnion(RandomGraph(seed: seed).program.graph.nodes.map(\.op.primitive.mnemonic))
    }
    #expect(met == everyMnemonic)
  }

  @Test func theSameSeedGivesTheSameGraph() {
    let (a, b) = (RandomGraph(seed: 3), RandomGraph(seed: 3))
    #expect(a.program.text == b.program.text && a.inputs == b.inputs && a.states == b.states)
    #expect(a.program.text != RandomGraph(seed: 4).program.text)
  }

  @Test func everyPassKeepsEveryValue() throws {
    for seed in Self.seeds {
      let graph = RandomGraph(seed: seed)
      let before = try results(graph, graph.program)
      for (name, pass) in passes {
        let program = pass(graph.program)
        try program.verify()
        expectEqual(
          before, try results(graph, program), within: 1e-9, "graph \(seed) after \(name)")
      }
    }
  }

  private let passes: [(String, (Program) -> Program)] = [
    ("simplification", { $0.simplified() }), ("scalars", { $0.withScalarsOutOfDots() }),
    ("common subexpressions", { $0.withoutCommonSubexpressions() }),
    ("dead code", { $0.withoutDeadCode() }), ("stop_gradient", { $0.withoutStopGradients() }),
    ("all", { $0.optimized() }),
  ]

  @Test func optimisationReachesAFixpoint() {
    for seed in Self.seeds {
      let once = RandomGraph(seed: seed).program.optimized()
      #expect(once.optimized().text == once.text, "graph \(seed)")
      #expect(once.graph.nodes.count <= RandomGraph(seed: seed).program.graph.nodes.count)
    }
  }

  /// Gradients of the graph as it is, of the optimised one, and of the optimised gradient agree.
  @Test func passesKeepDerivatives() throws {
    for seed in Self.seeds.prefix(60) {
      let graph = RandomGraph(seed: seed, nodes: 25)
      let plain = differentiated(graph.program)
      let before = try results(graph, plain)
      guard before.values.joined().allSatisfy({ abs($0) < 1e6 }) else { continue }
      let forwardFirst = differentiated(graph.program.optimized())
      expectEqual(
        before, try results(graph, forwardFirst), within: 1e-7, "graph \(seed), forward optimised")
      expectEqual(
        before, try results(graph, plain.withoutStopGradients().optimized()), within: 1e-7,
        "graph \(seed), gradient optimised")
    }
  }

  /// ∂(Σ of all outputs)/∂ each input.
  private func differentiated(_ program: Program) -> Program {
    let g = GraphBuilder(program.graph)
    let total = program.outputs.map { g.sum($0.value) }.reduce(g.constant(0)) { g.add($0, $1) }
    let leaves = program.graph.nodes.enumerated().compactMap { (index, node) -> (String, Value)? in
      guard case .input(let leaf) = node.op else { return nil }
      return (leaf.name, Value(index))
    }
    let slopes = g.gradient(of: total, with: leaves.map(\.1))
    return Program(
      name: "random", graph: g.graph,
      outputs: zip(leaves, slopes).map { .init("d\($0.0)", $1) })
  }
}
