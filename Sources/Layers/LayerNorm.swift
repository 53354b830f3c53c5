import Model
import Rounding
import Tensors

/// y = (x − mean) / √(variance + eps) ⊙ weight + bias, mean and (biased) variance over all d elements
/// of a sample, as PyTorch's `LayerNorm` of the sample's whole shape; `weight` (starts at 1) and
/// `bias` (0) have that shape.
///
/// With γ = max |weight| the constants are γ/√eps in l2, reached where all elements are equal, and
/// γ·K(d)/√eps in l1 and linf. K is 2 − 2/d for small d and grows like 0.19·√d: with
///
///     A = 2m/d,   B = √(μ² + d·μ·(1 − μ) − μ) − μ,   μ = m/d
///
/// it is the maximum over m = 1 … d − 1 of A where B ≤ A/2, else of 2·(A + B)^1.5 / (3·√(3·B)): a row
/// of the Jacobian has the l1 norm √t·(A + (1 − t)·B)/√eps, t = eps/(variance + eps), at worst, and
/// that is maximal over t there. The Jacobian of γ = 1 is symmetric, so l1 is as linf.
public struct LayerNorm: Layer {
  public static let kind = "layer_norm"
  public static let summary = "normalises each sample over all its elements"
  public static let eps = Argument<Double>(
    "eps", "Added to the variance.", default: 1e-5, in: .positive)
  public static let affine = Argument<Bool>(
    "affine", "Whether weight and bias are there.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [eps, affine]
  public static let examples: [Example] = [
    .good("layer_norm: {eps: 0.5, affine: false}", input: [12]),
    .good("layer_norm: {eps: 0.1}", input: [2, 3, 2]),
    .good("layer_norm", input: [5]),
    .bad("layer_norm: {eps: «0»}", input: [12], .outOfRange),
    .bad("layer_norm: {affine: «yes»}", input: [12], .wrongType),
    .bad("layer_norm: {«shape»: 12}", input: [12], .unknownKey),
  ]

  public let eps: Double
  public let affine: Bool

  public init(_ arguments: Arguments) {
    eps = arguments[Self.eps]
    affine = arguments[Self.affine]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try Self.only(inputs)
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    guard affine else { return [] }
    return [
      WeightDeclaration("weight", inputs[0], .constant(1)),
      WeightDeclaration("bias", inputs[0], .constant(0)),
    ]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    SampleNormalisation.centred(inputs[0].elementCount, eps: eps)
      .operation(scale: affine ? "weight" : nil)
  }

  /// |x_i − mean|² ≤ (d − 1)·variance: of numbers that sum up to 0 one is the sum of the others.
  public func reach(_ inputs: [Shape]) -> OutputReach {
    let root = UpperBound(proved: Double(inputs[0].elementCount - 1)).squareRoot().value
    return .within(root, scale: affine ? "weight" : nil, plus: affine ? ["bias"] : [])
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { !affine }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    [.steepNormalisation(name, operation(inputs), norm)]
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let y = g.normalised(inputs[0], over: Array(1..<shape.count), eps: eps, isCentred: true)
    guard affine else { return y }
    let scaled = g.multiply(y, g.broadcast(trailing: context.weight("weight"), to: shape))
    return g.add(scaled, g.broadcast(trailing: context.weight("bias"), to: shape))
  }
}
