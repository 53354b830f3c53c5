import Model
import Rounding
import Tensors

/// Spectral normalisation as a reparametrisation (Miyato et al., 2018): the forward pass uses
///
///     W̄ = k·W / σ̂(W),   σ̂ = uᵀ·W·v
///
/// where k is the declared bound and u, v are unit vectors that `iterations` steps of power
/// iteration per training step draw towards the leading singular vectors. They persist from step
/// to step, are frozen within one, and are constants of the gradient, which is
/// (k/σ̂)·(G − ⟨G, W⟩/σ̂ · u·vᵀ) with G = ∂loss/∂W̄.
///
/// σ̂ is never above ‖W‖₂, so ‖W̄‖₂ is never below k: it is an *estimate*. What makes the declared
/// bound true is the certified rescale when training ends.
///
/// A learned `scale`, whose norm max |s| is known exactly in every p-norm, needs no iteration.
/// There W̄ = s·min(1, k / max |s|): the ball and not the sphere, because a single number on the
/// sphere could not be learned at all.
public struct Spectral: Constraint {
  public static let kind = "spectral"
  public static let summary = "uses bound · W / σ(W) in the forward pass, σ by power iteration"
  public static let iterations = Argument<Int>(
    "iterations", "Power iterations per training step.", default: 1,
    in: ArgumentRange(lower: 1, upper: 100))
  public static let arguments: [any ArgumentDeclaration] = [iterations]
  public static let examples: [Example] = [
    .good("{type: spectral}"),
    .good("{type: spectral, iterations: 2}"),
    .bad("{type: spectral, iterations: «0»}", .outOfRange),
    .bad("{type: spectral, iterations: «1.5»}", .wrongType),
    .bad("{type: spectral, «iteration»: 2}", .unknownKey),
  ]

  public let iterations: Int

  public init(_ arguments: Arguments) { iterations = arguments[Self.iterations] }

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    if case .dense = linear, norm != .l2 { return Self.otherNorm(norm) }
    return nil
  }

  public var isCertifiedAfterTraining: Bool { true }

  public func state(_ weight: Shape, of linear: LinearOperator) -> [WeightDeclaration] {
    guard weight.count == 2 else { return [] }
    return [
      WeightDeclaration("u", [weight[0]], .unitVector),
      WeightDeclaration("v", [weight[1]], .unitVector),
    ]
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    let shape = g.shape(weight)
    guard shape.count == 2 else { return intoBall(weight, bound: bound, g) }
    guard var u = context.state["u"], var v = context.state["v"] else {
      fatalError("lgc's own bug: spectral is lowered without its vectors")
    }
    func image(_ v: Value) -> Value {
      g.sum(g.multiply(weight, g.broadcast(v, to: shape, axes: [1])), [1])
    }
    func coimage(_ u: Value) -> Value {
      g.sum(g.multiply(weight, g.broadcast(u, to: shape, axes: [0])), [0])
    }
    if context.mode == .training {
      for _ in 0..<iterations {
        u = g.stopGradient(unit(image(v), g))
        v = g.stopGradient(unit(coimage(u), g))
      }
      context.update("u", u)
      context.update("v", v)
    }
    // The last iteration's Wᵀ·u again: common subexpressions are merged, so σ̂ costs one product of
    // vectors, and it is differentiable in W while u and v are not.
    let sigma = g.add(g.sum(g.multiply(coimage(u), v)), Self.tiny)
    let factor = g.divide(g.constant(bound), sigma)
    return g.multiply(weight, g.broadcast(factor, to: shape, axes: []))
  }

  /// s·k / max(k, max |s|). In this order a tie leaves the norm out of the gradient.
  private func intoBall(_ s: Value, bound: Double, _ g: GraphBuilder) -> Value {
    let largest = g.maximum(over: [0], g.unary(.absolute, s))
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
