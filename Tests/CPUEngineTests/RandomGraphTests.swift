import ReferenceEngine
import Tensors
import TensorsTestSupport
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// Programs that nobody would write, against the reference.
  @Suite struct RandomGraphTests {
    private func comparison(_ graph: RandomGraph) -> Comparison {
      var comparison = Comparison([graph.program], runs: [graph.program.name], seed: 1)
      for (name, values) in graph.inputs {
        comparison.inputs[graph.program.name, default: [:]][name] = values
      }
      for name in graph.program.states.keys { comparison.states[name] = graph.states[name]! }
      comparison.tolerance = 2e-5
      return comparison
    }

    @Test(arguments: 0..<150)
    func valuesAndUpdatesAreThoseOfTheReference(seed: Int) throws {
      let graph = RandomGraph(seed: UInt64(seed), nodes: 20 + seed % 7 * 20)
      var comparison = comparison(graph)
      comparison.plans = everyPlan
      comparison.threads = [1 + seed % 2]
      try comparison.check()
    }

    @Test(arguments: 0..<60)
    func gradientsAreThoseOfTheReference(seed: Int) throws {
      let graph = RandomGraph(seed: UInt64(500 + seed), nodes: 40)
      let g = GraphBuilder(graph.program.graph)
      let total = graph.program.outputs.map { g.sum($0.value) }.reduce(g.constant(0)) {
        g.add($0, $1)
      }
      let sources = g.graph.nodes.indices.filter { index in
        switch g.graph.nodes[index].op {
        case .input, .state: true
        default: false
        }
      }.map(Value.init)
      let gradients = g.gradient(of: total, with: sources)
      let program = Program(
        name: graph.program.name, graph: g.graph,
        outputs: gradients.enumerated().map { .init("d\($0)", $1) })
      var comparison = comparison(graph)
      comparison.programs = [program]
      comparison.plans = everyPlan
      comparison.threads = [1 + seed % 2]
      try comparison.check()
    }

    @Test(arguments: 0..<60)
    func optimizedProgramsToo(seed: Int) throws {
      let graph = RandomGraph(seed: UInt64(1000 + seed), nodes: 80)
      var comparison = comparison(graph)
      let expected = try comparison.results(of: ReferenceEngine(), EngineOptions())
      comparison.programs = [graph.program.optimized()]
      comparison.states = comparison.states.filter {
        comparison.programs[0].states.keys.contains($0.key)
      }
      comparison.inputs["random"] = comparison.inputs["random", default: [:]].filter {
        comparison.programs[0].inputs.keys.contains($0.key)
      }
      let got = try comparison.results(of: CPUEngine(), EngineOptions())
      for (name, values) in got {
        #expect(largestError(values, expected[name]!) < 2e-5, "\(name)")
      }
    }
  }
}
