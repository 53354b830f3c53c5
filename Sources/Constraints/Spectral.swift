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
    linear.isMatrixLike ? l2Only(norm) : nil
  }

  public var isCertifiedAfterTraining: Bool { true }

  public func cautions(name: String, _ linear: LinearOperator) -> [Caution] {
    switch linear {
    case .convolution(_, let geometry), .transposedConvolution(_, let geometry):
      let excess = UpperBound(proved: Double(geometry.largestCover)).squareRoot()
      return subject == .kernel && excess > .one ? [.kernelNorm(name, excess)] : []
    case .dense, .diagonal, .scaling, .separable, .normalisation: return []
    }
  }

  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] {
    start == .persistent ? linear.iterationState(weight, isKernel: subject == .kernel) : []
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let isKernel = subject == .kernel
    guard context.linear.isMatrixLike else { return intoBall(weight, bound: bound, context) }
    return context.normalised(
      weight, to: bound, iterations: iterations, isKernel: isKernel,
      isPersistent: start == .persistent)
  }

  /// s·k / max(k, max |s|), for a normalisation with |s| / √(variance + epsilon) in the maximum.
  private func intoBall(_ s: Value, bound: Double, _ context: ConstraintContext) -> Value {
    context.graph.shrunk(s, norm: context.largestEntry(s), to: bound)
  }
}

// MARK: messages

extension Caution {
  fileprivate static func kernelNorm(_ name: String, _ excess: UpperBound) -> Caution {
    Caution(
      .kernelNorm,
      "the norm of the convolution `\(name)` can be \(excess.text(significant: 4)) times that of "
        + "its kernel, which `of: kernel` holds",
      help: "`of: operator` holds the convolution itself; otherwise the certified rescale shrinks "
        + "the trained weights by what their proved norm exceeds the bound")
  }
}
