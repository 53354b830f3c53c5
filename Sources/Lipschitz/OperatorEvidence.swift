/// What a checker needs, beside the weights and the graph, to repeat the proof of one operator's
/// bound. Where nothing but the bound is needed, a case has no values.
///
/// Angles are rational multiples of π, so that they are exact in print: twists are 0 or 1 (in
/// units of π) and cells of the frequency plane are dyadic.
public indirect enum OperatorEvidence: Sendable, Hashable {
  /// The operation states its constant, or states that it has none; nothing is computed.
  case constant
  /// max |w| over the stored numbers (diagonals).
  case largestEntry
  /// L1: largest column sum, L∞: largest row sum of absolute values of the operator's matrix, a
  /// convolution's with its borders.
  case sums
  /// Every stored number is zero.
  case zero
  /// (Σ w²)^½.
  case frobenius
  /// Gram matrix of the short side and one Cholesky factorisation of bound²·I − WᵀW.
  case gram
  /// A convolution whose polyphase form has one tap (1×1, or kernel ≤ stride): the proof of the
  /// matrix [outputs, inputs·phases] is `gram` or `frobenius`.
  case kernelMatrix(OperatorEvidence)
  /// Zero padding: the operator is a compression of the twisted circulant on the torus of these
  /// sides, one a spatial axis; each frequency ω = (2πj + π·twist) / side is tested.
  case torus(sides: [Int], twists: [Int])
  /// Zero padding of any extent: the symbol is below bound·cos(½ Σ Dₐhₐ) at the centre of every
  /// cell of a cover of the frequencies.
  ///
  /// With D the degrees of the trimmed polyphase symbol, one an axis, the plane is [0, π] × [0, 2π]
  /// (the first axis with D > 0 has π, axes with D = 0 have extent 0). It is cut into
  /// 2^root[0] × 2^root[1] cells, in row-major order; each is a binary tree written depth first, `1`
  /// for a leaf and `0` for a cell that is halved, lower half first, along the axis with the largest
  /// Dₐhₐ (the first of equals), hₐ the half-width.
  case frequencyCover(root: [Int], bits: String)
  /// Cholesky factorisation of bound²·I − TᵀT (or TTᵀ) for the operator T at its real size, which
  /// is banded when the elements are ordered by position and then channel.
  case banded
  /// Circular padding: the symbol at the frequencies 2πj / side of the input's own torus.
  case circular
  /// Padding that copies elements: √m times the bound, proved by `of`, of the same convolution
  /// without padding on the padded input; m is the largest number of copies of one element.
  case copies(of: OperatorEvidence)
  /// The matrix has rows, or columns, without common elements: the largest Euclidean norm of one.
  case disjoint
  /// √(‖T‖₁·‖T‖∞), both as `sums`.
  case interpolation
  /// One proof a group, in order; each holds for the operator's bound.
  case groups([OperatorEvidence])
  /// The norms of the one-dimensional matrices, in order, multiply.
  case separable([OperatorEvidence])
  /// max |scale / √(variance + ε)| over channels.
  case normalisation
  /// The steps that the operation states, with these norms of its matrices, in order.
  case stored([StoredNorm])
}
