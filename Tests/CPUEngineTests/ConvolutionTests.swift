import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  @Suite struct ConvolutionTests {
    /// A convolution to test: channels within a group, and the geometry of each axis.
    struct Case: CustomTestStringConvertible, Sendable {
      var batch = 2
      var groups = 1
      var inputs = 3
      var outputs = 4
      var axes: [WindowAxis]
      var testDescription: String { "\(batch) \(groups) \(inputs) \(outputs) \(axes)" }

      var x: Shape { [batch, groups * inputs] + axes.map(\.extent) }
      var w: Shape { [groups * outputs, inputs] + axes.map(\.kernel) }
      var y: Shape { [batch, groups * outputs] + axes.map(\.outputs) }

      /// y = x∗w + b, then z = relu(y), the image of a second operand, and the gradients of both
      /// and of the gradients' squares.
      func program() -> Program {
        let g = GraphBuilder()
        let (x, w) = (g.input("x", x), g.state("w", w))
        let bias = g.state("b", [groups * outputs])
        let product = g.convolution(x, w, axes: axes, groups: groups)
        let y = g.add(product, g.broadcast(bias, to: self.y, axes: [1]))
        let z = g.unary(.tanh, y)
        let back = g.convolutionData(g.input("d", self.y), w, axes: axes, groups: groups)
        let total = g.add(g.sum(g.multiply(z, y)), g.sum(g.multiply(back, back)))
        let first = g.gradient(of: total, with: [x, w, bias])
        let squares = first.map { g.sum(g.square($0)) }.reduce(g.constant(0)) { g.add($0, $1) }
        let second = g.gradient(of: squares, with: [x, w, bias])
        let values = [product, g.unary(.relu, y), back, total] + first + second
        let positions = values.indices.map { "v\($0)" }
        return Program(
          name: "p", graph: g.graph,
          outputs: zip(positions, values).map { Program.Output($0, $1) })
      }
    }

    static func axis(
      _ extent: Int, _ kernel: Int, _ stride: Int = 1, _ dilation: Int = 1, _ low: Int = 0,
      _ high: Int = 0
    ) -> WindowAxis {
      WindowAxis(
        extent: extent, kernel: kernel, stride: stride, dilation: dilation, low: low, high: high)
    }

    static let kernels = (1...5).map { k in
      Case(axes: [axis(9, k, 1, 1, k / 2, k / 2), axis(8, k)])
    }
    static let strides = [1, 2, 3].flatMap { s in
      [1, 2].map { d in Case(axes: [axis(9, 3, s, d, 1, 1), axis(10, 3, s, d, 2, 0)]) }
    }
    static let groups = [
      Case(groups: 2, axes: [axis(6, 3), axis(6, 3, 2)]),
      Case(groups: 5, inputs: 1, outputs: 1, axes: [axis(7, 3, 1, 1, 1, 1), axis(7, 3)]),
      Case(groups: 16, inputs: 1, outputs: 1, axes: [axis(7, 3, 1, 1, 1, 1), axis(7, 3)]),
      Case(groups: 32, inputs: 1, outputs: 1, axes: [axis(7, 3, 2, 1, 1, 1), axis(7, 3, 2)]),
      Case(groups: 4, inputs: 1, outputs: 2, axes: [axis(6, 3), axis(6, 3)]),
      Case(groups: 2, inputs: 16, outputs: 16, axes: [axis(6, 3, 1, 1, 1, 1), axis(6, 3)]),
      Case(groups: 3, inputs: 2, outputs: 2, axes: [axis(12, 4, 2, 2, 3, 1)]),
    ]
    static let channels = [(1, 16), (3, 16), (16, 1), (16, 32), (32, 16), (48, 32)].flatMap {
      inputs, outputs in
      [
        Case(
          batch: 3, inputs: inputs, outputs: outputs, axes: [axis(8, 3, 1, 1, 1, 1), axis(7, 3)]),
        Case(
          batch: 1, inputs: inputs, outputs: outputs, axes: [axis(8, 4, 2, 1, 1, 1), axis(6, 1)]),
      ]
    }
    static let line = [1, 2].map { s in
      Case(batch: 4, inputs: 5, outputs: 7, axes: [axis(20, 5, s, 2, 1, 3)])
    }
    static let asymmetric = [
      Case(axes: [axis(5, 3, 1, 1, 2, 0), axis(6, 2, 3, 1, 0, 1)]),
      Case(
        batch: 1, inputs: 16, outputs: 16, axes: [axis(6, 3, 2, 1, 0, 1), axis(6, 3, 2, 1, 0, 1)]),
    ]

    @Test(arguments: kernels + strides + groups + channels + line + asymmetric)
    func allFormsAndTheirGradientsAreThoseOfTheReference(_ test: Case) throws {
      var comparison = Comparison([test.program()], runs: ["p", "p"], seed: 11, range: -1...1)
      comparison.tolerance = 1e-5
      comparison.plans = [PlanOptions(), PlanOptions(fusion: false, inPlace: false)]
        + Arrangement.allCases.map { PlanOptions(arrangement: $0) }
      try comparison.check()
    }
  }
}
