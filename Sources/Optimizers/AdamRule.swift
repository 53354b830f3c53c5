import Model
import Tensors

/// What `adam` and `adamw` share: the arguments, and the update in the one form that engines
/// recognise.
struct AdamRule: Sendable {
  static let lr = Argument<Double>("lr", "Learning rate.", default: 1e-3, in: .positive)
  static let betas = Argument<[Double]>(
    "betas", "Decay per step of the two running means.", default: [0.9, 0.999], in: .unitBelowOne)
  static let epsilon = Argument<Double>(
    "epsilon", "Added to the root, against division by zero.", default: 1e-8, in: .positive)
  static let arguments: [any ArgumentDeclaration] = [lr, betas, epsilon]

  let learningRate: Double
  let betas: (first: Double, second: Double)
  let epsilon: Double

  init(_ arguments: Arguments) throws(ArgumentProblem) {
    learningRate = arguments[Self.lr]
    epsilon = arguments[Self.epsilon]
    let betas = arguments[Self.betas]
    guard betas.count == 2 else { throw .betaCount(betas.count) }
    self.betas = (betas[0], betas[1])
  }

  /// βᵗ is kept as a scalar state that starts at 1 and is multiplied by β each step: a power would
  /// need t, and a logarithm that float32 does not have exactly.
  func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, decay: Double, _ g: GraphBuilder
  ) -> OptimizerUpdates {
    var result = OptimizerUpdates()
    func power(_ name: String, _ beta: Double) -> Value {
      let next = g.multiply(g.state(name, []), beta)
      result.updates.append(.init(name, next))
      result.initial.append((name, [], .constant(1)))
      return next
    }
    // A mean that forgets at once is the gradient, and needs no state.
    let first = betas.first == 0 ? nil : power("optimizer.beta1_power", betas.first)
    let second = power("optimizer.beta2_power", betas.second)
    let rate = first.map { g.divide(learningRate, g.subtract(1, $0)) } ?? learningRate
    let root = g.unary(.reciprocalSquareRoot, g.subtract(1, second))
    let kept = decay == 0 ? nil : g.subtract(1, g.multiply(learningRate, decay))

    for parameter in parameters {
      let shape = g.shape(parameter.value)
      func moment(_ slot: String, _ beta: Double, _ sample: Value) -> Value {
        let name = "optimizer.\(slot).\(parameter.name)"
        let next = g.add(
          g.multiply(g.state(name, shape), beta), g.multiply(sample, 1 - beta))
        result.updates.append(.init(name, next))
        result.initial.append((name, shape, .constant(0)))
        return next
      }
      let m =
        first == nil ? parameter.gradient : moment("m", betas.first, parameter.gradient)
      let v = moment("v", betas.second, g.square(parameter.gradient))
      let deviation = g.multiply(g.unary(.squareRoot, v), g.broadcast(root, to: shape, axes: []))
      let direction = g.divide(m, g.add(deviation, epsilon))
      let step = g.multiply(direction, g.broadcast(rate, to: shape, axes: []))
      let start = kept.map {
        g.multiply(parameter.value, g.broadcast($0, to: shape, axes: []))
      }
      result.updates.append(.init(parameter.name, g.subtract(start ?? parameter.value, step)))
    }
    return result
  }
}

extension ArgumentProblem {
  fileprivate static func betaCount(_ count: Int) -> ArgumentProblem {
    ArgumentProblem(
      "`betas` are two numbers, not \(count)", argument: "betas",
      help: "write the decay of the mean, then that of the mean square: `[0.9, 0.999]`")
  }
}
