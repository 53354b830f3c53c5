import CPUEngine
import Model
import ReferenceEngine
import Rounding
import Tensors

/// One constraint on one weight: what it makes of given numbers, compiled and run.
struct ConstraintRun {
  var constraint: any Constraint
  var shape: Shape
  var linear: LinearOperator
  var bound = 1.0
  var norm = Norm.l2
  var engine: any Engine = ReferenceEngine()

  enum Call: String { case reparametrise, project, start, deploy }

  struct Result {
    var weight: [Double]
    /// ∂⟨G, W̄⟩ in the weight, and in each trained state by its name.
    var gradients: [String: [Double]]
    /// After the call.
    var state: [String: [Double]]
  }

  init(
    _ constraint: any Constraint, _ shape: Shape, _ linear: LinearOperator? = nil,
    bound: Double = 1, norm: Norm = .l2, engine: any Engine = ReferenceEngine()
  ) {
    self.constraint = constraint
    self.shape = shape
    self.linear = linear ?? .dense(weight: "w", outputs: shape[0], inputs: shape[1])
    self.bound = bound
    self.norm = norm
    self.engine = engine
  }

  var declarations: [WeightDeclaration] { constraint.state(shape, of: linear, norm: norm) }

  /// - Parameters:
  ///   - state: what is not given has its declared start, vectors a random direction.
  ///   - pulled: G; of the engines only the reference takes Double.
  ///   - times: how often it is run on what it left, of `project` the weight too.
  func callAsFunction(
    _ call: Call, _ weight: [Double], state: [String: [Double]] = [:],
    mode: LoweringMode = .training, pulled: [Double]? = nil, times: Int = 1
  ) throws -> Result {
    let g = GraphBuilder()
    let w = g.state("w", shape)
    let leaves = Dictionary(
      uniqueKeysWithValues: declarations.map { ($0.name, g.state($0.name, $0.shape)) })
    let context = ConstraintContext(
      graph: g, mode: mode, linear: linear, norm: norm, state: leaves,
      tensor: { g.state($0, shape) })
    let result =
      switch call {
      case .reparametrise: constraint.reparametrise(w, bound: bound, context)
      case .project: constraint.project(w, bound: bound, context)
      case .start: constraint.start(w, bound: bound, context)
      case .deploy: constraint.deploy(w, bound: bound, context)
      }
    let trained = declarations.filter(\.isTrained).map(\.name)
    let gradients = g.gradient(
      of: g.sum(g.multiply(result, g.input("G", shape))), with: [w] + trained.map { leaves[$0]! })
    var program = Program(
      name: "apply", graph: g.graph,
      outputs: [.init("weight", result)]
        + zip(["w"] + trained, gradients).map { .init("gradient \($0)", $1) },
      updates: context.updates.map { .init($0.name, $0.value) }
        + (call == .project ? [.init("w", result)] : []))
    program = program.withoutStopGradients().optimized()
    var starts = ["w": weight]
    for declaration in declarations {
      starts[declaration.name] = state[declaration.name] ?? start(declaration)
    }
    let executable = try engine.compile([program], options: EngineOptions())
    if let exact = executable as? ReferenceExecutable {
      for (name, values) in starts where executable.states[name] != nil {
        try exact.writeState(name, values)
      }
      try exact.writeInput("G", of: "apply", pulled ?? weight)
    } else {
      for (name, values) in starts where executable.states[name] != nil {
        try executable.writeState(name, values.map { Float($0) })
      }
      try executable.writeInput("G", of: "apply", (pulled ?? weight).map { Float($0) })
    }
    for _ in 0..<times { try executable.run("apply") }
    func output(_ name: String, _ shape: Shape) throws -> [Double] {
      if let exact = executable as? ReferenceExecutable {
        return try exact.readOutput(name, of: "apply")
      }
      return try executable.readOutput(name, of: "apply", count: shape.elementCount)
        .map(Double.init)
    }
    var after = starts
    after["w"] = nil
    for update in program.updates where update.state != "w" {
      if let exact = executable as? ReferenceExecutable {
        after[update.state] = try exact.readState(update.state)
      } else {
        let count = starts[update.state]!.count
        after[update.state] = try executable.readState(update.state, count: count)
          .map(Double.init)
      }
    }
    var found: [String: [Double]] = [:]
    for name in ["w"] + trained {
      let extents = name == "w" ? shape : declarations.first { $0.name == name }!.shape
      found[name] = try output("gradient \(name)", extents)
    }
    return Result(weight: try output("weight", shape), gradients: found, state: after)
  }

  /// The state that training starts from: `start`, then some applications.
  func warm(_ weight: [Double], steps: Int) throws -> Result {
    var result = try self(.start, weight)
    result.state = try self(.reparametrise, result.weight, state: result.state, times: steps).state
    return result
  }

  private func start(_ declaration: WeightDeclaration) -> [Double] {
    let values = normals(declaration.shape, seed: Philox.hash(of: declaration.name))
    switch declaration.initializer {
    case .constant(let number): return values.map { _ in number }
    default:
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { $0 / length }
    }
  }
}

/// Convolutions of every sort: overlapping windows and not, groups, padding, transposed.
let kernels: [(name: String, linear: LinearOperator, shape: Shape)] = [
  kernel("plain", inputs: 2, outputs: 3, axes: [.init(extent: 5, kernel: 3, low: 1, high: 1)]),
  kernel(
    "strided", inputs: 2, outputs: 3,
    axes: [
      .init(extent: 5, kernel: 3, stride: 2, low: 1, high: 1),
      .init(extent: 4, kernel: 2, stride: 1),
    ]),
  kernel(
    "patches", inputs: 3, outputs: 5,
    axes: [.init(extent: 4, kernel: 2, stride: 2), .init(extent: 6, kernel: 2, stride: 2)]),
  kernel(
    "groups", inputs: 4, outputs: 6, groups: 2,
    axes: [.init(extent: 5, kernel: 3, low: 1, high: 1)]),
  kernel(
    "depthwise", inputs: 3, outputs: 3, groups: 3,
    axes: [.init(extent: 4, kernel: 3, dilation: 1, low: 1, high: 1)]),
  kernel(
    "circular", inputs: 2, outputs: 2, axes: [.init(extent: 5, kernel: 3, low: 1, high: 1)],
    padding: .circular),
  kernel(
    "reflected", inputs: 1, outputs: 2, axes: [.init(extent: 4, kernel: 3, low: 2, high: 2)],
    padding: .reflect),
  kernel(
    "dilated", inputs: 2, outputs: 2,
    axes: [.init(extent: 7, kernel: 3, dilation: 2, low: 2, high: 2)]),
  kernel(
    "transposed", inputs: 2, outputs: 4, groups: 2,
    axes: [.init(extent: 7, kernel: 3, stride: 2)], isTransposed: true),
]

private func kernel(
  _ name: String, inputs: Int, outputs: Int, groups: Int = 1, axes: [WindowAxis],
  padding: ConvolutionGeometry.Padding = .zeros, isTransposed: Bool = false
) -> (String, LinearOperator, Shape) {
  let geometry = ConvolutionGeometry(
    inputs: inputs, outputs: outputs, groups: groups, axes: axes, padding: padding)
  let linear: LinearOperator =
    isTransposed
    ? .transposedConvolution(weight: "w", geometry) : .convolution(weight: "w", geometry)
  return (name, linear, geometry.weightShape)
}

/// The largest and the smallest singular value of a row-major matrix, of the lesser side's many, by
/// Jacobi's rotations of the Gram matrix.
func singularValues(_ a: [Double], _ rows: Int, _ columns: Int) -> [Double] {
  let isWide = rows <= columns
  let n = min(rows, columns)
  var m = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
  for i in 0..<n {
    for j in 0..<n {
      m[i][j] = (0..<max(rows, columns)).reduce(0) {
        isWide
          ? $0 + a[i * columns + $1] * a[j * columns + $1]
          : $0 + a[$1 * columns + i] * a[$1 * columns + j]
      }
    }
  }
  for _ in 0..<30 {
    for p in 0..<n {
      for q in p + 1..<max(n, p + 1) where m[p][q] != 0 {
        let theta = (m[q][q] - m[p][p]) / (2 * m[p][q])
        let t = (theta >= 0 ? 1.0 : -1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<n {
          let (x, y) = (m[k][p], m[k][q])
          (m[k][p], m[k][q]) = (c * x - s * y, s * x + c * y)
        }
        for k in 0..<n {
          let (x, y) = (m[p][k], m[q][k])
          (m[p][k], m[q][k]) = (c * x - s * y, s * x + c * y)
        }
      }
    }
  }
  return (0..<n).map { max(0, m[$0][$0]).squareRoot() }.sorted(by: >)
}
