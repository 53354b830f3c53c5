import Model
import Rounding
import Tensors

/// y = (x − mean) / √(variance + eps) · weight + bias, per channel, as PyTorch's `BatchNorm1d` and
/// `BatchNorm2d`.
///
/// In training, mean and (biased) variance are those of the batch over samples and positions, and
/// the running ones move towards them by `momentum`, the running variance towards the unbiased one.
/// Otherwise the running ones are used, and the layer is affine: its constant is
/// max |weight| / √(running_var + eps) in every norm. In training it is not a function of one
/// sample and has no constant; what is declared and proved is about inference.
///
/// Tensors: `weight` (starts at 1), `bias` (0), `running_mean` (0), `running_var` (1), [channels].
public struct BatchNorm: Layer {
  public static let kind = "batch_norm"
  public static let summary =
    "normalises each channel: by the batch in training, by running statistics otherwise"
  public static let eps = Argument<Double>(
    "eps", "Added to the variance.", default: 1e-5, in: .positive)
  public static let momentum = Argument<Double>(
    "momentum", "Share of the batch in a running statistic's step.", default: 0.1, in: .unit)
  public static let affine = Argument<Bool>(
    "affine", "Whether weight and bias are there.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [eps, momentum, affine]
  public static let examples: [Example] = [
    .good("batch_norm", input: [3, 4, 2]),
    .good("batch_norm: {eps: 1e-3, momentum: 0.3}", input: [5]),
    .good("batch_norm: {affine: false}", input: [2, 6]),
    .bad("batch_norm: {eps: «0»}", input: [3, 4, 2], .outOfRange),
    .bad("batch_norm: {momentum: «1.5»}", input: [3, 4, 2], .outOfRange),
    .bad("batch_norm: {«epsilon»: 1e-3}", input: [3, 4, 2], .unknownKey),
  ]

  public let eps: Double
  public let momentum: Double
  public let affine: Bool

  public init(_ arguments: Arguments) {
    eps = arguments[Self.eps]
    momentum = arguments[Self.momentum]
    affine = arguments[Self.affine]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try Self.only(inputs)
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    let shape = [inputs[0][0]]
    let scale = [
      WeightDeclaration("weight", shape, .constant(1), isConstrained: true),
      WeightDeclaration("bias", shape, .constant(0)),
    ]
    return (affine ? scale : []) + [
      WeightDeclaration("running_mean", shape, .constant(0), isTrained: false),
      WeightDeclaration("running_var", shape, .constant(1), isTrained: false),
    ]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(
      .normalisation(
        scale: affine ? "weight" : nil, variance: "running_var", epsilon: eps,
        channels: inputs[0][0], count: inputs[0].dropFirst().reduce(1, *)))
  }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    [isHeld ? .boundAtInference(name) : .nothingHoldsIt(name, eps: eps, isAffine: affine)]
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let x = inputs[0]
    let shape = g.shape(x)
    func overChannels(_ value: Value) -> Value { g.broadcast(value, to: shape, axes: [1]) }
    func factor(_ variance: Value) -> Value {
      let inverse = g.unary(.reciprocal, g.unary(.squareRoot, g.add(variance, eps)))
      return affine ? g.multiply(context.weight("weight"), inverse) : inverse
    }
    guard context.mode == .training else {
      let a = factor(context.weight("running_var"))
      let shift = g.multiply(context.weight("running_mean"), a)
      let b = affine ? g.subtract(context.weight("bias"), shift) : g.negate(shift)
      return g.add(g.multiply(x, overChannels(a)), overChannels(b))
    }
    let others = shape.indices.filter { $0 != 1 }
    let count = Double(others.reduce(1) { $0 * shape[$1] })
    let mean = g.multiply(g.sum(x, others), 1 / count)
    let centred = g.subtract(x, overChannels(mean))
    let variance = g.multiply(g.sum(g.square(centred), others), 1 / count)
    func move(_ name: String, towards value: Value) {
      let kept = g.multiply(context.weight(name), 1 - momentum)
      context.update(name, g.add(kept, g.multiply(g.stopGradient(value), momentum)))
    }
    move("running_mean", towards: mean)
    // Of one element per channel there is no unbiased variance.
    move("running_var", towards: g.multiply(variance, count / max(count - 1, 1)))
    let y = g.multiply(centred, overChannels(factor(variance)))
    return affine ? g.add(y, overChannels(context.weight("bias"))) : y
  }
}

// MARK: messages

extension Caution {
  fileprivate static func boundAtInference(_ name: String) -> Caution {
    Caution(
      .batchStatistics,
      "the bound of `\(name)` is about its running variance; training normalises by the batch's",
      help: "the constraint holds weight / √(running_var + eps); a learned `scale` has no such gap")
  }

  fileprivate static func nothingHoldsIt(
    _ name: String, eps: Double, isAffine: Bool
  ) -> Caution {
    let most = (UpperBound.one / LowerBound(proved: eps).squareRoot()).text(significant: 3)
    return Caution(
      .batchStatistics,
      "`\(name)` divides by √(running_var + eps): it expands by up to \(most) where a channel "
        + "hardly varies",
      help: isAffine
        ? "give it `lipschitz:` and `constraint: spectral`"
        : "`affine: true` gives it a weight that a constraint can hold")
  }
}
