import Tensors

/// A training step of a convolutional network, written as lowering writes it: convolutions with bias
/// and activation, a dense layer, cross-entropy over a batch, Adam.
struct ConvolutionNetwork {
  struct Layer {
    var outputs: Int
    var kernel = 3
    var stride = 1
  }
  var batch = 3
  var channels = 1
  var extent = 8
  var layers = [Layer(outputs: 16), Layer(outputs: 32, stride: 2), Layer(outputs: 32, stride: 2)]
  var classes = 5
  var activation = Unary.tanh
  /// Adds the penalty (‖∂ Σ scores / ∂x‖ − 1)² of every sample.
  var penalty = false
  /// Normalises every convolution's result over the batch.
  var normalised = false

  func program() -> Program {
    let g = GraphBuilder()
    let x = g.input("x", [batch, channels, extent, extent])
    var parameters: [(name: String, value: Value)] = []
    let scores = scores(g, x, &parameters)
    var loss = crossEntropy(g, scores, g.input("y", [batch, classes]))
    if penalty {
      let slope = g.gradient(of: g.sum(scores), with: [x])[0]
      let norm = g.unary(
        .squareRoot, g.add(g.sum(g.square(slope), [1, 2, 3]), g.constant(1e-3, [batch])))
      loss = g.add(loss, g.sum(g.square(g.subtract(norm, g.constant(1, [batch])))))
    }
    let gradients = g.gradient(of: loss, with: parameters.map(\.value))
    let updates = adam(g, parameters, gradients)
    let outputs = [Program.Output("loss", loss)]
      + zip(parameters, gradients).map { .init("d \($0.name)", $1) }
    return Program(name: "train", graph: g.graph, outputs: outputs, updates: updates)
      .optimized()
  }

  private func scores(
    _ g: GraphBuilder, _ x: Value, _ parameters: inout [(name: String, value: Value)]
  ) -> Value {
    var h = x
    for (index, layer) in layers.enumerated() {
      let shape = g.shape(h)
      let axes = shape[2...].map {
        WindowAxis(
          extent: $0, kernel: layer.kernel, stride: layer.stride, low: layer.kernel / 2,
          high: (layer.kernel - 1) / 2)
      }
      let weight = g.state(
        "w\(index)", [layer.outputs, shape[1], layer.kernel, layer.kernel])
      let bias = g.state("b\(index)", [layer.outputs])
      parameters += [("w\(index)", weight), ("b\(index)", bias)]
      h = g.convolution(h, weight, axes: axes)
      if normalised { h = normalise(g, h) }
      h = g.unary(activation, g.add(h, g.broadcast(bias, to: g.shape(h), axes: [1])))
    }
    let flat = g.reshape(h, to: [batch, g.shape(h).elementCount / batch])
    let weight = g.state("w", [classes, g.shape(flat)[1]])
    let bias = g.state("b", [classes])
    parameters += [("w", weight), ("b", bias)]
    let product = g.dot(flat, weight, transposeRight: true)
    return g.add(product, g.broadcast(bias, to: g.shape(product), axes: [1]))
  }

  private func normalise(_ g: GraphBuilder, _ h: Value) -> Value {
    let shape = g.shape(h)
    let scale = 1 / Double(shape.elementCount / shape[1])
    let mean = g.multiply(g.sum(h, [0, 2, 3]), scale)
    let centred = g.subtract(h, g.broadcast(mean, to: shape, axes: [1]))
    let variance = g.multiply(g.sum(g.square(centred), [0, 2, 3]), scale)
    let factor = g.unary(
      .reciprocalSquareRoot, g.add(variance, g.constant(1e-3, [shape[1]])))
    return g.multiply(centred, g.broadcast(factor, to: shape, axes: [1]))
  }

  private func crossEntropy(_ g: GraphBuilder, _ z: Value, _ y: Value) -> Value {
    let shape = g.shape(z)
    let largest = g.stopGradient(g.maximum(over: [1], z))
    let shifted = g.subtract(z, g.broadcast(leading: largest, to: shape))
    let total = g.unary(.log, g.sum(g.unary(.exp, shifted), [1]))
    return g.multiply(
      g.subtract(g.sum(total), g.sum(g.multiply(shifted, y))), 1 / Double(batch))
  }

  private func adam(
    _ g: GraphBuilder, _ parameters: [(name: String, value: Value)], _ gradients: [Value]
  ) -> [Program.Update] {
    var updates: [Program.Update] = []
    for ((name, p), gradient) in zip(parameters, gradients) {
      let shape = g.shape(p)
      let m = g.add(
        g.multiply(g.state("m \(name)", shape), 0.9), g.multiply(gradient, 0.1))
      let v = g.add(
        g.multiply(g.state("v \(name)", shape), 0.99), g.multiply(g.square(gradient), 0.01))
      let below = g.add(g.unary(.squareRoot, v), g.constant(1e-4, shape))
      let step = g.multiply(g.divide(m, below), 0.003)
      updates += [
        .init("m \(name)", m), .init("v \(name)", v), .init(name, g.subtract(p, step)),
      ]
    }
    return updates
  }

  /// Inputs and states from which training starts.
  func comparison(steps: Int, seed: UInt64) -> Comparison {
    var comparison = Comparison(
      [program()], runs: [String](repeating: "train", count: steps), seed: seed,
      range: -0.2...0.2)
    var labels = [Float](repeating: 0, count: batch * classes)
    for row in 0..<batch { labels[row * classes + row % classes] = 1 }
    comparison.inputs["train"]!["y"] = labels
    for name in comparison.states.keys where name.hasPrefix("m ") || name.hasPrefix("v ") {
      comparison.states[name] = comparison.states[name]!.map { _ in 0 }
    }
    return comparison
  }
}
