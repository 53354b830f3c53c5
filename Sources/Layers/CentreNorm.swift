import Model
import Rounding
import Tensors

/// y = x − mean over all d elements of a sample, with `affine` times `weight` (starts at 1) plus
/// `bias` (0) of the sample's shape: layer normalisation without the division (Qi et al.,
/// "LipsFormer", 2023, whose factor d/(d − 1) a `scale` can add).
///
/// Linear: 2 − 2/d in l1 and linf and 1 in l2, times max |weight|.
public struct CentreNorm: Layer {
  public static let kind = "centre_norm"
  public static let summary = "takes its mean from each sample"
  public static let affine = Argument<Bool>(
    "affine", "Whether weight and bias are there.", default: false)
  public static let arguments: [any ArgumentDeclaration] = [affine]
  public static let examples: [Example] = [
    .good("centre_norm", input: [5]),
    .good("centre_norm: {affine: true}", input: [2, 3]),
    .bad("centre_norm: {affine: «1»}", input: [5], .wrongType),
    .bad("centre_norm: {«eps»: 1e-5}", input: [5], .unknownKey),
  ]

  public let affine: Bool

  public init(_ arguments: Arguments) { affine = arguments[Self.affine] }

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
    let count = Double(inputs[0].elementCount)
    let rest = UpperBound(proved: 2) - LowerBound(proved: 2) / UpperBound(proved: count)
    return SampleNormalisation(
      constants: LipschitzConstants(
        l1: rest.value, l2: count == 1 ? 0 : 1, linf: rest.value)
    ).operation(scale: affine ? "weight" : nil)
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { !affine }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let axes = Array(1..<shape.count)
    let count = Double(axes.reduce(1) { $0 * shape[$1] })
    let mean = g.multiply(g.sum(inputs[0], axes), 1 / count)
    let y = g.subtract(inputs[0], g.broadcast(leading: mean, to: shape))
    guard affine else { return y }
    let scaled = g.multiply(y, g.broadcast(trailing: context.weight("weight"), to: shape))
    return g.add(scaled, g.broadcast(trailing: context.weight("bias"), to: shape))
  }
}
