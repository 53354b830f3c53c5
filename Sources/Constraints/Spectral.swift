import Model
import Rounding
import Tensors

/// Spectral normalisation as a reparametrisation (Miyato et al., 2018): the forward pass uses
///
///     W̄ = k·W / σ̂(W),   σ̂ = ⟨u, A·v⟩
///
/// where k is the declared bound, A the linear map of the layer and u, v unit vectors (tensors of
/// its output's and input's shape) that `iterations` steps of power iteration per training step
/// draw towards the leading singular ones. They are frozen within a step and constants of the
/// gradient, which for a matrix is (k/σ̂)·(G − ⟨G, W⟩/σ̂ · u·vᵀ) with G = ∂loss/∂W̄.
///
/// - `of: operator`: A is what the layer applies, of a convolution the true one, at its stride,
///   padding and size, and its adjoint. `of: kernel`: A is W reshaped to a matrix
///   [W's first extent, the rest], which does not bound the convolution: its norm is at most
///   √m times as large, m the most windows that read one element.
/// - `init: persistent`: u, v go on where the last step left them. `init: ones`: every use starts
///   from a vector of equal entries, keeps nothing, and converges less within as many iterations.
///
/// σ̂ is never above ‖A‖₂, so the norm of W̄'s map is never below k: it is an *estimate*. What makes
/// the declared bound true is the certified rescale when training ends.
///
/// A learned `scale`, whose norm max |s| is known exactly in every p-norm, needs no iteration.
/// There W̄ = s·min(1, k / max |s|): the ball and not the sphere, because a single number on the
/// sphere could not be learned at all. Batch normalisation is such a scale at inference, of
/// weight / √(running_var + eps): that is what the ball holds, also while training normalises by
/// the batch.
public struct Spectral: Constraint {
  public enum Subject: String, ArgumentValue, CaseIterable { case `operator`, kernel }
  public enum Start: String, ArgumentValue, CaseIterable { case persistent, ones }

  public static let kind = "spectral"
  public static let summary = "uses bound · W / σ(W) in the forward pass, σ by power iteration"
  public static let iterations = Argument<Int>(
    "iterations", "Power iterations per training step.", default: 1,
    in: ArgumentRange(lower: 1, upper: 100))
  public static let subject = Argument<Subject>(
    "of", "σ of what the layer applies, or of its kernel as a matrix.", default: .operator)
  public static let start = Argument<Start>(
    "init", "Whether the iteration goes on from the last step or starts anew.",
    default: .persistent)
  public static let arguments: [any ArgumentDeclaration] = [iterations, subject, start]
  public static let examples: [Example] = [
    .good("{type: spectral}"),
    .good("{type: spectral, iterations: 2}"),
    .good("{type: spectral, of: kernel, init: ones, iterations: 5}"),
    .bad("{type: spectral, iterations: «0»}", .outOfRange),
    .bad("{type: spectral, iterations: «1.5»}", .wrongType),
    .bad("{type: spectral, of: «weight»}", .wrongType),
    .bad("{type: spectral, «iteration»: 2}", .unknownKey),
  ]

  public let iterations: Int
  public let subject: Subject
  public let start: Start

  public init(_ arguments: Arguments) {
    iterations = arguments[Self.iterations]
    subject = arguments[Self.subject]
    start = arguments[Self.start]
  }

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    switch linear {
    case .dense, .convolution, .transposedConvolution:
      norm == .l2 ? nil : Self.otherNorm(norm)
    // Nothing to hold, or the same norm in every p.
    case .diagonal, .scaling, .normalisation, .separable: nil
    }
  }

  public var isCertifiedAfterTraining: Bool { true }

  public func state(_ weight: Shape, of linear: LinearOperator) -> [WeightDeclaration] {
    guard start == .persistent, let (outputs, inputs) = shapes(weight, linear) else { return [] }
    return [
      WeightDeclaration("u", outputs, .unitVector), WeightDeclaration("v", inputs, .unitVector),
    ]
  }

  /// The shapes of u and v; nil where no iteration is needed.
  private func shapes(_ weight: Shape, _ linear: LinearOperator) -> (Shape, Shape)? {
    switch linear {
    case .dense: (Array(weight[..<1]), Array(weight[1...]))
    case .convolution(_, let geometry) where subject == .operator:
      (geometry.outputShape, geometry.inputShape)
    case .transposedConvolution(_, let geometry) where subject == .operator:
      (geometry.inputShape, geometry.outputShape)
    case .convolution, .transposedConvolution: ([weight[0]], [weight[1...].reduce(1, *)])
    case .diagonal, .scaling, .separable, .normalisation: nil
    }
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    guard let (outputs, inputs) = shapes(g.shape(weight), context.linear) else {
      return intoBall(weight, bound: bound, context)
    }
    let map = SpectralMap(weight, context.linear, isKernel: subject == .kernel, g)
    // Without a state both vectors follow from v = (1, …, 1); u's own start is never read.
    guard var u = start == .ones ? g.constant(0, outputs) : context.state["u"],
      var v = start == .ones ? unit(g.constant(1, inputs), g) : context.state["v"]
    else { fatalError("lgc's own bug: spectral is lowered without its vectors") }
    if context.mode == .training || start == .ones {
      for _ in 0..<iterations {
        u = g.stopGradient(unit(map.image(v), g))
        v = g.stopGradient(unit(map.coimage(u), g))
      }
    }
    if context.mode == .training, start == .persistent {
      context.update("u", u)
      context.update("v", v)
    }
    // The last iteration's Aᵀ·u again: common subexpressions are merged, so σ̂ costs one product of
    // vectors, and it is differentiable in W while u and v are not.
    let sigma = g.add(g.sum(g.multiply(map.coimage(u), v)), Self.tiny)
    let factor = g.divide(g.constant(bound), sigma)
    return g.multiply(weight, g.broadcast(factor, to: g.shape(weight), axes: []))
  }

  /// s·k / max(k, max |s|), for a normalisation with |s| / √(variance + epsilon) in the maximum. In
  /// this order a tie leaves the norm out of the gradient.
  private func intoBall(_ s: Value, bound: Double, _ context: ConstraintContext) -> Value {
    let g = context.graph
    var sizes = g.unary(.absolute, s)
    if case .normalisation(_, let variance, let epsilon, _, _) = context.linear {
      let root = g.unary(.squareRoot, g.add(context.tensor(variance), epsilon))
      sizes = g.divide(sizes, root)
    }
    let largest = g.maximum(over: [0], sizes)
    let limit = g.constant(bound)
    let factor = g.divide(limit, g.binary(.maximum, limit, largest))
    return g.multiply(s, g.broadcast(factor, to: g.shape(s), axes: []))
  }

  /// x / ‖x‖₂, and 0 for 0.
  private func unit(_ x: Value, _ g: GraphBuilder) -> Value {
    let norm = g.maximum(g.unary(.squareRoot, g.sum(g.square(x))), Self.tiny)
    return g.multiply(x, g.broadcast(g.unary(.reciprocal, norm), to: g.shape(x), axes: []))
  }

  /// Added to norms, against 0 / 0 for a weight of zeros.
  private static let tiny = 1e-12

  private static func otherNorm(_ norm: Norm) -> String {
    "`spectral` holds a bound in l2 only, and this one is in \(norm.rawValue)"
  }
}

/// A linear map and its adjoint on single tensors.
private struct SpectralMap {
  let image: (Value) -> Value
  let coimage: (Value) -> Value

  init(_ weight: Value, _ linear: LinearOperator, isKernel: Bool, _ g: GraphBuilder) {
    /// On a batch of one.
    func single(_ map: @escaping (Value) -> Value) -> (Value) -> Value {
      { x in
        let y = map(g.reshape(x, to: [1] + g.shape(x)))
        return g.reshape(y, to: Array(g.shape(y).dropFirst()))
      }
    }
    switch linear {
    case .convolution(_, let geometry) where !isKernel:
      image = single { geometry.forward($0, weight, g) }
      coimage = single { geometry.adjoint($0, weight, g) }
    case .transposedConvolution(_, let geometry) where !isKernel:
      image = single { geometry.adjoint($0, weight, g) }
      coimage = single { geometry.forward($0, weight, g) }
    default:
      let extents = g.shape(weight)
      let shape = [extents[0], extents[1...].reduce(1, *)]
      let matrix = g.reshape(weight, to: shape)
      image = { g.sum(g.multiply(matrix, g.broadcast($0, to: shape, axes: [1])), [1]) }
      coimage = { g.sum(g.multiply(matrix, g.broadcast($0, to: shape, axes: [0])), [0]) }
    }
  }
}
