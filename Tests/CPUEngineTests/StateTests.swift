import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// Updates take effect together, after every read.
  @Suite struct StateTests {
    private func check(
      _ g: GraphBuilder, _ outputs: [Program.Output], _ updates: [Program.Update],
      runs: Int = 3
    ) throws {
      let program = Program(name: "p", graph: g.graph, outputs: outputs, updates: updates)
      var comparison = Comparison(
        [program], runs: [String](repeating: "p", count: runs), seed: 5, range: -1...1)
      comparison.plans = everyPlan
      try comparison.check()
    }

    @Test func twoStatesSwap() throws {
      let g = GraphBuilder()
      let a = g.state("a", [5])
      let b = g.state("b", [5])
      try check(g, [.init("old", a)], [.init("a", b), .init("b", a)])
    }

    @Test func threeStatesRotateThroughArithmetic() throws {
      let g = GraphBuilder()
      let (a, b, c) = (g.state("a", [6]), g.state("b", [6]), g.state("c", [6]))
      try check(
        g, [.init("sum", g.sum(g.add(a, g.add(b, c))))],
        [
          .init("a", g.multiply(b, 0.5)), .init("b", g.add(c, a)),
          .init("c", g.subtract(a, g.square(b))),
        ])
    }

    @Test func outputsShowTheOldStateAndTheNew() throws {
      let g = GraphBuilder()
      let a = g.state("a", [4])
      let next = g.add(a, 1)
      try check(
        g, [.init("old", a), .init("new", next), .init("again", g.multiply(next, 2))],
        [.init("a", next)])
    }

    @Test func oneValueReplacesTwoStates() throws {
      let g = GraphBuilder()
      let next = g.add(g.state("a", [4]), g.state("b", [4]))
      try check(g, [], [.init("a", next), .init("b", next), .init("never read", next)])
    }

    @Test func aStateByItselfStays() throws {
      let g = GraphBuilder()
      let a = g.state("a", [4])
      try check(g, [.init("y", g.square(a))], [.init("a", g.stopGradient(a))])
    }

    @Test func aConstantABroadcastAndAnInputBecomeStates() throws {
      let g = GraphBuilder()
      try check(
        g, [],
        [
          .init("a", g.constant(3, [2, 3])),
          .init("b", g.broadcast(g.input("x", [3]), to: [2, 3], axes: [1])),
          .init("c", g.input("y", [2, 3])),
          .init("d", g.reshape(g.input("z", [6]), to: [2, 3])),
        ])
    }

    /// The new matrix needs the old one as rows, columns or in another order.
    @Test func aMatrixReplacedByItsOwnTranspose() throws {
      let g = GraphBuilder()
      let a = g.state("a", [7, 7])
      let b = g.state("b", [7, 7])
      let c = g.state("c", [7])
      try check(
        g, [],
        [
          .init("a", g.transpose(a, [1, 0])), .init("b", g.dot(b, b)),
          .init(
            "c",
            g.sum(
              g.multiply(
                g.broadcast(leading: c, to: [7, 7]), g.broadcast(trailing: c, to: [7, 7])), [1])),
        ])
    }

    @Test func aStateIsReadBehindItsUpdateInTheSameLoop() throws {
      let g = GraphBuilder()
      let a = g.state("a", [5000])
      let next = g.multiply(a, 0.5)
      let mixed = g.add(g.unary(.exp, next), a)
      try check(
        g, [.init("mixed", mixed), .init("norm", g.sum(g.square(a)))], [.init("a", next)])
    }

    /// The product a·b is taken into the sum behind the update, as one operation of one loop: large
    /// enough that readers of the same tensor share a loop.
    @Test func aFoldedProductReadsTheOldState() throws {
      let g = GraphBuilder()
      let a = g.state("a", [5000])
      let product = g.multiply(a, g.input("b", [5000]))
      let next = g.add(a, 1)
      let y = g.add(product, next)
      try check(g, [.init("y", y)], [.init("a", next)])
    }

    @Test func programsShareStateByName() throws {
      let g = GraphBuilder()
      let a = g.state("a", [33])
      let updates = [Program.Update("a", g.add(g.multiply(a, 0.5), g.input("x", [33])))]
      let step = Program(name: "step", graph: g.graph, outputs: [], updates: updates)
      let h = GraphBuilder()
      let total = h.sum(h.multiply(h.state("a", [33]), h.state("b", [33])))
      let measure = Program(name: "measure", graph: h.graph, outputs: [.init("total", total)])
      let comparison = Comparison(
        [step, measure], runs: ["step", "measure", "step", "step", "measure"], seed: 6)
      try comparison.check()
    }

    @Test func anOutputOutlivesOtherProgramsAndWrites() throws {
      let g = GraphBuilder()
      let a = g.state("a", [3])
      let first = Program(
        name: "first", graph: g.graph, outputs: [.init("a", a)], updates: [])
      let h = GraphBuilder()
      let b = h.square(h.state("a", [3]))
      let second = Program(
        name: "second", graph: h.graph, outputs: [.init("b", b)], updates: [.init("a", b)])
      let executable = try CPUEngine().compile([first, second], options: EngineOptions())
      try executable.writeState("a", [2, 3, 4])
      try executable.run("first")
      try executable.run("second")
      try executable.writeState("a", [0, 0, 0])
      #expect(try executable.readOutput("a", of: "first", count: 3) == [2, 3, 4])
      #expect(try executable.readOutput("b", of: "second", count: 3) == [4, 9, 16])
    }

    @Test func stateStartsAsZerosAndIsCounted() throws {
      let g = GraphBuilder()
      let a = g.state("a", [1000])
      let total = g.sum(a)
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", total)])
      let executable = try CPUEngine().compile([program], options: EngineOptions())
      try executable.run("p")
      #expect(try executable.readOutput("y", of: "p", count: 1) == [0])
      #expect(executable.states == ["a": [1000]])
      #expect(executable.stateBytes >= 4000)
      #expect(executable.workingBytes > 0)
    }

    @Test func wrongNamesCountsAndThreadsAreErrors() throws {
      let g = GraphBuilder()
      let x = g.input("x", [2])
      let y = g.square(x)
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
      let executable = try CPUEngine().compile([program], options: EngineOptions())
      #expect(throws: EngineError.self) { try executable.run("q") }
      #expect(throws: EngineError.self) { try executable.writeState("x", [1, 2]) }
      #expect(throws: EngineError.self) { try executable.writeInput("x", of: "p", [1]) }
      #expect(throws: EngineError.self) { try executable.writeInput("z", of: "p", [1]) }
      #expect(throws: EngineError.self) { try executable.readOutput("y", of: "p", count: 3) }
      #expect(throws: EngineError.self) { try executable.readOutput("z", of: "p", count: 2) }
      #expect(throws: EngineError.self) {
        try CPUEngine().compile([program], options: EngineOptions(threads: 0))
      }
      #expect(throws: EngineError.self) {
        try CPUEngine().compile([program, program], options: EngineOptions())
      }
    }
  }
}
