import Tensors
import TensorsTestSupport
import Testing

@testable import CPUEngine

@Suite struct RandomGraphTests {
  /// Programs of all primitives, as drawn and optimised, under every plan. Twenty or so roundings
  /// lie between a leaf and an output, each magnified by the slopes on its way.
  @Test func randomGraphsHaveTheReferenceEnginesValues() throws {
    for seed in UInt64(0)..<60 {
      let graph = RandomGraph(seed: seed)
      for program in [graph.program, graph.program.optimized()] {
        var comparison = Comparison([program], runs: ["random"], seed: seed)
        comparison.inputs = ["random": graph.inputs]
        comparison.states = graph.states.filter { program.states[$0.key] != nil }
        comparison.plans = everyPlan
        comparison.tolerance = 2e-5
        try comparison.check()
      }
    }
  }
}
