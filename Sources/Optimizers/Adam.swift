import Model
import Tensors

/// Adam (Kingma, Ba, 2015), with PyTorch's defaults and place of ε. With g the gradient at step t:
///
///     m ← β₁·m + (1 − β₁)·g
///     v ← β₂·v + (1 − β₂)·g²
///     p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
public struct Adam: Optimizer {
  public static let kind = "adam"
  public static let summary = "steps by running mean over root of running mean square"
  public static let arguments: [any ArgumentDeclaration] = AdamRule.arguments
  public static let examples: [Example] = [
    .good("{type: adam}"),
    .good("{type: adam, lr: 1e-3, betas: [0.5, 0.999], epsilon: 1e-7}"),
    .bad("{type: adam, lr: «-1»}", .outOfRange),
    .bad("{type: adam, betas: «[0.9]»}", .outOfRange),
    .bad("{type: adam, betas: [0.9, «1»]}", .outOfRange),
    .bad("{type: adam, «beta»: [0.9, 0.999]}", .unknownKey),
  ]

  private let rule: AdamRule
  public var learningRate: Double { rule.learningRate }

  public init(_ arguments: Arguments) throws(ArgumentProblem) { rule = try AdamRule(arguments) }

  public func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, _ g: GraphBuilder
  ) -> OptimizerUpdates {
    rule.lower(parameters, learningRate: learningRate, decay: 0, g)
  }
}
