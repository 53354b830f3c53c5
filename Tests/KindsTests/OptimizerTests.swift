import Glibc
import Model
import Optimizers
import ReferenceEngine
import Tensors
import Testing

/// Runs an optimizer on given gradients; the parameters after each step.
private func steps(
  _ optimizer: any Optimizer, start: [Double], gradients: [[Double]], rates: [Double]
) throws -> [[Double]] {
  let g = GraphBuilder()
  let shape = [start.count]
  let parameter = OptimizedParameter(
    name: "w", value: g.state("w", shape), gradient: g.input("gradient", shape))
  let result = optimizer.lower(
    [parameter], learningRate: g.input("learning_rate", []), g)
  let program = Program(name: "step", graph: g.graph, outputs: [], updates: result.updates)
  let executable = try ReferenceEngine().executable([program])
  for (name, shape, initializer) in result.initial {
    guard case .constant(let number) = initializer else {
      Issue.record("\(name) starts at random")
      continue
    }
    try executable.writeState(name, [Double](repeating: number, count: shape.elementCount))
  }
  #expect(Set(result.initial.map(\.name) + ["w"]) == Set(program.states.keys))
  try executable.writeState("w", start)
  return try zip(gradients, rates).map { gradient, rate in
    try executable.writeInput("gradient", of: "step", gradient)
    try executable.writeInput("learning_rate", of: "step", [rate])
    try executable.run("step")
    return try executable.readState("w") as [Double]
  }
}

private let start = [0.5, -2, 3]
private let gradients = (0..<6).map { normals([3], seed: UInt64(40 + $0)) }
private let rates = [0.1, 0.1, 0.05, 0.02, 0.2, 0.1]

@Suite struct OptimizerTests {
  /// The published formulas with explicit powers, element by element.
  private func adam(
    _ b1: Double, _ b2: Double, _ epsilon: Double, decay: Double
  ) -> [[Double]] {
    var (p, m, v) = (start, [0.0, 0, 0], [0.0, 0, 0])
    return gradients.indices.map { t in
      for i in p.indices {
        let g = gradients[t][i]
        m[i] = b1 * m[i] + (1 - b1) * g
        v[i] = b2 * v[i] + (1 - b2) * g * g
        let mean = m[i] / (1 - pow(b1, Double(t + 1)))
        let square = v[i] / (1 - pow(b2, Double(t + 1)))
        p[i] -= rates[t] * decay * p[i]
        p[i] -= rates[t] * mean / (square.squareRoot() + epsilon)
      }
      return p
    }
  }

  @Test func adamIsTheFormula() throws {
    let found = try steps(
      try Adam(arguments()), start: start, gradients: gradients, rates: rates)
    let expected = adam(0.9, 0.999, 1e-8, decay: 0)
    for (a, b) in zip(found, expected) { #expect(distance(a, b) < 1e-12) }
  }

  @Test func adamWithoutAMeanKeepsNone() throws {
    let g = GraphBuilder()
    let parameter = OptimizedParameter(
      name: "w", value: g.state("w", [2]), gradient: g.input("gradient", [2]))
    let found = try Adam(arguments(["betas": [0.0, 0.9]])).lower(
      [parameter], learningRate: g.input("learning_rate", []), g)
    #expect(found.initial.map(\.name) == ["optimizer.beta2_power", "optimizer.v.w"])
  }

  @Test func adamTakesItsBetasAndEpsilon() throws {
    let optimizer = try Adam(arguments(["betas": [0.5, 0.9], "epsilon": 1e-2]))
    let found = try steps(optimizer, start: start, gradients: gradients, rates: rates)
    let expected = adam(0.5, 0.9, 1e-2, decay: 0)
    for (a, b) in zip(found, expected) { #expect(distance(a, b) < 1e-12) }
  }

  @Test func adamWShrinksTheParameterBesideTheStep() throws {
    let found = try steps(
      try AdamW(arguments(["weight_decay": 0.3])), start: start, gradients: gradients,
      rates: rates)
    let expected = adam(0.9, 0.999, 1e-8, decay: 0.3)
    for (a, b) in zip(found, expected) { #expect(distance(a, b) < 1e-12) }
  }

  @Test(arguments: [(0.0, false, 0.0), (0.9, false, 0.0), (0.9, true, 0.0), (0.8, true, 0.1)])
  func sgdIsTheFormula(_ momentum: Double, _ nesterov: Bool, _ decay: Double) throws {
    let optimizer = try SGD(
      arguments(["momentum": momentum, "nesterov": nesterov, "weight_decay": decay]))
    let found = try steps(optimizer, start: start, gradients: gradients, rates: rates)
    var (p, b) = (start, [0.0, 0, 0])
    for t in gradients.indices {
      for i in p.indices {
        let g = gradients[t][i] + decay * p[i]
        b[i] = momentum * b[i] + g
        p[i] -= rates[t] * (nesterov ? g + momentum * b[i] : b[i])
      }
      #expect(distance(found[t], p) < 1e-12)
    }
  }

  @Test func plainSGDKeepsNoState() throws {
    let g = GraphBuilder()
    let parameter = OptimizedParameter(
      name: "w", value: g.state("w", [3]), gradient: g.input("gradient", [3]))
    let updates = try SGD(arguments()).lower([parameter], learningRate: g.input("lr", []), g)
    #expect(updates.initial.isEmpty)
    #expect(updates.updates.map(\.state) == ["w"])
  }

  @Test(arguments: [(0.99, 1e-8), (0.5, 0.1)])
  func rmspropIsTheFormula(_ decay: Double, _ epsilon: Double) throws {
    let optimizer = RMSProp(arguments(["decay": decay, "epsilon": epsilon]))
    let found = try steps(optimizer, start: start, gradients: gradients, rates: rates)
    var (p, v) = (start, [0.0, 0, 0])
    for t in gradients.indices {
      for i in p.indices {
        let g = gradients[t][i]
        v[i] = decay * v[i] + (1 - decay) * g * g
        p[i] -= rates[t] * g / (v[i].squareRoot() + epsilon)
      }
      #expect(distance(found[t], p) < 1e-12)
    }
  }
}
