import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct ProductTests {
    static let extents: [[Int]] = [
      [1, 1, 1], [1, 7, 3], [5, 1, 9], [17, 33, 65], [64, 10, 512], [64, 144, 400], [300, 40, 100],
      [31, 113, 257],
      // Rows that fall into the same places of the cache, a half panel, x packed in several pieces.
      [128, 30, 512], [110, 29, 256], [330, 20, 1100],
    ]

    @Test(arguments: extents)
    func allTranspositions(extents: [Int]) throws {
      let (m, n, k) = (extents[0], extents[1], extents[2])
      for left in [false, true] {
        for right in [false, true] {
          let g = GraphBuilder()
          let a = g.input("a", left ? [k, m] : [m, k])
          // A state on the right is a weight: it decides how the product is cut.
          for b in [g.input("b", right ? [n, k] : [k, n]), g.state("w", right ? [n, k] : [k, n])] {
            let y = g.dot(a, b, transposeLeft: left, transposeRight: right)
            let outputs = [
              Program.Output("y", g.square(y)), .init("sum", g.sum(y, [0])),
            ]
            let program = Program(name: "p", graph: g.graph, outputs: outputs)
            var comparison = Comparison([program], runs: ["p"], seed: 2)
            comparison.threads = [1, 2, 3]
            comparison.tolerance = 1e-5
            try comparison.check()
          }
        }
      }
    }

    @Test func biasAndReluBelongToTheProduct() throws {
      let g = GraphBuilder()
      let shape = [40, 48]
      let x = g.input("x", [40, 24])
      func layer(_ weight: String, _ bias: Value, relu: Bool) -> Value {
        let y = g.dot(x, g.state(weight, [48, 24]), transposeRight: true)
        let z = g.add(g.broadcast(trailing: bias, to: shape), y)
        return relu ? g.unary(.relu, z) : z
      }
      let bias = g.state("bias", [48])
      let outputs = [
        Program.Output("plain", layer("w0", bias, relu: false)),
        .init("relu", layer("w1", bias, relu: true)),
        .init("computed", layer("w2", g.square(bias), relu: true)),
        .init("bare", g.unary(.relu, g.dot(x, g.state("w3", [48, 24]), transposeRight: true))),
        // A bias per row is none.
        .init(
          "rows",
          g.add(
            g.dot(x, g.state("w4", [40, 24]), transposeRight: true),
            g.broadcast(leading: g.input("r", [40]), to: [40, 40]))),
      ]
      let program = Program(name: "p", graph: g.graph, outputs: outputs)
      var comparison = Comparison([program], runs: ["p"], seed: 2)
      comparison.plans = everyPlan
      try comparison.check()
      let text = try CPUEngine().compileForCPU([program], options: EngineOptions(threads: 1))
        .planText("p")
      #expect(text.contains("product NT 40×48×24 + bias, relu"))
    }

    @Test func aBiasThatNeedsTheNewWeightDoesNotStallTheSchedule() throws {
      // y = x·Wᵀ + Σ W', with W' = W² replacing W: the product must come before the update, which
      // must come before the bias.
      let g = GraphBuilder()
      let w = g.state("w", [8, 6])
      let next = g.square(w)
      let y = g.dot(g.input("x", [4, 6]), w, transposeRight: true)
      let z = g.unary(.relu, g.add(y, g.broadcast(trailing: g.sum(next, [1]), to: [4, 8])))
      let program = Program(
        name: "p", graph: g.graph, outputs: [.init("z", z)], updates: [.init("w", next)])
      var comparison = Comparison([program], runs: ["p", "p"], seed: 2, range: -1...1)
      comparison.plans = everyPlan
      try comparison.check()
    }
  }
}
