import Model
import Tensors

/// WGAN with a gradient penalty (Gulrajani et al., 2017). With x̂ = ε·x_r + (1 − ε)·x_f, ε uniform
/// for each sample, and n = ‖∇D(x̂)‖₂ of each sample:
///
///     critic     E v_f − E v_r + λ·E (n − 1)²             sided: two
///                E v_f − E v_r + λ·E max(n − 1, 0)²       sided: one
///     generator  −E v_f
///
/// `power: 1` takes |n − 1| and max(n − 1, 0) as they are. The penalty is soft: it bounds nothing, and it moves the optimum. Two points at distance d give
/// d + d²/(4λ) where W₁ is d, so the loss is near W₁ only for λ ≫ d.
public struct WGANGP: AdversarialLoss {
  public enum Sided: String, ArgumentValue, CaseIterable { case two, one }

  public static let kind = "wgan_gp"
  public static let summary = "wgan with a penalty that draws gradients between samples to norm 1"
  public static let sided = Argument<Sided>(
    "sided", "`two`: norms below 1 are penalised too; `one`: only those above.", default: .two)
  public static let weight = Argument<Double>(
    "weight", "λ, of the penalty.", default: 10, in: .nonNegative)
  public static let power = Argument<Int>(
    "power", "Of the excess: 2, or 1.", default: 2, in: ArgumentRange(lower: 1, upper: 2))
  public static let arguments: [any ArgumentDeclaration] = [sided, weight, power]
  public static let examples: [Example] = [
    .good("{family: wgan_gp}"),
    .good("{family: wgan_gp, sided: one, weight: 0.1}"),
    .bad("{family: wgan_gp, sided: «three»}", .wrongType),
    .bad("{family: wgan_gp, weight: «-1»}", .outOfRange),
    .bad("{family: wgan_gp, power: «3»}", .outOfRange),
    .bad("{family: wgan_gp, «lambda»: 10}", .unknownKey),
  ]

  private let sided: Sided
  private let weight: Double
  private let power: Int

  public init(_ arguments: Arguments) {
    sided = arguments[Self.sided]
    weight = arguments[Self.weight]
    power = arguments[Self.power]
  }

  public var criticSteps: Int { 5 }
  public var control: LipschitzControl { .penalty }

  public func criticObjective(_ step: AdversarialStep) -> CriticObjective {
    let g = step.graph
    let squares = step.squaredGradientNorms(at: step.interpolations)
    // The root has no derivative at 0, where a critic of dead units is.
    var excess = g.subtract(g.unary(.squareRoot, g.add(squares, 1e-12)), 1)
    if sided == .one { excess = g.unary(.relu, excess) }
    excess = power == 2 ? g.square(excess) : g.unary(.absolute, excess)
    let penalty = g.multiply(step.mean(excess), weight)
    return CriticObjective(loss: g.add(step.negativeGap, penalty), penalty: penalty)
  }

  public func generatorObjective(_ step: AdversarialStep) -> Value {
    step.graph.negate(step.mean(step.fakeScores))
  }
}
