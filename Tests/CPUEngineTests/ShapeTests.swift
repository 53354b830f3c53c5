import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// Broadcasts, reductions and moves over shapes of every rank.
  @Suite struct ShapeTests {
    static let shapes: [Shape] = [
      [], [1], [7], [1, 1], [5, 1], [1, 5], [3, 17], [33, 513], [2, 3, 5], [4, 1, 6], [2, 9, 3, 4],
      [3, 2, 1, 4, 2], [2, 3, 2, 2, 3, 2], [24, 30, 50],
    ]

    private static func subsets(of axes: Range<Int>) -> [[Int]] {
      (0..<(1 << axes.count)).map { mask in axes.filter { mask >> $0 & 1 == 1 } }
    }

    private func check(_ g: GraphBuilder, _ y: Value, _ seed: UInt64, _ plans: [PlanOptions] = [
      PlanOptions(), PlanOptions(fusion: false),
    ]) throws {
      var comparison = Comparison(
        [Program(name: "p", graph: g.graph, outputs: [.init("y", y)])], runs: ["p"], seed: seed)
      comparison.plans = plans
      comparison.tolerance = 1e-5  // sums of thousands of numbers of either sign
      try comparison.check()
    }

    @Test(arguments: shapes)
    func reductionsOverEverySubsetOfAxes(shape: Shape) throws {
      for (index, axes) in Self.subsets(of: shape.indices).enumerated() {
        for kind in [Reduce.Kind.sum, .maximum] where !axes.isEmpty {
          let g = GraphBuilder()
          let x = g.square(g.input("x", shape))
          try check(g, g.add(.reduce(Reduce(kind, axes: axes)), [x]), UInt64(index + 1))
        }
      }
    }

    @Test(arguments: shapes)
    func broadcastsFromEverySubsetOfAxes(shape: Shape) throws {
      for (index, axes) in Self.subsets(of: shape.indices).enumerated() {
        let g = GraphBuilder()
        let x = g.input("x", axes.map { shape[$0] })
        let wide = g.broadcast(x, to: shape, axes: axes)
        // Alone, under an operation, and under a reduction.
        try check(g, wide, UInt64(index + 1))
        try check(g, g.multiply(g.input("y", shape), wide), UInt64(index + 1))
        try check(g, g.sum(g.multiply(wide, g.input("z", shape))), UInt64(index + 1))
        if !shape.isEmpty { try check(g, g.sum(wide, [0]), UInt64(index + 1)) }
      }
    }

    @Test func twoBroadcastsThatDivideTheSpaceDifferently() throws {
      let g = GraphBuilder()
      let shape = [4, 3, 5]
      let a = g.broadcast(g.input("a", [4]), to: shape, axes: [0])
      let b = g.broadcast(g.input("b", [5]), to: shape, axes: [2])
      let c = g.broadcast(g.input("c", [3, 5]), to: shape, axes: [1, 2])
      let d = g.broadcast(g.input("d", [3]), to: shape, axes: [1])
      let product = g.multiply(g.multiply(a, b), g.add(c, d))
      try check(g, g.sum(g.add(product, g.input("x", shape)), [1]), 3, everyPlan)
    }

    @Test func aReshapeBetweenTwoDivisionsOfTheSpace() throws {
      let g = GraphBuilder()
      let x = g.add(g.input("x", [4, 6]), g.broadcast(trailing: g.input("v", [6]), to: [4, 6]))
      let turned = g.reshape(g.unary(.tanh, x), to: [6, 4])
      let y = g.multiply(turned, g.broadcast(trailing: g.input("w", [4]), to: [6, 4]))
      let outputs = [Program.Output("y", y), .init("columns", g.sum(y, [0])), .init("x", x)]
      let program = Program(name: "p", graph: g.graph, outputs: outputs)
      var comparison = Comparison([program], runs: ["p"], seed: 3)
      comparison.plans = everyPlan
      try comparison.check()
    }

    /// x / √Σx² reads x and, by way of two numbers, a sum of it: not one loop.
    @Test func aNormDividesWhatItIsTheNormOf() throws {
      for shape in [[300], [20, 30], [130, 200]] {
        let g = GraphBuilder()
        let x = g.unary(.tanh, g.input("x", shape))
        let norm = g.unary(.squareRoot, g.add(g.sum(g.square(x)), 1))
        let rows = g.unary(.squareRoot, g.add(g.sum(g.square(x), [shape.count - 1]), 1))
        let wide = g.broadcast(leading: rows, to: shape)
        let outputs = [
          Program.Output("whole", g.divide(x, norm)), .init("rows", g.divide(x, wide)),
        ]
        let program = Program(name: "p", graph: g.graph, outputs: outputs)
        var comparison = Comparison([program], runs: ["p"], seed: 3)
        comparison.plans = everyPlan
        try comparison.check()
      }
    }

    @Test func broadcastOfABroadcast() throws {
      let g = GraphBuilder()
      let row = g.broadcast(g.input("s", []), to: [5], axes: [])
      let plane = g.broadcast(row, to: [3, 5], axes: [1])
      let block = g.broadcast(plane, to: [3, 4, 5], axes: [0, 2])
      let vector = g.broadcast(g.input("v", [3]), to: [3, 4], axes: [0])
      let cube = g.broadcast(vector, to: [3, 4, 5], axes: [0, 1])
      let y = g.multiply(g.add(block, cube), g.input("x", [3, 4, 5]))
      // The row is also multiplied as a matrix, so it must exist in memory.
      let matrix = g.dot(g.reshape(row, to: [1, 5]), g.input("m", [5, 2]))
      let program = Program(
        name: "p", graph: g.graph, outputs: [.init("y", y), .init("m", matrix)])
      var comparison = Comparison([program], runs: ["p"], seed: 9)
      comparison.plans = everyPlan
      try comparison.check()
    }

    @Test(arguments: [
      ([2, 3], [1, 0]), ([33, 65], [1, 0]), ([300, 200], [1, 0]), ([4, 5, 6], [2, 1, 0]),
      ([4, 5, 6], [0, 2, 1]), ([4, 5, 6], [1, 0, 2]), ([2, 1, 3], [1, 2, 0]),
      ([2, 3, 4, 5], [0, 3, 1, 2]), ([8, 40, 20, 16], [0, 2, 3, 1]),
      ([2, 3, 2, 3, 2, 3], [5, 3, 1, 0, 2, 4]), ([], []), ([7], [0]),
    ])
    func transposes(shape: Shape, permutation: [Int]) throws {
      let g = GraphBuilder()
      try check(g, g.transpose(g.input("x", shape), permutation), 1)
      try check(g, g.square(g.transpose(g.square(g.input("x", shape)), permutation)), 1)
    }

    @Test func slicesPadsAndConcatenations() throws {
      let g = GraphBuilder()
      let x = g.input("x", [6, 7, 8])
      let cut = g.slice(x, starts: [1, 0, 3], limits: [6, 7, 8], strides: [2, 3, 1])
      let wide = g.pad(cut, low: [1, 0, 2], high: [0, 3, 1], interior: [1, 0, 2])
      let joined = g.concatenate([g.square(cut), cut, cut], axis: 1)
      let whole = g.slice(x, starts: [0, 0, 0], limits: [6, 7, 8], strides: [1, 1, 1])
      let unpadded = g.pad(x, low: [0, 0, 0], high: [0, 0, 0], interior: [0, 0, 0])
      let outputs = [
        Program.Output("cut", cut), .init("wide", wide), .init("joined", joined),
        .init("whole", whole), .init("unpadded", g.add(unpadded, whole)),
      ]
      let program = Program(name: "p", graph: g.graph, outputs: outputs)
      var comparison = Comparison([program], runs: ["p", "p"], seed: 4)
      comparison.plans = everyPlan
      try comparison.check()
    }

    @Test func groupSort() throws {
      // Pairs of neighbours in order: even and odd columns, smaller and larger, woven together.
      let g = GraphBuilder()
      let x = g.input("x", [128, 64])
      let even = g.slice(x, starts: [0, 0], limits: [128, 64], strides: [1, 2])
      let odd = g.slice(x, starts: [0, 1], limits: [128, 64], strides: [1, 2])
      let low = g.binary(.minimum, even, odd)
      let high = g.binary(.maximum, even, odd)
      let y = g.add(
        g.pad(low, low: [0, 0], high: [0, 1], interior: [0, 1]),
        g.pad(high, low: [0, 1], high: [0, 0], interior: [0, 1]))
      let gradient = g.gradient(of: g.sum(g.multiply(y, g.input("c", [128, 64]))), with: [x])
      let program = Program(
        name: "p", graph: g.graph, outputs: [.init("y", y), .init("dx", gradient[0])])
      var comparison = Comparison([program], runs: ["p"], seed: 4)
      comparison.plans = everyPlan
      try comparison.check()
    }

    @Test func constantsAndIndicesHaveStorageWhereNeeded() throws {
      let g = GraphBuilder()
      let shape = [3, 4]
      let index = g.iota(shape, axis: 1)
      let constant = g.constant(0.5, shape)
      let outputs = [
        Program.Output("index", index), .init("rows", g.iota(shape, axis: 0)),
        .init("constant", constant),
        .init("product", g.dot(constant, g.add(index, 1), transposeRight: true)),
        .init("sum", g.sum(constant)), .init("column", g.sum(constant, [0])),
        .init("turned", g.transpose(index, [1, 0])),
        .init("input", g.input("x", shape)), .init("state", g.state("s", shape)),
      ]
      let updates = [Program.Update("s", g.iota(shape, axis: 0))]
      let program = Program(name: "p", graph: g.graph, outputs: outputs, updates: updates)
      var comparison = Comparison([program], runs: ["p", "p"], seed: 4)
      comparison.plans = everyPlan
      try comparison.check()
    }
  }
}
