import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// What a program computes from states that it leaves alone is computed when they change.
  @Suite struct PreparationTests {
    private let axes = [WindowAxis(extent: 6, kernel: 3), WindowAxis(extent: 6, kernel: 3)]

    /// y = x∗(w/‖w‖), and a program that changes w.
    private func programs() -> [Program] {
      let g = GraphBuilder()
      let w = g.state("w", [16, 16, 3, 3])
      let norm = g.unary(.squareRoot, g.sum(g.square(w)))
      let scaled = g.divide(w, g.broadcast(norm, to: g.shape(w), axes: []))
      let y = g.convolution(g.input("x", [2, 16, 6, 6]), scaled, axes: axes)
      let h = GraphBuilder()
      let old = h.state("w", [16, 16, 3, 3])
      let new = h.add(old, h.multiply(h.input("step", h.shape(old)), 0.1))
      return [
        Program(name: "forward", graph: g.graph, outputs: [.init("y", y), .init("norm", norm)]),
        Program(name: "change", graph: h.graph, outputs: [], updates: [.init("w", new)]),
      ]
    }

    @Test func resultsFollowEveryChangeOfTheState() throws {
      var comparison = Comparison(
        programs(),
        runs: ["forward", "forward", "change", "forward", "change", "change", "forward"], seed: 1)
      comparison.plans = everyPlan + everyPlan.map {
        var plan = $0
        plan.preparation = false
        return plan
      }
      try comparison.check()
    }

    /// c is read with an input, and then a step that needs no input writes in c's place.
    @Test func whatTheRunReadsIsNotWrittenOverBefore() throws {
      let g = GraphBuilder()
      let (w, v) = (g.state("w", [5, 5]), g.state("v", [5, 5]))
      let c = g.dot(w, v, transposeRight: true)
      let y = g.multiply(c, g.input("x", [5, 5]))
      let sum = g.sum(g.multiply(c, w))
      var comparison = Comparison(
        [Program(name: "p", graph: g.graph, outputs: [.init("y", y), .init("sum", sum)])],
        runs: ["p", "p"], seed: 4)
      comparison.plans = everyPlan
      try comparison.check()
    }

    @Test func aWrittenStateIsPreparedAnew() throws {
      let executable = try CPUEngine().compile(programs(), options: EngineOptions(threads: 1))
      let x = [Float](repeating: 1, count: 2 * 16 * 36)
      try executable.writeInput("x", of: "forward", x)
      func first(_ weights: [Float]) throws -> (Float, Float) {
        try executable.writeState("w", weights)
        try executable.run("forward")
        return (
          try executable.readOutput("y", of: "forward", count: 2 * 16 * 16)[0],
          try executable.readOutput("norm", of: "forward", count: 1)[0]
        )
      }
      let count = 16 * 16 * 9
      let ones = try first([Float](repeating: 1, count: count))
      #expect(abs(ones.1 - 48) < 1e-4 && abs(ones.0 - 3) < 1e-5)
      let negative = try first([Float](repeating: -2, count: count))
      #expect(abs(negative.1 - 96) < 1e-4 && abs(negative.0 + 3) < 1e-5)
    }

    @Test func onlyTheConvolutionIsLeftOfTheRun() throws {
      let executable = try CPUEngine().compileForCPU(
        programs(), options: EngineOptions(threads: 1))
      let steps = try executable.profiledSteps(of: "forward").map(\.label)
      #expect(!steps.contains { $0.contains("pack") || $0.contains("divide") }, "\(steps)")
      #expect(steps.contains { $0.contains("convolution") }, "\(steps)")
      let text = try executable.planText("forward")
      #expect(text.contains("steps after a change of state\n  0"), "\(text)")
      #expect(text.contains("pack weights"), "\(text)")
    }

    /// Random numbers are drawn at every run, and an updated state is read at every run.
    @Test func whatChangesWithEveryRunIsComputedInIt() throws {
      let g = GraphBuilder()
      let counter = g.state("counter", [])
      let noise = g.add(.random(Random(stream: 3, shape: [40])), [counter])
      let sum = g.add(noise, g.input("x", [40]))
      let next = g.add(counter, 1)
      let program = Program(
        name: "p", graph: g.graph, outputs: [.init("noise", noise), .init("sum", sum)],
        updates: [.init("counter", next)])
      var comparison = Comparison([program], runs: ["p", "p", "p"], seed: 1)
      comparison.states["counter"] = [0]
      try comparison.check()
    }
  }
}
