import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct RandomTests {
    /// Blocks of four, tails, and a size that is divided between threads.
    @Test(arguments: [1, 2, 3, 4, 5, 63, 64, 65, 1003, 50_001])
    func numbersAreThoseOfTheReference(count: Int) throws {
      for stream in [0, 1, 0xDEAD_BEEF_0123_4567] as [UInt64] {
        let g = GraphBuilder()
        let step = g.state("step", [])
        let y = g.random(stream: stream, counter: step, [count])
        let updates = [Program.Update("step", g.add(step, 1))]
        let program = Program(
          name: "p", graph: g.graph, outputs: [.init("y", y)], updates: updates)
        var comparison = Comparison([program], runs: ["p", "p"], seed: 1)
        comparison.states["step"] = [41]
        comparison.tolerance = 0
        try comparison.check()
      }
    }

    @Test func theCounterMayBeComputedOrConstant() throws {
      let g = GraphBuilder()
      let a = g.random(stream: 3, counter: g.constant(7), [2, 9])
      let b = g.random(stream: 3, counter: g.multiply(g.input("x", []), 2), [2, 9])
      let outputs = [Program.Output("a", a), .init("b", g.add(a, b))]
      let program = Program(name: "p", graph: g.graph, outputs: outputs)
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      comparison.inputs["p"]!["x"] = [16_777_216]
      comparison.tolerance = 1e-7
      try comparison.check()
    }
  }
}
