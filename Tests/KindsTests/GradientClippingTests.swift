import Losses
import Model
import Optimizers
import ReferenceEngine
import Tensors
import Testing

/// Steps of plain gradient descent at rate 1, in which the parameters' change is the gradient.
@Suite struct GradientClippingTests {
  private let text = """
    lgc: 1
    name: example
    model: {input: [5], layers: [dense: {units: 6, activation: tanh}, dense: 3]}
    """

  /// The gradients as the optimizer got them, one after the other.
  private func step(_ clipping: GradientClipping?) throws -> [[Double]] {
    let programs = Lowering.trainingPrograms(
      network: try network(text), loss: CrossEntropy(arguments()),
      optimizer: try SGD(arguments()), clipping: clipping, batch: 4, evaluationBatch: 4, seed: 7)
    let executable = try ReferenceEngine().executable([programs.train])
    var before: [String: [Double]] = [:]
    for state in programs.initial {
      let values = materialise(state.initializer, shape: state.shape, name: state.name, seed: 7)
      before[state.name] = values.map(Double.init)
      try executable.writeState(state.name, values.map(Double.init))
    }
    try executable.writeInput("x", of: "train", normals([4, 5], seed: 1))
    try executable.writeInput("labels", of: "train", [0, 1, 2, 0])
    try executable.writeInput("learning_rate", of: "train", [1])
    try executable.run("train")
    return try programs.parameters.map { name in
      let after = try executable.readState(name) as [Double]
      return zip(before[name]!, after).map { $0 - $1 }
    }
  }

  private func norm(_ gradients: [[Double]]) -> Double {
    gradients.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private func largestDifference(_ a: [[Double]], _ b: [[Double]]) -> Double {
    zip(a.joined(), b.joined()).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test func theNormOverAllParametersIsLimitedAndTheDirectionKept() throws {
    let free = try step(nil)
    let length = norm(free)
    for limit in [0.01 * length, 0.5 * length] {
      let clipped = try step(.norm(limit))
      #expect(abs(norm(clipped) - limit) < 1e-12)
      let scaled = free.map { $0.map { $0 * limit / length } }
      #expect(largestDifference(clipped, scaled) < 1e-12)
    }
  }

  @Test func aShortGradientStaysAsItIs() throws {
    let free = try step(nil)
    #expect(largestDifference(try step(.norm(1.01 * norm(free))), free) < 1e-12)
  }

  @Test func everyEntryIsLimited() throws {
    let free = try step(nil)
    let limit = 0.3 * free.joined().map(abs).max()!
    let expected = free.map { $0.map { min(max($0, -limit), limit) } }
    #expect(largestDifference(try step(.value(limit)), expected) < 1e-12)
  }
}
