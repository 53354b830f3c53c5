import Model
import Rounding
import Tensors

/// After each update W ← W·min(1, k / ‖W‖) in the norm of the declared bound (Gouk et al., 2021):
///
/// - l1: ‖W‖ is the largest column sum of |w|, for a convolution the largest sum over one input
///   channel;
/// - linf: the largest row sum, for a convolution the largest sum over one filter;
/// - l2: σ̂ by `iterations` steps of power iteration on what the layer applies, with vectors that
///   persist from step to step. It is an estimate from below, so the certified rescale when training
///   ends is what makes the bound true.
///
/// The scaling is radial, not the nearest point of the ball. A `scale` and the gamma of a batch
/// normalisation have the norm max |s| (over √(running_var + eps)) in all three.
public struct Projection: Constraint {
  public static let kind = "project"
  public static let summary = "after each update W ← W · min(1, bound / ‖W‖) in the bound's norm"
  public static let iterations = Argument<Int>(
    "iterations", "Power iterations after each update (l2).", default: 2,
    in: ArgumentRange(lower: 1, upper: 100))
  public static let arguments: [any ArgumentDeclaration] = [iterations]
  public static let examples: [Example] = [
    .good("{type: project}"),
    .good("{type: project, iterations: 5}"),
    .bad("{type: project, iterations: «0»}", .outOfRange),
    .bad("{type: project, «norm»: l1}", .unknownKey),
  ]

  public let iterations: Int

  public init(_ arguments: Arguments) { iterations = arguments[Self.iterations] }

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? { nil }
  public var isCertifiedAfterTraining: Bool { true }

  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] {
    norm == .l2 ? linear.iterationState(weight) : []
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }

  public func project(
    _ updated: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    let norm: Value
    if context.linear.iterated(g.shape(updated), isKernel: false) == nil {
      norm = context.largestEntry(updated)
    } else {
      switch context.norm {
      case .l2: norm = context.iteratedNorm(updated, iterations: iterations)
      case .linf: norm = largestSum(updated, along: context.linear.outputAxis, g)
      case .l1: norm = largestSum(updated, along: 1 - context.linear.outputAxis, g)
      }
    }
    return g.shrunk(updated, norm: norm, to: bound)
  }

  /// The largest of the sums of |w| over all axes but one.
  private func largestSum(_ weight: Value, along axis: Int, _ g: GraphBuilder) -> Value {
    let others = g.shape(weight).indices.filter { $0 != axis }
    return g.maximum(over: [0], g.sum(g.unary(.absolute, weight), others))
  }
}

extension LinearOperator {
  /// The weight's axis of output features: 1 of a transposed convolution's [in, filters, …].
  fileprivate var outputAxis: Int {
    if case .transposedConvolution = self { 1 } else { 0 }
  }
}

extension ConstraintContext {
  /// σ̂ of `weight` after some more power iterations, whose vectors it keeps.
  func iteratedNorm(_ weight: Value, iterations: Int) -> Value {
    let g = graph
    let map = SpectralMap(weight, linear, isKernel: false, g)
    guard var u = state["u"], var v = state["v"] else {
      fatalError("lgc's own bug: a projection is lowered without its vectors")
    }
    for _ in 0..<iterations {
      u = g.unit(map.image(v))
      v = g.unit(map.coimage(u))
    }
    update("u", u)
    update("v", v)
    return g.sum(g.multiply(map.coimage(u), v))
  }
}
