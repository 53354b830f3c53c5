import Glibc
import Losses
import Model
import ReferenceEngine
import Tensors
import Testing

/// Loss per sample and its gradient in the outputs.
func evaluate(
  _ loss: any SupervisedLoss, _ output: [Double], _ shape: Shape, labels: [Double],
  labelShape: Shape? = nil
) throws -> (loss: [Double], gradient: [Double]) {
  let g = GraphBuilder()
  let z = g.input("z", shape)
  let value = loss.lower(output: z, labels: g.input("labels", labelShape ?? [shape[0]]), g)
  #expect(g.shape(value) == [shape[0]])
  let gradient = g.gradient(of: g.sum(value), with: [z])[0]
  let result = try ReferenceEngine().evaluate(
    Program(
      name: "loss", graph: g.graph,
      outputs: [.init("loss", value), .init("gradient", gradient)]),
    inputs: ["z": output, "labels": labels])
  return (result["loss"]!, result["gradient"]!)
}

@Suite struct LossTests {
  static func crossEntropy(_ temperature: Double, offset: Double = 0) -> CrossEntropy {
    CrossEntropy(arguments(["temperature": temperature, "offset": offset]))
  }

  /// CE(4z)/4, which is temperature 1/4.
  @Test func crossEntropyHasThePublishedValue() throws {
    let found = try evaluate(
      Self.crossEntropy(0.25), [2, 1, -1, 0, 0.5, 0.25], [2, 3], labels: [0, 2])
    #expect(abs((found.loss[0] + found.loss[1]) / 2 - 0.1782202408) < 1e-10)
  }

  @Test(arguments: [(0.05, 0), (1, 0), (3, 0), (0.25, 0.7), (1, 1.5)])
  func crossEntropyIsItsFormulaAndItsGradientSoftmaxMinusOneHot(
    _ temperature: Double, _ offset: Double
  ) throws {
    let z = normals([5, 4], seed: 3)
    let labels = [0, 3, 1, 2, 2]
    let found = try evaluate(
      Self.crossEntropy(temperature, offset: offset), z, [5, 4], labels: labels.map(Double.init))
    for sample in 0..<5 {
      let row = (0..<4).map {
        (z[sample * 4 + $0] - ($0 == labels[sample] ? offset : 0)) / temperature
      }
      let total = row.reduce(0) { $0 + exp($1) }
      let loss = temperature * (log(total) - row[labels[sample]])
      #expect(abs(found.loss[sample] - loss) < 1e-12)
      for k in 0..<4 {
        let expected = exp(row[k]) / total - (k == labels[sample] ? 1 : 0)
        #expect(abs(found.gradient[sample * 4 + k] - expected) < 1e-12)
      }
    }
  }

  @Test func crossEntropyOfHugeLogitsIsFinite() throws {
    let found = try evaluate(
      Self.crossEntropy(0.05), [1e6, -1e6, 0, 1e6, -1e6, 0], [2, 3], labels: [0, 1])
    #expect(found.loss[0] == 0)
    #expect(abs(found.loss[1] - 2e6) < 1e-6)
    #expect(found.gradient.allSatisfy { $0.isFinite })
  }

  @Test(arguments: [-1.0, 3, 255])
  func aLabelThatIsNoClassGivesAFiniteLoss(_ label: Double) throws {
    for loss in [Self.crossEntropy(1), MeanSquaredError(arguments())] as [any SupervisedLoss] {
      let found = try evaluate(loss, [1, 2, 3], [1, 3], labels: [label])
      #expect(found.loss[0].isFinite)
    }
  }

  @Test func meanSquaredErrorOfAClassIsAgainstItsOneHotVector() throws {
    let found = try evaluate(
      MeanSquaredError(arguments()), [0.5, 2, -1, 0, 1, 0], [2, 3], labels: [1, 1])
    #expect(abs(found.loss[0] - (0.25 + 1 + 1) / 3) < 1e-15)
    #expect(found.loss[1] == 0)
    #expect(distance(found.gradient, [1 / 3, 2 / 3, -2 / 3, 0, 0, 0]) < 1e-15)
  }

  @Test func meanSquaredErrorOfATargetIsAgainstIt() throws {
    let found = try evaluate(
      MeanSquaredError(arguments()), [1, 2, 3, 4], [1, 2, 2], labels: [1, 0, 0, 0],
      labelShape: [1, 2, 2])
    #expect(found.loss == [7.25])
  }

  @Test(arguments: catalogs.losses.indices)
  func gradientsAreCentralDifferences(_ index: Int) throws {
    let loss = try catalogs.losses[index].init(arguments())
    let z = normals([3, 4], seed: 5)
    let gradient = try evaluate(loss, z, [3, 4], labels: [0, 2, 3]).gradient
    let differences = try z.indices.map { index in
      let ends = try [1e-5, -1e-5].map { offset in
        var moved = z
        moved[index] += offset
        return try evaluate(loss, moved, [3, 4], labels: [0, 2, 3]).loss.reduce(0, +)
      }
      return (ends[0] - ends[1]) / 2e-5
    }
    #expect(distance(gradient, differences) < 1e-8)
  }

  @Test func classLossesWantOneNumberPerClass() {
    for loss in [Self.crossEntropy(1), MeanSquaredError(arguments())] as [any SupervisedLoss] {
      #expect(loss.refusal(output: [10], labels: .classes) == nil)
      #expect(loss.refusal(output: [2, 5], labels: .classes) != nil)
      #expect(loss.refusal(output: [1], labels: .classes) != nil)
    }
  }
}
