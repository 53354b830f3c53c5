import Model
import Tensors

/// Stochastic gradient descent with PyTorch's momentum. With g the gradient:
///
///     d ← g + weight_decay·p
///     b ← momentum·b + d
///     p ← p − lr·b                    or, with nesterov, p − lr·(d + momentum·b)
///
/// b starts at zero, so the first step is along d as in PyTorch. Without momentum there is no b.
public struct SGD: Optimizer {
  public static let kind = "sgd"
  public static let summary = "steps along the gradient, with momentum if asked"
  public static let lr = Argument<Double>("lr", "Learning rate.", default: 1e-3, in: .positive)
  public static let momentum = Argument<Double>(
    "momentum", "How much of the last step's direction is kept.", default: 0, in: .unitBelowOne)
  public static let nesterov = Argument<Bool>(
    "nesterov", "Whether the gradient is looked up ahead; needs momentum.", default: false)
  public static let weightDecay = Argument<Double>(
    "weight_decay", "Times the parameter, added to the gradient.", default: 0, in: .nonNegative)
  public static let arguments: [any ArgumentDeclaration] = [lr, momentum, nesterov, weightDecay]
  public static let examples: [Example] = [
    .good("{type: sgd, lr: 0.1}"),
    .good("{type: sgd, lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4}"),
    .bad("{type: sgd, lr: «0»}", .outOfRange),
    .bad("{type: sgd, momentum: «1»}", .outOfRange),
    .bad("{type: sgd, nesterov: «true»}", .conflictingKeys),
    .bad("{type: sgd, «betas»: [0.9, 0.999]}", .unknownKey),
  ]

  public let learningRate: Double
  private let momentum: Double
  private let nesterov: Bool
  private let weightDecay: Double

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    learningRate = arguments[Self.lr]
    momentum = arguments[Self.momentum]
    nesterov = arguments[Self.nesterov]
    weightDecay = arguments[Self.weightDecay]
    if nesterov && momentum == 0 { throw .nesterovAlone() }
  }

  public func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, _ g: GraphBuilder
  ) -> OptimizerUpdates {
    var result = OptimizerUpdates()
    for parameter in parameters {
      let shape = g.shape(parameter.value)
      var direction = parameter.gradient
      if weightDecay > 0 {
        direction = g.add(direction, g.multiply(parameter.value, weightDecay))
      }
      if momentum > 0 {
        let name = "optimizer.momentum.\(parameter.name)"
        let kept = g.add(g.multiply(g.state(name, shape), momentum), direction)
        result.updates.append(.init(name, kept))
        result.initial.append((name, shape, .constant(0)))
        direction = nesterov ? g.add(direction, g.multiply(kept, momentum)) : kept
      }
      let step = g.multiply(direction, g.broadcast(learningRate, to: shape, axes: []))
      result.updates.append(.init(parameter.name, g.subtract(parameter.value, step)))
    }
    return result
  }
}

extension ArgumentProblem {
  fileprivate static func nesterovAlone() -> ArgumentProblem {
    ArgumentProblem(
      "`nesterov` without momentum", argument: "nesterov",
      help: "set `momentum`, for example 0.9", code: .conflictingKeys)
  }
}
