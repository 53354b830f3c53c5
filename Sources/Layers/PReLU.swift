import Model
import Tensors

/// y = x where x > 0, else a·x with a learned: one number, or one per channel, as PyTorch's `PReLU`.
///
/// The tensor `weight`, [1] or [channels], starts at `start`. Slopes 1 and a: constant
/// max(1, max |a|) in every norm, with the a that training found.
public struct PReLU: Layer {
  public static let kind = "prelu"
  public static let summary = "y = x where x > 0, else a·x with a learned slope a"
  public static let start = Argument<Double>(
    "start", "Where the slope starts.", default: 0.25)
  public static let perChannel = Argument<Bool>(
    "per_channel", "Whether each channel has a slope of its own.", default: false)
  public static let arguments: [any ArgumentDeclaration] = [start, perChannel]
  public static let shorthand: String? = "start"
  public static let examples: [Example] = [
    .good("prelu", input: [6]),
    .good("prelu: {start: 0.1, per_channel: true}", input: [4, 3, 2]),
    .bad("prelu: {start: «steep»}", input: [6], .wrongType),
    .bad("prelu: {«slope»: 0.1}", input: [6], .unknownKey),
  ]

  public let start: Double
  public let perChannel: Bool

  public init(_ arguments: Arguments) {
    start = arguments[Self.start]
    perChannel = arguments[Self.perChannel]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try Self.only(inputs)
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    [WeightDeclaration("weight", [perChannel ? inputs[0].first ?? 1 : 1], .constant(start))]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .stored(StoredConstants { _, steps in steps.number(1).maximum(steps.largest("weight")) })
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  /// relu(x) − a·relu(−x)
  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let a = context.weight("weight")
    let slopes =
      perChannel
      ? g.broadcast(a, to: shape, axes: [1])
      : g.broadcast(g.reshape(a, to: []), to: shape, axes: [])
    let below = g.unary(.relu, g.negate(inputs[0]))
    return g.subtract(g.unary(.relu, inputs[0]), g.multiply(slopes, below))
  }
}
