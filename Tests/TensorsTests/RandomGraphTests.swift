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
    for (name, values) in a {
      // By a state that simplification found unused.
      let isNothing = name.hasPrefix("d.") && values.allSatisfy { $0 == 0 }
      let other = b[name] ?? (isNothing ? values : [])
      #expect(values.count == other.count, "\(what): \(name)")
      for (x, y) in zip(values, other) {
        #expect(abs(x - y) <= tolerance * max(1, abs(x)), "\(what): \(name) is \(y), not \(x)")
      }
    }
  }

  @Test func everyPrimitiveOccurs() {
    var met: Set<String> = []
    for seed in 0..<300 as Range<UInt64> {
      met.formUnion(RandomGraph(seed: seed).program.graph.nodes.map(\.op.primitive.mnemonic))
    }
    #expect(met == everyMnemonic, "missing: \(everyMnemonic.subtracting(met))")
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
    ("simplification", { $0.simplified() }), ("scalars", { $0.withScalarsOutOfContractions() }),
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

  /// First and second gradients of the graph as it is, of the graph optimised before each
  /// differentiation, and of the whole optimised at the end agree.
  @Test(arguments: 0..<10) func passesKeepDerivatives(batch: UInt64) throws {
    var compared = 0
    for seed in batch * 30..<(batch + 1) * 30 {
      let graph = RandomGraph(seed: seed, nodes: 20)
      let plain = graph.differentiated()
      let before = try results(graph, plain)
      guard before.values.joined().allSatisfy({ abs($0) < 1e6 }) else { continue }
      compared += 1
      let forwardFirst = graph.differentiated { $0.optimized() }
      expectEqual(
        before, try results(graph, forwardFirst), within: 1e-7, "graph \(seed), optimised first")
      expectEqual(
        before, try results(graph, plain.withoutStopGradients().optimized()), within: 1e-7,
        "graph \(seed), optimised last")
    }
    #expect(compared > 15)
  }

  /// Derivatives of everything drawn reach through every primitive that has one.
  @Test func everyPrimitiveOccursInDerivatives() {
    var met: Set<String> = []
    for seed in Self.seeds {
      met.formUnion(
        RandomGraph(seed: seed, nodes: 20).differentiated().withoutDeadCode()
          .graph.nodes.map(\.op.primitive.mnemonic))
    }
    #expect(met.isSuperset(of: Convolution.Form.allCases.map { Convolution($0, axes: []).mnemonic }))
    #expect(met.isSuperset(of: Window.Form.allCases.map { Window($0, axes: []).mnemonic }))
    #expect(met.isSuperset(of: ["take", "put"]))
  }
}
