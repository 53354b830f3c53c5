import Model
import Rounding
import Tensors

/// After each update W ← k·W / σ̂(W): a kernel constraint in the sense of Keras.
///
/// The forward pass and the gradient see the stored weight as it is, so the radial part of the
/// gradient enters the optimizer's moments before the division removes it from the weight; the
/// reparametrisation `spectral` differentiates through W/σ̂ instead. Both are offered because they
/// train differently. σ̂ comes from `iterations` steps of power iteration on what the layer applies,
/// with vectors that persist. It is an estimate from below; the certified rescale when training ends
/// makes the bound true.
///
/// A `scale` and the gamma of a batch normalisation go into the ball, as under `spectral`.
public struct SpectralAfterUpdate: Constraint {
  public static let kind = "spectral_after_update"
  public static let summary = "after each update W ← bound · W / σ(W), σ by power iteration"
  public static let iterations = Argument<Int>(
    "iterations", "Power iterations after each update.", default: 5,
    in: ArgumentRange(lower: 1, upper: 100))
  public static let arguments: [any ArgumentDeclaration] = [iterations]
  public static let examples: [Example] = [
    .good("{type: spectral_after_update}"),
    .good("{type: spectral_after_update, iterations: 1}"),
    .bad("{type: spectral_after_update, iterations: «0»}", .outOfRange),
    .bad("{type: spectral_after_update, «of»: kernel}", .unknownKey),
  ]

  public let iterations: Int

  public init(_ arguments: Arguments) { iterations = arguments[Self.iterations] }

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    switch linear {
    case .dense, .convolution, .transposedConvolution: l2Only(norm)
    default: nil
    }
  }
  public var isCertifiedAfterTraining: Bool { true }

  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] {
    linear.iterationState(weight)
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { weight }

  public func project(
    _ updated: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    guard context.linear.iterated(g.shape(updated), isKernel: false) != nil else {
      return g.shrunk(updated, norm: context.largestEntry(updated), to: bound)
    }
    let norm = g.add(context.iteratedNorm(updated, iterations: iterations), tinyNorm)
    let factor = g.divide(g.constant(bound), norm)
    return g.multiply(updated, g.broadcast(factor, to: g.shape(updated), axes: []))
  }
}
