import CKernels
import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct ExchangeTests {
    /// Pairs in a row and pairs of rows, smaller and larger than a tile, one piece and several.
    private static let uses: [(shape: Shape, axis: Int, mask: Int)] = [
      ([2], 0, 1), ([1, 4], 1, 3), ([3, 6], 1, 1), ([5, 512], 1, 1), ([7, 34], 1, 1),
      ([3, 528], 1, 15), ([61, 700], 1, 1), ([9, 48], 1, 5), ([7, 34, 3], 1, 1),
      ([4, 8, 64], 1, 6), ([4, 2, 300], 1, 1), ([3, 4, 333], 1, 2), ([7, 8, 784], 1, 1),
      ([1, 16, 1030], 1, 11), ([6, 5], 0, 1), ([8, 12, 19, 19], 1, 3),
    ]

    private func check(
      _ outputs: [Value], _ g: GraphBuilder, seed: Int, plans: [PlanOptions] = everyPlan
    ) throws {
      let program = Program(
        name: "p", graph: g.graph,
        outputs: outputs.enumerated().map { .init("y\($0)", $1) })
      var comparison = Comparison([program], runs: ["p", "p"], seed: UInt64(seed + 1))
      comparison.plans = plans
      comparison.tolerance = 1e-5
      try comparison.check()
    }

    @Test(arguments: uses.indices)
    func everySpaceGivesTheValuesOfTheReference(index: Int) throws {
      let (shape, axis, mask) = Self.uses[index]
      let g = GraphBuilder()
      let (x, y) = (g.input("x", shape), g.input("y", shape))
      let routed = g.add(.exchange(Exchange(axis: axis, mask: mask)), [x, y])
      try check([g.exchange(x, axis: axis, mask: mask), routed], g, seed: index)
    }

    /// Numbers that repeat in every way beside the exchange, and every reduction behind it.
    @Test(arguments: uses.indices)
    func loopsAroundAnExchangeToo(index: Int) throws {
      let (shape, axis, mask) = Self.uses[index]
      // Of large ones the numbers per channel, for the time of the reference.
      let all = [[axis], [], [0], [shape.count - 1], Array(shape.indices.dropFirst())]
      for kept in shape.elementCount > 5000 ? [all[0]] : all {
        let g = GraphBuilder()
        let x = g.input("x", shape)
        let numbers = g.input("b", kept.map { shape[$0] })
        let moved = g.add(x, g.broadcast(numbers, to: shape, axes: kept))
        let sorted = g.exchange(moved, axis: axis, mask: mask)
        let slope = g.unary(.tanh, g.multiply(sorted, sorted))
        let rest = shape.indices.filter { !kept.contains($0) }
        let largest = g.maximum(over: rest, slope)
        let gradients = g.gradient(of: g.sum(slope), with: [x, numbers])
        try check(
          [sorted, largest, g.sum(slope, rest)] + gradients, g, seed: index,
          plans: [PlanOptions(), PlanOptions(fusion: false)])
      }
    }

    @Test func equalNumbersAndNaNKeepTheirPlaces() throws {
      let g = GraphBuilder()
      let (x, y) = (g.input("x", [20]), g.input("y", [20]))
      let routed = g.add(.exchange(Exchange(axis: 0, mask: 1)), [x, y])
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", routed)])
      var comparison = Comparison([program], runs: ["p"], seed: 1)
      let key: [Float] = [1, 1, 2, 1, 1, 2, .nan, 1, 1, .nan, 0, -0.0, -0.0, 0, 3, 2, 5, 5, 7, 6]
      let places = (0..<20).map(Float.init)
      comparison.inputs["p"] = ["x": key, "y": places]
      let expected: [Float] = [
        0, 1, 3, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 14, 16, 17, 19, 18,
      ]
      for engine in [ReferenceEngine(), CPUEngine()] as [any Engine] {
        #expect(try comparison.results(of: engine, EngineOptions())["0.p.y"]! == expected)
      }
    }

    /// What a layer that sorts is in training: one pass forward, one backward with the gradient of
    /// the bias.
    @Test(arguments: Arrangement.allCases)
    func sortingBetweenConvolutionsIsOneLoopEachWay(_ arrangement: Arrangement) throws {
      let g = GraphBuilder()
      let axes = [WindowAxis](
        repeating: WindowAxis(extent: 12, kernel: 3, low: 1, high: 1), count: 2)
      let (w, v) = (g.state("w", [32, 16, 3, 3]), g.state("v", [16, 32, 3, 3]))
      let bias = g.state("b", [32])
      let x = g.input("x", [4, 16, 12, 12])
      let y = g.convolution(x, w, axes: axes)
      let h = g.exchange(
        g.add(y, g.broadcast(bias, to: g.shape(y), axes: [1])), axis: 1, mask: 1)
      let z = g.convolution(h, v, axes: axes)
      let gradients = g.gradient(of: g.sum(g.square(z)), with: [x, w, bias, v])
      let program = Program(
        name: "p", graph: g.graph,
        outputs: gradients.enumerated().map { .init("d\($0)", $1) }).optimized()
      let options = PlanOptions(arrangement: arrangement)
      let loops = try Planner.plan(program, options).steps.compactMap { step -> PlannedLoop? in
        guard case .loop(let loop) = step.work else { return nil }
        return loop.instructions.contains { $0.operation == exchange } ? loop : nil
      }
      #expect(loops.map { $0.instructions.map(\.operation) } == [[exchange], [exchange]])
      #expect(loops.map(\.reductions.count) == [0, 1])
      var comparison = Comparison([program], runs: ["p"], seed: 9, range: -0.5...0.5)
      comparison.plans = [options]
      comparison.tolerance = 1e-5
      try comparison.check()
    }

    private var exchange: UInt16 { LGC_EXCHANGE.rawValue }
  }
}
