import Model
import Rounding

/// The proof of ‖Δexit‖₂ ≤ √square · ‖Δentry‖₂ for a stretch of a network made of linear layers,
/// weighted sums and element-wise activations: multipliers of a matrix inequality, and nothing else.
///
/// Between two inputs of the network let d = Δentry, and for each activation k, in execution order,
/// uₖ and zₖ the differences of what it reads and of what it writes (`elements` numbers, row-major).
/// Every value of the stretch is linear in v = (d, z₁, …, z_K): uₖ = Cₖ·v, where Cₖ involves only d
/// and z₁ … zₖ₋₁, and Δexit = C·v. Biases cancel, and what is no linear layer, weighted sum or
/// activation does not occur between entry and exit. An activation whose slopes lie in [a, b] has
/// (z − a·u)(b·u − z) ≥ 0 element by element, so for multipliers λ ≥ 0
///
///     q(v) = ‖d‖² + Σₖ Σᵢ 2·λₖᵢ·(zₖᵢ − aₖ·uₖᵢ)(zₖᵢ − bₖ·uₖᵢ) ≤ ‖d‖²   for the v that occur.
///
/// With the symmetric matrix A of q, blocks indexed by d, z₁ … z_K,
///
///     A = I on d + Σₖ (2Λₖ on zₖ,zₖ − (aₖ + bₖ)(Λₖ·Cₖ on zₖ,v + its transpose)
///                      + 2·aₖ·bₖ·Cₖᵀ·Λₖ·Cₖ),
///
/// if P = [[A, Cᵀ], [C, square·I]] is positive definite, then ‖C·v‖² ≤ square·q(v) ≤ square·‖d‖²,
/// which is the claim. (Fazlyab et al. 2019, with the coefficient of ‖d‖² set to one and the
/// output's square complement as a block of its own.) A checker builds P from the graph, the
/// stored tensors and these numbers, and factorises it once.
public struct JointEvidence: Sendable, Equatable {
  /// One element-wise activation of the stretch.
  public struct Activation: Sendable, Equatable {
    /// Its index in `Network.nodes`.
    public let node: Int
    /// λₖ, one per element, all > 0. float32, so that λ·w is a double for float32 weights.
    public let multipliers: [Float]

    public init(node: Int, multipliers: [Float]) {
      self.node = node
      self.multipliers = multipliers
    }
  }

  /// The value the stretch starts from. Every path from the network's input to `exit` leads
  /// through it.
  public let entry: NetworkValue
  /// The value the stretch ends with.
  public let exit: NetworkValue
  /// All activations between entry and exit, in execution order. An activation whose slopes are
  /// one number (a = b: dropout at inference) is a linear layer, a multiple of the identity, and
  /// is not listed. Empty where all of the stretch is linear: then P proves ‖C‖² < square.
  public let activations: [Activation]
  /// L²
  public let square: Double

  public init(
    entry: NetworkValue, exit: NetworkValue, activations: [Activation], square: Double
  ) {
    self.entry = entry
    self.exit = exit
    self.activations = activations
    self.square = square
  }

  /// L = √square, rounded up.
  public var factor: UpperBound { UpperBound(proved: square).squareRoot() }
}
