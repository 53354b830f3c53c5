import Model
import ReferenceEngine
import Tensors
import Testing

/// Layers in unusual settings against PyTorch's own numbers.
@Suite struct PyTorchTests {
  /// ((37·i + 17·k) mod 101 − 50)/32
  private func fill(_ k: Int, _ shape: Shape) -> [Double] {
    (0..<shape.elementCount).map { Double(($0 * 37 + k * 17) % 101 - 50) / 32 }
  }

  @Test(arguments: pyTorchCases)
  func theLayerComputesWhatPyTorchDoes(_ trial: PyTorchCase) throws {
    let network = try network(layerDocument(trial.layer, input: trial.input))
    #expect(network.outputShape == trial.output)
    let node = network.nodes[0]
    let program = Lowering.forward(
      network: network, batch: trial.batch, mode: trial.isTraining ? .training : .deployed)
    let executable = try ReferenceEngine().executable([program])
    for (index, weight) in node.weights.enumerated() {
      var values = fill(index + 2, weight.shape)
      if weight.name == "running_var" { values = values.map { abs($0) + 0.25 } }
      let name = node.tensorName(weight.name)
      if executable.states[name] != nil { try executable.writeState(name, values) }
    }
    try executable.writeInput("x", of: "forward", fill(1, [trial.batch] + trial.input))
    try executable.run("forward")
    let y = try executable.readOutput("y", of: "forward") as [Double]
    #expect(distance(trial.values, y) < 1e-13)
    for (name, values) in trial.after {
      let found = try executable.readState(node.tensorName(name)) as [Double]
      #expect(distance(values, found) < 1e-13, "\(name)")
    }
  }

  /// Kaiming's uniform start with a = √5 is uniform on ±1/√(fan-in); PyTorch takes the fan-in of a
  /// transposed convolution from its second extent too.
  @Test func weightsStartInPyTorchsRange() throws {
    for layer in ["conv", "conv_transpose"] {
      let network = try network(
        layerDocument("\(layer): {filters: 4, kernel: [3, 5], groups: 2}", input: [6, 8, 8]))
      let weights = network.nodes[0].weights
      let fanIn = layer == "conv" ? 45.0 : 30.0
      #expect(weights.map(\.shape) == (layer == "conv" ? [[4, 3, 3, 5], [4]] : [[6, 2, 3, 5], [4]]))
      for weight in weights {
        #expect(weight.initializer == .uniform(bound: 1 / fanIn.squareRoot()))
      }
    }
  }
}
