import Model
import Rounding
import Tensors

/// The forward pass uses W̄ = k·W·diag(d) (Prach & Lampert, 2022), k the declared bound and
///
///     dᵢ = (Σⱼ |WᵀW|ᵢⱼ)^(−1/2)   over the inputs i
///
/// D·WᵀW·D ≤ I because diag(Σⱼ |WᵀW|ᵢⱼ) − WᵀW is diagonally dominant: ‖W̄‖₂ ≤ k at every step,
/// without an iteration; orthogonal columns become orthonormal. `of: outputs` takes rows for columns,
/// W̄ = k·diag(d)·W with |WWᵀ|: as true, another parametrisation, and cheaper where a layer has fewer
/// outputs than inputs.
///
/// Of a convolution WᵀW is the correlation of the kernel with itself: for input channels i, j and
/// offset p it is Σ over filters and taps t of W[·, i, t]·W[·, j, t + p], and dᵢ sums |·| over j and
/// p. That holds the convolution of the whole plane at stride 1. A stride leaves outputs out, zeros
/// around the input leave inputs out, and neither can raise the norm; dilation spreads the same
/// numbers out. Padding that repeats elements is a map of norm √r before it, r the most copies of
/// one element, by which W̄ is divided. A transposed convolution is the adjoint and has its norm.
///
/// A `scale` and the gamma of a batch normalisation go into the ball, as under `spectral`. The
/// certified rescale makes the bound true of the rounded weights, and shrinks next to nothing.
public struct AlmostOrthogonal: Constraint {
  public enum Side: String, ArgumentValue, CaseIterable { case inputs, outputs }

  public static let kind = "almost_orthogonal"
  public static let summary = "uses bound · W · D in the forward pass, D from |WᵀW| (AOL)"
  public static let side = Argument<Side>(
    "of", "Whether the columns of a dense layer are rescaled (inputs) or its rows (outputs).",
    default: .inputs)
  public static let arguments: [any ArgumentDeclaration] = [side]
  public static let examples: [Example] = [
    .good("{type: almost_orthogonal}"),
    .good("{type: almost_orthogonal, of: outputs}"),
    .bad("{type: almost_orthogonal, of: «rows»}", .wrongType),
    .bad("{type: almost_orthogonal, «iterations»: 1}", .unknownKey),
  ]

  public let side: Side

  public init(_ arguments: Arguments) { side = arguments[Self.side] }

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    linear.isMatrixLike ? l2Only(norm) : nil
  }
  public var isCertifiedAfterTraining: Bool { true }
  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] { [] }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    switch context.linear {
    case .dense:
      let isInputs = side == .inputs
      let gram = g.dot(weight, weight, transposeLeft: isInputs, transposeRight: !isInputs)
      let factor = factor(g.sum(g.unary(.absolute, gram), [1]), bound: bound, g)
      return g.multiply(
        weight, g.broadcast(factor, to: g.shape(weight), axes: [isInputs ? 1 : 0]))
    case .convolution(_, let geometry), .transposedConvolution(_, let geometry):
      let copies = Double(geometry.largestRepetition)
      return rescaled(weight, geometry, bound: bound / copies.squareRoot(), g)
    default:
      return g.shrunk(weight, norm: context.largestEntry(weight), to: bound)
    }
  }

  /// k·s^(−1/2).
  private func factor(_ sums: Value, bound: Double, _ g: GraphBuilder) -> Value {
    g.multiply(g.unary(.reciprocalSquareRoot, g.add(sums, tinyNorm)), bound)
  }

  /// A kernel [out, in/groups, taps…] with its correlation with itself taken in each group.
  private func rescaled(
    _ weight: Value, _ geometry: ConvolutionGeometry, bound: Double, _ g: GraphBuilder
  ) -> Value {
    let shape = g.shape(weight)
    let groups = geometry.groups
    let (outputs, inputs) = (geometry.outputs / groups, shape[1])
    let taps = Array(shape[2...])
    let spatial = Array(2..<shape.count)
    // Channel i of each group as a sample whose channels are the filters, [in/groups, out, taps…],
    // against channel j of group a as a filter, [in, out/groups, taps…].
    let samples = g.transpose(weight, [1, 0] + spatial)
    let split = g.reshape(weight, to: [groups, outputs, inputs] + taps)
    let filters = g.reshape(
      g.transpose(split, [0, 2, 1] + spatial.map { $0 + 1 }),
      to: [groups * inputs, outputs] + taps)
    let axes = taps.map { WindowAxis(extent: $0, kernel: $0, low: $0 - 1, high: $0 - 1) }
    let correlation = g.convolution(samples, filters, axes: axes, groups: groups)
    let parts = g.reshape(
      g.unary(.absolute, correlation), to: [inputs, groups, inputs] + axes.map(\.outputs))
    let sums = g.sum(parts, Array(2..<parts.rank(g)))
    let factor = g.transpose(factor(sums, bound: bound, g), [1, 0])
    let scaled = g.multiply(split, g.broadcast(factor, to: g.shape(split), axes: [0, 2]))
    return g.reshape(scaled, to: shape)
  }
}

extension Value {
  fileprivate func rank(_ g: GraphBuilder) -> Int { g.shape(self).count }
}

extension ConvolutionGeometry {
  /// The most often that the padded input holds one element. A circular padding whose outputs are
  /// no more than the circle's counts once: that is the circle's own convolution.
  fileprivate var largestRepetition: Int {
    axes.reduce(1) { product, axis in
      if padding == .circular, (axis.outputs - 1) * axis.stride < axis.extent { return product }
      var count = [Int](repeating: 0, count: axis.extent)
      for place in padding.places(low: axis.low, extent: axis.extent, high: axis.high) {
        if let place { count[place] += 1 }
      }
      return product * count.max()!
    }
  }
}
