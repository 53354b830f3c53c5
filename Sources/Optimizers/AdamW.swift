import Model
import Tensors

/// Adam with decoupled weight decay (Loshchilov, Hutter, 2019):
///
///     p ← (1 − lr·weight_decay)·p, then the step of `adam`
///
/// The decay acts on every parameter, biases too, as in PyTorch.
public struct AdamW: Optimizer {
  public static let kind = "adamw"
  public static let summary = "adam, with weights shrunk beside the gradient step"
  public static let weightDecay = Argument<Double>(
    "weight_decay", "How much of a parameter goes per step, in units of lr.", default: 0.01,
    in: .nonNegative)
  public static let arguments: [any ArgumentDeclaration] = AdamRule.arguments + [weightDecay]
  public static let examples: [Example] = [
    .good("{type: adamw}"),
    .good("{type: adamw, lr: 3e-4, weight_decay: 0.1}"),
    .bad("{type: adamw, weight_decay: «-0.1»}", .outOfRange),
    .bad("{type: adamw, betas: «0.9»}", .wrongType),
  ]

  private let rule: AdamRule
  private let weightDecay: Double
  public var learningRate: Double { rule.learningRate }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    rule = try AdamRule(arguments)
    weightDecay = arguments[Self.weightDecay]
  }

  public func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, _ g: GraphBuilder
  ) -> OptimizerUpdates {
    rule.lower(parameters, learningRate: learningRate, decay: weightDecay, g)
  }
}
