import Glibc
import Model
import ReferenceEngine
import Tensors

/// A network evaluated and differentiated in Double on the reference engine.
final class LayerRun {
  let network: Network
  /// Programs over inputs x, c, d: `forward` gives y, `pull` the gradient of `value` = ⟨c, y⟩ in x,
  /// `run` beside these every weight's gradient, `slope` = ⟨d, ∂value/∂x⟩ and its gradient in x.
  private let executable: ReferenceExecutable
  private let weights: [String]
  var state: [String: [Double]] = [:]
  var c: [Double]
  var d: [Double]

  init(_ network: Network, batch: Int, mode: LoweringMode) throws {
    self.network = network
    let g = GraphBuilder()
    let shape = [batch] + network.inputShape
    let x = g.input("x", shape)
    let y = Lowering.forwardValue(network: network, x: x, mode: mode, g).output
    let value = g.sum(g.multiply(y, g.input("c", g.shape(y))))
    var leaves: [(name: String, value: Value)] = []
    for node in network.nodes {
      for weight in node.weights {
        let name = node.tensorName(weight.name)
        let index = g.graph.nodes.firstIndex {
          if case .state(let leaf) = $0.op { leaf.name == name } else { false }
        }
        leaves.append((name, Value(index!)))
        let values = normals(weight.shape, seed: UInt64(leaves.count + 100))
        // What the layer itself keeps are statistics: a variance is positive.
        state[name] = weight.isTrained ? values : values.map { abs($0) + 0.1 }
      }
    }
    weights = leaves.map(\.name)
    let first = g.gradient(of: value, with: [x] + leaves.map(\.value))
    let slope = g.sum(g.multiply(first[0], g.input("d", shape)))
    let second = g.gradient(of: slope, with: [x])[0]
    var outputs: [Program.Output] = [
      .init("y", y), .init("value", value), .init("slope", slope), .init("second", second),
    ]
    for (name, gradient) in zip(["x"] + weights, first) {
      outputs.append(.init("gradient \(name)", gradient))
    }
    c = normals(g.shape(y), seed: 11)
    d = normals(shape, seed: 12)
    let programs = [
      Program(name: "forward", graph: g.graph, outputs: [.init("y", y)]),
      Program(name: "pull", graph: g.graph, outputs: [.init("gradient x", first[0])]),
      Program(name: "run", graph: g.graph, outputs: outputs),
    ]
    executable = try ReferenceEngine().executable(programs.map { $0.optimized() })
  }

  private func run(_ program: String, _ x: [Double]) throws {
    try executable.writeInput("x", of: program, x)
    try executable.writeInput("c", of: program, c)
    try executable.writeInput("d", of: program, d)
    for (name, values) in state where executable.states[name] != nil {
      try executable.writeState(name, values)
    }
    try executable.run(program)
  }

  func output(_ x: [Double]) throws -> [Double] {
    try run("forward", x)
    return try executable.readOutput("y", of: "forward")
  }

  /// Jᵀ·c at x.
  func pullBack(_ c: [Double], at x: [Double]) throws -> [Double] {
    self.c = c
    try run("pull", x)
    return try executable.readOutput("gradient x", of: "pull")
  }

  func gradients(_ x: [Double]) throws -> (first: [String: [Double]], second: [Double]) {
    try run("run", x)
    var first: [String: [Double]] = [:]
    for name in ["x"] + weights {
      first[name] = try executable.readOutput("gradient \(name)", of: "run")
    }
    return (first, try executable.readOutput("second", of: "run"))
  }

  /// Central differences of a scalar output in each element of the input or of a weight.
  func differences(of output: String, in name: String, at x: [Double]) throws -> [Double] {
    let start = name == "x" ? x : state[name]!
    defer { if name != "x" { state[name] = start } }
    return try start.indices.map { index in
      let step = 1e-5
      let ends = try [step, -step].map { offset in
        var moved = start
        moved[index] += offset
        if name != "x" { state[name] = moved }
        try run("run", name == "x" ? moved : x)
        return try executable.readOutput(output, of: "run")[0]
      }
      return (ends[0] - ends[1]) / (2 * step)
    }
  }
}

/// Standard normal numbers, the same for the same seed.
func normals(_ shape: Shape, seed: UInt64) -> [Double] {
  materialise(.normal(deviation: 1), shape: shape, name: "test", seed: seed).map(Double.init)
}

/// ‖a − b‖_∞ / max(1, ‖a‖_∞)
func distance(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count)
  var (largest, scale) = (0.0, 1.0)
  for (x, y) in zip(a, b) {
    if !(x - y).isFinite { return .infinity }
    largest = max(largest, abs(x - y))
    scale = max(scale, abs(x))
  }
  return largest / scale
}
