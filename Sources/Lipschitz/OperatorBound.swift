import Rounding

/// What is proved of one linear operator in one norm.
public struct OperatorBound: Sendable, Equatable {
  public let upper: UpperBound
  /// A value that the ratio ‖W·x‖/‖x‖ is proved to reach (or exceed) for some x; nil for layers
  /// whose constant is known from their kind, where nothing is searched.
  public let lower: LowerBound?
  public let method: Method
  public let evidence: OperatorEvidence

  public enum Method: String, Sendable {
    /// Verified Cholesky factorisation of λI − WᵀW.
    case cholesky = "verified Cholesky"
    /// (Σ wᵢⱼ²)^½: one row or column, where it is the norm, or the fallback.
    case frobenius = "Frobenius norm"
    case columnSums = "column sums"
    case rowSums = "row sums"
    case largestEntry = "largest entry"
    /// All weights are zero.
    case zero = "zero"
    /// A constant of the layer's kind or arguments.
    case known = "constant"
    /// Σ |cᵢ| of a weighted sum.
    case sum = "sum"
    case unbounded = "unbounded"
    /// No proof is known for the operator: its bound is null.
    case unproved = "no proof yet"
    /// A convolution as the matrix [outputs, inputs·phases] of its only tap.
    case kernelMatrix = "kernel matrix"
    /// The operator at its real size, borders included.
    case banded = "banded Cholesky"
    /// Compression of a twisted circulant, at the real size.
    case torus = "twisted torus"
    /// All frequencies: for inputs of any size.
    case frequencies = "all frequencies"
    case circular = "torus frequencies"
    /// All frequencies times what the padding copies.
    case copies = "frequencies × copies"
    /// √(‖T‖₁·‖T‖∞).
    case interpolation = "L1 and L∞"
    /// Norms of one-dimensional matrices multiplied.
    case separable
    case normalisation = "scale / deviation"
    /// Computed from norms of stored tensors.
    case stored = "of stored norms"
  }

  public init(
    upper: UpperBound, lower: LowerBound?, method: Method, evidence: OperatorEvidence
  ) {
    self.upper = upper
    self.lower = lower
    self.method = method
    self.evidence = evidence
  }

  static let zero = OperatorBound(upper: .zero, lower: .zero, method: .zero, evidence: .zero)
}
