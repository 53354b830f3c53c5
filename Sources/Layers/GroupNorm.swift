import Model
import Rounding
import Tensors

/// y = (x − mean) / √(variance + eps) · weight + bias with mean and variance of each group of
/// consecutive channels of a sample, as PyTorch's `GroupNorm`; `weight` (starts at 1) and `bias` (0)
/// are [channels].
///
/// Groups are disjoint, so the constants are those of a layer normalisation of one group's elements
/// times max |weight|.
public struct GroupNorm: Layer {
  public static let kind = "group_norm"
  public static let summary = "normalises each group of channels of each sample"
  public static let groups = Argument<Int>(
    "groups", "Number of groups; must divide the channels.", in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [
    groups, LayerNorm.eps, LayerNorm.affine,
  ]
  public static let shorthand: String? = "groups"
  public static let examples: [Example] = [
    .good("group_norm: {groups: 2, eps: 0.5, affine: false}", input: [4, 3]),
    .good("group_norm: {groups: 3, eps: 0.1}", input: [6, 2, 2]),
    .good("group_norm: 1", input: [4]),
    .bad("group_norm: {groups: «3»}", input: [4, 3], .shapeMismatch),
    .bad("group_norm: {groups: 2, eps: «-1»}", input: [4, 3], .outOfRange),
    .bad("«group_norm»", input: [4, 3], .missingKey),
  ]

  public let groups: Int
  public let eps: Double
  public let affine: Bool

  public init(_ arguments: Arguments) {
    groups = arguments[Self.groups]
    eps = arguments[LayerNorm.eps]
    affine = arguments[LayerNorm.affine]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard let channels = input.first, channels % groups == 0 else {
      throw ShapeProblem(
        "\(input.first ?? 0) channels do not make \(groups) groups", argument: "groups",
        help: "the number of groups must divide the number of channels")
    }
    return input
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    affine ? ChannelScale.weights(inputs[0]) : []
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    SampleNormalisation.centred(inputs[0].elementCount / groups, eps: eps)
      .operation(scale: affine ? "weight" : nil)
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
    let grouped = [shape[0], groups, shape.dropFirst().reduce(1, *) / groups]
    let y = g.reshape(
      g.normalised(g.reshape(inputs[0], to: grouped), over: [2], eps: eps, isCentred: true),
      to: shape)
    return affine ? ChannelScale.apply(to: y, context) : y
  }
}

/// A learned factor and addend for each channel.
enum ChannelScale {
  static func weights(_ input: Shape) -> [WeightDeclaration] {
    [
      WeightDeclaration("weight", [input[0]], .constant(1)),
      WeightDeclaration("bias", [input[0]], .constant(0)),
    ]
  }

  static func apply(to y: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    func overChannels(_ name: String) -> Value {
      g.broadcast(context.weight(name), to: g.shape(y), axes: [1])
    }
    return g.add(g.multiply(y, overChannels("weight")), overChannels("bias"))
  }
}
