import Layers
import Model
import ReferenceEngine
import Tensors
import Testing

private let good = layerTrials.filter { $0.code == nil }

@Suite struct LayerTests {
  @Test(arguments: good)
  func inferredShapeIsExecutedShape(_ trial: Trial) throws {
    let network = try network(trial.text)
    for mode in [LoweringMode.training, .evaluation, .deployed] {
      let program = Lowering.forward(network: network, batch: 3, mode: mode)
      #expect(program.graph.shape(program.outputs[0].value) == [3] + network.outputShape)
      let y = try LayerRun(network, batch: 3, mode: mode).output(
        normals([3] + network.inputShape, seed: 1))
      #expect(y.count == 3 * network.outputShape.elementCount)
      #expect(y.allSatisfy { $0.isFinite })
    }
  }

  /// ⟨c, f⟩ for random c: its gradient in the input and in every weight, and the gradient of
  /// ⟨d, gradient⟩ once more in the input.
  @Test(arguments: good)
  func gradientsAreCentralDifferences(_ trial: Trial) throws {
    let network = try network(trial.text)
    for mode in [LoweringMode.training, .deployed] {
      let run = try LayerRun(network, batch: 2, mode: mode)
      let x = normals([2] + network.inputShape, seed: 2)
      let found = try run.gradients(x)
      for (name, gradient) in found.first {
        let difference = try run.differences(of: "value", in: name, at: x)
        #expect(distance(gradient, difference) < 1e-7, "\(name) in \(mode)")
      }
      let difference = try run.differences(of: "slope", in: "x", at: x)
      #expect(distance(found.second, difference) < 1e-7, "second, in \(mode)")
    }
  }

  @Test func dropoutKeepsTheMeanAndChangesWithTheStep() throws {
    let network = try network(layerDocument("dropout: 0.25", input: [4000]))
    let run = try LayerRun(network, batch: 1, mode: .training)
    let ones = [Double](repeating: 1, count: 4000)
    let first = try run.output(ones)
    #expect(Set(first) == [0, 1 / 0.75])
    // The mean of 4000 such numbers has deviation √(1/3/4000) ≈ 0.009.
    #expect(abs(first.reduce(0, +) / 4000 - 1) < 0.04)
    #expect(try run.output(ones) == first)
    run.state["step"] = [1]
    #expect(try run.output(ones) != first)
    #expect(try LayerRun(network, batch: 1, mode: .evaluation).output(ones) == ones)
  }

  /// By the 0-1 principle a comparison network that sorts all sequences of 0 and 1 sorts all.
  @Test(arguments: 1...10)
  func groupSortSortsEverySize(_ size: Int) throws {
    let rows = 1 << size
    let network = try network(layerDocument("group_sort: \(size)", input: [size]))
    let x = (0..<rows).flatMap { row in (0..<size).map { Double(row >> $0 & 1) } }
    let y = try LayerRun(network, batch: rows, mode: .deployed).output(x)
    for row in 0..<rows {
      let ones = row.nonzeroBitCount
      let sorted = (0..<size).map { $0 < size - ones ? 0.0 : 1.0 }
      #expect(Array(y[row * size..<(row + 1) * size]) == sorted)
    }
  }

  @Test func groupSortGroupsNeighbouringChannelsAtEachPosition() throws {
    let network = try network(layerDocument("group_sort", input: [4, 1, 2]))
    let y = try LayerRun(network, batch: 1, mode: .deployed).output([8, 1, 7, 2, 3, 6, 4, 5])
    #expect(y == [7, 1, 8, 2, 3, 5, 4, 6])
  }

  @Test func groupSortSendsTheGradientOfATieToBothChannels() throws {
    let network = try network(layerDocument("group_sort", input: [2]))
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    run.c = [3, 5]
    #expect(try run.gradients([1, 1]).first["x"]!.sorted() == [3, 5])
  }

  @Test func denseIsWxPlusB() throws {
    let network = try network(layerDocument("dense: 2", input: [3]))
    let run = try LayerRun(network, batch: 1, mode: .deployed)
    run.state = ["dense_1.weight": [1, 2, 3, 4, 5, 6], "dense_1.bias": [10, 20]]
    #expect(try run.output([1, -1, 2]) == [15, 31])
  }

  @Test func softplusHasNoThreshold() throws {
    let network = try network(layerDocument("softplus: {beta: 2}", input: [4]))
    let y = try LayerRun(network, batch: 1, mode: .deployed).output([0, 12, -12, 500])
    #expect(abs(y[0] - 0.34657359027997264) < 1e-15)  // log 2 / 2
    #expect(abs(y[1] - 12.000000000018876) < 1e-14)  // 12 + log1p(e^−24)/2
    #expect(abs(y[2] - 1.8875672e-11) < 1e-17)
    #expect(y[3] == 500)
  }

  @Test func leakyReluIsTheSteeperLineWhereItsSlopeIsAboveOne() throws {
    let network = try network(layerDocument("leaky_relu: 3", input: [2]))
    #expect(try LayerRun(network, batch: 1, mode: .deployed).output([-1, 2]) == [-3, 2])
  }
}
