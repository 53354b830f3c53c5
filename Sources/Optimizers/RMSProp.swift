import Model
import Tensors

/// RMSProp (Tieleman, Hinton, 2012), with PyTorch's defaults and place of ε. With g the gradient:
///
///     v ← decay·v + (1 − decay)·g²
///     p ← p − lr · g / (√v + ε)
///
/// v starts at zero and is not corrected for that, so that the first steps are long ones:
/// lr/√(1 − decay) in every coordinate, ten times lr by default.
public struct RMSProp: Optimizer {
  public static let kind = "rmsprop"
  public static let summary = "steps by gradient over root of running mean square"
  public static let lr = Argument<Double>("lr", "Learning rate.", default: 1e-2, in: .positive)
  public static let decay = Argument<Double>(
    "decay", "Of the running mean square, per step.", default: 0.99, in: .unitBelowOne)
  public static let arguments: [any ArgumentDeclaration] = [lr, decay, AdamRule.epsilon]
  public static let examples: [Example] = [
    .good("{type: rmsprop}"),
    .good("{type: rmsprop, lr: 5e-5, decay: 0.9, epsilon: 1e-10}"),
    .bad("{type: rmsprop, lr: «0»}", .outOfRange),
    .bad("{type: rmsprop, decay: «1»}", .outOfRange),
    .bad("{type: rmsprop, epsilon: «-1e-8»}", .outOfRange),
    .bad("{type: rmsprop, «alpha»: 0.99}", .unknownKey),
  ]

  public let learningRate: Double
  private let decay: Double
  private let epsilon: Double

  public init(_ arguments: Arguments) {
    learningRate = arguments[Self.lr]
    decay = arguments[Self.decay]
    epsilon = arguments[AdamRule.epsilon]
  }

  public func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, _ g: GraphBuilder
  ) -> OptimizerUpdates {
    var result = OptimizerUpdates()
    for parameter in parameters {
      let shape = g.shape(parameter.value)
      let name = "optimizer.v.\(parameter.name)"
      let square = g.add(
        g.multiply(g.state(name, shape), decay),
        g.multiply(g.square(parameter.gradient), 1 - decay))
      result.updates.append(.init(name, square))
      result.initial.append((name, shape, .constant(0)))
      let direction = g.divide(
        parameter.gradient, g.add(g.unary(.squareRoot, square), epsilon))
      let step = g.multiply(direction, g.broadcast(learningRate, to: shape, axes: []))
      result.updates.append(.init(parameter.name, g.subtract(parameter.value, step)))
    }
    return result
  }
}
