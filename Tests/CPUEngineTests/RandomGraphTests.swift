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

    /// 5 000 graphs of all primitives: values, gradients and second gradients, as the engine
    /// computes them on one thread, of the program as it is and of the optimised one.
    @Test(arguments: 0..<50)
    func derivativesOfTwoOrdersAreThoseOfTheReference(batch: Int) async throws {
      let compared = try await withThrowingTaskGroup(of: Int.self) { group in
        for half in 0..<2 {
          group.addTask {
            var compared = 0
            for index in 0..<50 where try Self.compares(seed: batch * 100 + half * 50 + index) {
              compared += 1
            }
            return compared
          }
        }
        return try await group.reduce(0, +)
      }
      // The others have derivatives so large that float32 cannot tell right from wrong.
      #expect(compared >= 80)
    }

    /// Compares one graph; false where a number on the way is too large for float32.
    private static func compares(seed: Int) throws -> Bool {
      let graph = RandomGraph(seed: UInt64(10_000 + seed), nodes: 6 + seed % 11)
      var program = graph.differentiated()
      if seed % 2 == 1 { program = program.withoutStopGradients().optimized() }
      var everything = program
      everything.name = "everything"
      everything.outputs = program.graph.nodes.indices.map { .init("\($0)", Value($0)) }
      everything.updates = []
      let oracle = try ReferenceEngine().executable([program, everything])
      for (name, values) in graph.inputs {
        try oracle.writeInput(name, of: program.name, values)
        try oracle.writeInput(name, of: everything.name, values)
      }
      for (name, values) in graph.states where program.states[name] != nil {
        try oracle.writeState(name, values)
      }
      try oracle.run(everything.name)
      var largest = 1.0
      for output in everything.outputs {
        for value in try oracle.readOutput(output.name, of: everything.name) {
          largest = max(largest, value.isNaN ? .infinity : value.magnitude)
        }
      }
      guard largest < 1e4 else { return false }
      try oracle.run(program.name)

      let executable = try CPUEngine().compile([program], options: EngineOptions(threads: 1))
      for (name, values) in graph.inputs {
        try executable.writeInput(name, of: program.name, values)
      }
      for (name, values) in graph.states where program.states[name] != nil {
        try executable.writeState(name, values)
      }
      try executable.run(program.name)
      func expect(_ got: [Float], _ expected: [Double], _ what: String) {
        let error = zip(got, expected).reduce(0.0) { worst, pair in
          let error = (Double(pair.0) - pair.1).magnitude
          return error.isNaN ? .infinity : max(worst, error)
        }
        #expect(
          error <= 2e-5 * largest, "graph \(seed): \(what) is off by \(error) of \(largest)")
      }
      for output in program.outputs {
        let expected = try oracle.readOutput(output.name, of: program.name)
        let got = try executable.readOutput(output.name, of: program.name, count: expected.count)
        expect(got, expected, output.name)
      }
      for update in program.updates {
        let expected = try oracle.readState(update.state)
        let got = try executable.readState(update.state, count: expected.count)
        expect(got, expected, update.state)
      }
      return true
    }
  }
}
