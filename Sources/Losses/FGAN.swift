import Model
import Tensors

/// f-GAN (Nowozin, Cseke, Tomioka, 2016). With the activation g and conjugate f* of a divergence:
///
///     critic     −E g(v_r) + E f*(g(v_f))
///     generator  −E g(v_f)                  mode: non_saturating
///                −E f*(g(v_f))              mode: saturating
///
/// The critic's loss is never below −D_f(P‖Q) and reaches it where g(v) = f'(p/q); real samples
/// score high.
public struct FGAN: AdversarialLoss {
  public enum Divergence: String, ArgumentValue, CaseIterable {
    case kl
    case reverseKL = "reverse_kl"
    case pearson, neyman
    case squaredHellinger = "squared_hellinger"
    case jeffrey
    case jensenShannon = "jensen_shannon"
    case weightedJensenShannon = "weighted_jensen_shannon"
    case gan
    case totalVariation = "total_variation"
    case alpha
  }

  public static let kind = "f_gan"
  public static let summary = "the variational bound of an f-divergence"
  public static let divergence = Argument<Divergence>("divergence", "D_f.")
  public static let alpha = Argument<Double>.optional(
    "alpha", "Of the divergence `alpha`; neither 0 nor 1.")
  public static let mixture = Argument<Double>.optional(
    "mixture", "π of `weighted_jensen_shannon`, the weight of the real distribution.",
    in: ArgumentRange(lower: 0, upper: 1, excludesLower: true, excludesUpper: true))
  public static let mode = Argument<SGAN.Mode>(
    "mode", "`saturating`: the generator maximises the critic's own loss.",
    default: .nonSaturating)
  public static let arguments: [any ArgumentDeclaration] = [divergence, alpha, mixture, mode]
  public static let examples: [Example] = [
    .good("{family: f_gan, divergence: kl}"),
    .good("{family: f_gan, divergence: alpha, alpha: 0.5, mode: saturating}"),
    .good("{family: f_gan, divergence: weighted_jensen_shannon, mixture: 0.3}"),
    .bad("{family: «f_gan»}", .missingKey),
    .bad("{family: f_gan, divergence: «hellinger»}", .wrongType),
    .bad("{family: f_gan, divergence: «alpha»}", .missingKey),
    .bad("{family: f_gan, divergence: alpha, alpha: «1»}", .outOfRange),
    .bad("{family: f_gan, divergence: kl, alpha: «2»}", .conflictingKeys),
    .bad("{family: f_gan, divergence: weighted_jensen_shannon, mixture: «1»}", .outOfRange),
  ]

  private let divergence: FDivergence
  private let mode: SGAN.Mode

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    mode = arguments[Self.mode]
    let kind = arguments[Self.divergence]
    let alpha = try Self.argument(Self.alpha, of: .alpha, where: kind, arguments)
    let mixture = try Self.argument(
      Self.mixture, of: .weightedJensenShannon, where: kind, arguments)
    switch kind {
    case .kl: divergence = .kl
    case .reverseKL: divergence = .reverseKL
    case .pearson: divergence = .pearson
    case .neyman: divergence = .neyman
    case .squaredHellinger: divergence = .squaredHellinger
    case .jeffrey: divergence = .jeffrey
    case .jensenShannon: divergence = .jensenShannon
    case .weightedJensenShannon: divergence = .weightedJensenShannon(mixture!)
    case .gan: divergence = .gan
    case .totalVariation: divergence = .totalVariation
    case .alpha:
      if alpha == 0 || alpha == 1 { throw .limit(alpha!) }
      divergence = .alpha(alpha!)
    }
  }

  /// The number that one divergence needs and the others do not have.
  private static func argument(
    _ argument: Argument<Double>, of owner: Divergence, where kind: Divergence,
    _ arguments: Arguments
  ) throws(ArgumentProblem) -> Double? {
    let value = arguments[optional: argument]
    if kind == owner, value == nil {
      throw ArgumentProblem(
        "`\(kind.rawValue)` needs the key `\(argument.name)`", argument: "divergence",
        help: "add `\(argument.name): …`", code: .missingKey)
    }
    if kind != owner, value != nil {
      throw ArgumentProblem(
        "`\(kind.rawValue)` has no `\(argument.name)`", argument: argument.name,
        help: "only `\(owner.rawValue)` has it", code: .conflictingKeys)
    }
    return value
  }

  public var control: LipschitzControl { .unneeded }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    let real = step.mean(divergence.activation(step.realScores, g))
    return CriticObjective(
      loss: g.subtract(step.mean(divergence.conjugate(step.fakeScores, g)), real))
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    let g = step.graph
    let value =
      switch mode {
      case .nonSaturating: divergence.activation(step.fakeScores, g)
      case .saturating: divergence.conjugate(step.fakeScores, g)
      }
    return g.negate(step.mean(value))
  }
}

extension ArgumentProblem {
  fileprivate static func limit(_ alpha: Double) -> ArgumentProblem {
    ArgumentProblem(
      "the divergence `alpha` has no generator at \(Int(alpha))", argument: "alpha",
      help: alpha == 1 ? "its limit there is `kl`" : "its limit there is `reverse_kl`")
  }
}
