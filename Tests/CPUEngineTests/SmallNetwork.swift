import Tensors

/// A training step of a dense network, written as lowering writes it: cross-entropy over a batch,
/// Adam in every parameter, optionally spectral normalisation of every weight.
struct SmallNetwork {
  var widths = [24, 20, 33, 5]
  var batch = 16
  var spectral = false
  var smooth = true
  /// λ·wd of decoupled weight decay; nil for plain Adam.
  var decay: Double?
  /// Writes Adam with every commutation and association that a simplifier could leave.
  var commuted = false

  private(set) var parameters: [(name: String, value: Value)] = []
  private var updates: [Program.Update] = []

  init() {}

  func program() -> Program {
    var copy = self
    return copy.build()
  }

  private mutating func build() -> Program {
    let g = GraphBuilder()
    var h = g.input("x", [batch, widths[0]])
    for layer in 1..<widths.count {
      h = dense(g, h, layer)
      if layer + 1 < widths.count { h = g.unary(smooth ? .tanh : .relu, h) }
    }
    let loss = crossEntropy(g, h, g.input("y", [batch, widths.last!]))
    let gradients = g.gradient(of: loss, with: parameters.map(\.value))
    var outputs = [Program.Output("loss", loss)]
    for (parameter, gradient) in zip(parameters, gradients) {
      outputs.append(.init("d \(parameter.name)", gradient))
    }
    adam(g, gradients)
    return Program(name: "train", graph: g.graph, outputs: outputs, updates: updates)
  }

  private mutating func dense(_ g: GraphBuilder, _ x: Value, _ layer: Int) -> Value {
    let shape = [widths[layer], widths[layer - 1]]
    let weight = g.state("w\(layer)", shape)
    let bias = g.state("b\(layer)", [widths[layer]])
    parameters += [("w\(layer)", weight), ("b\(layer)", bias)]
    var y = g.dot(x, weight, transposeRight: true)
    if spectral {
      let v = g.state("v\(layer)", [shape[1]])
      let u = g.stopGradient(
        unit(g, g.sum(g.multiply(weight, g.broadcast(trailing: v, to: shape)), [1])))
      let t = g.sum(g.multiply(weight, g.broadcast(leading: u, to: shape)), [0])
      let next = g.stopGradient(unit(g, t))
      let sigma = g.sum(g.multiply(t, next))
      updates += [.init("u\(layer)", u), .init("v\(layer)", next)]
      y = g.multiply(y, g.divide(g.constant(1), sigma))
    }
    return g.add(y, g.broadcast(trailing: bias, to: g.shape(y)))
  }

  private func unit(_ g: GraphBuilder, _ x: Value) -> Value {
    let norm = g.maximum(g.unary(.squareRoot, g.sum(g.square(x))), 1e-12)
    return g.divide(x, g.broadcast(norm, to: g.shape(x), axes: []))
  }

  private func crossEntropy(_ g: GraphBuilder, _ z: Value, _ y: Value) -> Value {
    let shape = g.shape(z)
    let largest = g.stopGradient(g.maximum(over: [1], z))
    let shifted = g.subtract(z, g.broadcast(leading: largest, to: shape))
    let total = g.unary(.log, g.sum(g.unary(.exp, shifted), [1]))
    return g.multiply(
      g.subtract(g.sum(total), g.sum(g.multiply(shifted, y))), 1 / Double(batch))
  }

  private mutating func adam(_ g: GraphBuilder, _ gradients: [Value]) {
    let first = g.multiply(g.state("first power", []), 0.9)
    let second = g.multiply(g.state("second power", []), 0.99)
    updates += [.init("first power", first), .init("second power", second)]
    let rate = g.divide(g.input("rate", []), g.subtract(1, first))
    let root = g.unary(.reciprocalSquareRoot, g.subtract(1, second))
    for ((name, p), gradient) in zip(parameters, gradients) {
      let shape = g.shape(p)
      func product(_ a: Value, _ b: Value) -> Value {
        commuted ? g.multiply(b, a) : g.multiply(a, b)
      }
      func sum(_ a: Value, _ b: Value) -> Value { commuted ? g.add(b, a) : g.add(a, b) }
      func mean(_ slot: String, _ beta: Double, _ sample: Value) -> Value {
        let next = sum(
          product(g.state("\(slot) \(name)", shape), g.constant(beta, shape)),
          product(sample, g.constant(1 - beta, shape)))
        updates.append(.init("\(slot) \(name)", next))
        return next
      }
      let m = mean("m", 0.9, gradient)
      let v = mean("v", 0.99, commuted ? g.multiply(gradient, gradient) : g.square(gradient))
      let below = sum(
        product(g.unary(.squareRoot, v), g.broadcast(root, to: shape, axes: [])),
        g.constant(1e-8, shape))
      let wide = g.broadcast(rate, to: shape, axes: [])
      let step = commuted ? g.divide(product(m, wide), below) : product(g.divide(m, below), wide)
      let kept = decay.map {
        let factor = g.subtract(1, g.multiply(g.input("rate", []), $0))
        return product(p, g.broadcast(factor, to: shape, axes: []))
      }
      updates.append(.init(name, g.subtract(kept ?? p, step)))
    }
  }

  /// Inputs and states from which training starts.
  func comparison(steps: Int, seed: UInt64) -> Comparison {
    let program = program()
    var comparison = Comparison(
      [program], runs: [String](repeating: "train", count: steps), seed: seed, range: -0.5...0.5)
    var labels = [Float](repeating: 0, count: batch * widths.last!)
    for row in 0..<batch { labels[row * widths.last! + row % widths.last!] = 1 }
    comparison.inputs["train"]!["y"] = labels
    comparison.inputs["train"]!["rate"] = [0.01]
    for name in comparison.states.keys {
      if name.hasPrefix("m ") || name.hasPrefix("v ") {
        comparison.states[name] = comparison.states[name]!.map { _ in 0 }
      }
      if name.hasSuffix("power") { comparison.states[name] = [1] }
    }
    return comparison
  }
}
