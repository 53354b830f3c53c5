import Model
import Rounding
import Tensors

/// y = (x − mean) / √(variance + eps), mean and variance of each channel of a sample over its
/// positions, as PyTorch's `InstanceNorm1d` and `InstanceNorm2d` without running statistics; with
/// `affine` times `weight` (starts at 1) plus `bias` (0), [channels].
///
/// Channels are disjoint, so the constants are those of a layer normalisation of one channel's
/// positions, times max |weight|; where weights are given, in every norm, as one channel has one.
public struct InstanceNorm: Layer {
  public static let kind = "instance_norm"
  public static let summary = "normalises each channel of each sample over its positions"
  public static let affine = Argument<Bool>(
    "affine", "Whether weight and bias are there.", default: false)
  public static let arguments: [any ArgumentDeclaration] = [LayerNorm.eps, affine]
  public static let examples: [Example] = [
    .good("instance_norm: {eps: 0.5}", input: [2, 3, 2]),
    .good("instance_norm: {eps: 0.1, affine: true}", input: [3, 4]),
    .bad("instance_norm: {eps: «0»}", input: [3, 4], .outOfRange),
    .bad("instance_norm: {«track_running_stats»: true}", input: [3, 4], .unknownKey),
    .bad("«instance_norm»", input: [12], .shapeMismatch),
  ]

  public let eps: Double
  public let affine: Bool

  public init(_ arguments: Arguments) {
    eps = arguments[LayerNorm.eps]
    affine = arguments[Self.affine]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    _ = try SpatialShape(input, kind: Self.kind)
    return input
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    affine ? ChannelScale.weights(inputs[0]) : []
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    SampleNormalisation.centred(inputs[0].dropFirst().reduce(1, *), eps: eps)
      .operation(scale: affine ? "weight" : nil)
  }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    [.steepNormalisation(name, operation(inputs), norm)]
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let axes = Array(2..<g.shape(inputs[0]).count)
    let y = g.normalised(inputs[0], over: axes, eps: eps, isCentred: true)
    return affine ? ChannelScale.apply(to: y, context) : y
  }
}
