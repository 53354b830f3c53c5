import Model
import Rounding
import Tensors

/// y = x / √(mean of x² + eps) ⊙ weight over all elements of a sample, as PyTorch's `RMSNorm` of the
/// sample's whole shape; `weight` starts at 1.
///
/// With γ = max |weight| the constants are γ/√eps in l2, reached at 0, and up to about 0.19·√d times
/// that in l1 and linf (`SampleNormalisation.plain`).
public struct RMSNorm: Layer {
  public static let kind = "rms_norm"
  public static let summary = "divides each sample by the root of the mean of its squares"
  public static let eps = Argument<Double>(
    "eps", "Added to the mean of squares; 2⁻²³ where not given.", default: 0x1p-23, in: .positive)
  public static let affine = Argument<Bool>("affine", "Whether the weight is there.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [eps, affine]
  public static let examples: [Example] = [
    .good("rms_norm: {eps: 0.5, affine: false}", input: [12]),
    .good("rms_norm: {eps: 0.1}", input: [2, 3, 2]),
    .good("rms_norm: {eps: 1, affine: false}", input: [3]),
    .bad("rms_norm: {eps: «0»}", input: [12], .outOfRange),
    .bad("rms_norm: {«bias»: true}", input: [12], .unknownKey),
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
    affine ? [WeightDeclaration("weight", inputs[0], .constant(1))] : []
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    SampleNormalisation.plain(inputs[0].elementCount, eps: eps)
      .operation(scale: affine ? "weight" : nil)
  }

  /// x_i² ≤ d · the mean of squares.
  public func reach(_ inputs: [Shape]) -> OutputReach {
    let root = UpperBound(proved: Double(inputs[0].elementCount)).squareRoot().value
    return .within(root, scale: affine ? "weight" : nil)
  }

  /// Columns mix different weights, and the largest weight and the steepest row need not meet.
  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { !affine || norm == .l2 }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    [.steepNormalisation(name, operation(inputs), norm)]
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let y = g.normalised(inputs[0], over: Array(1..<shape.count), eps: eps, isCentred: false)
    if !affine { return y }
    return g.multiply(y, g.broadcast(trailing: context.weight("weight"), to: shape))
  }
}
