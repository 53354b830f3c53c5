import Model
import Tensors

/// y = s ⊙ x: one number for all elements, or one per channel; fixed in the description or learned.
///
/// A diagonal matrix: constant max |s| in every norm. A learned s starts at `value` and is the
/// tensor `weight`, [channels] or [1]; the layer's constraint acts on it.
public struct Scale: Layer {
  public static let kind = "scale"
  public static let summary = "y = s ⊙ x with s fixed or learned, one number or one per channel"
  public static let value = Argument<Double>("value", "The factor, or where a learned one starts.")
  public static let learned = Argument<Bool>("learned", "Whether s is trained.", default: false)
  public static let perChannel = Argument<Bool>(
    "per_channel", "Whether a learned s has one number per channel.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [value, learned, perChannel]
  public static let shorthand: String? = "value"
  public static let examples: [Example] = [
    .good("scale: 0.5", input: [16]),
    .good("scale: {value: 1, learned: true}", input: [4, 5, 3]),
    .good("scale: {value: -2, learned: true, per_channel: false}", input: [16]),
    .bad("scale: {value: «large»}", input: [16], .wrongType),
    .bad("scale: {value: 1, learned: «2»}", input: [16], .wrongType),
    .bad("«scale»", input: [16], .missingKey),
  ]

  public let value: Double
  public let learned: Bool
  public let perChannel: Bool

  public init(_ arguments: Arguments) {
    value = arguments[Self.value]
    learned = arguments[Self.learned]
    perChannel = arguments[Self.perChannel]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try Self.only(inputs)
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    guard learned else { return [] }
    return [
      WeightDeclaration("weight", [count(inputs[0])], .constant(value), isConstrained: true)
    ]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(learned ? .diagonal(weight: "weight", count: count(inputs[0])) : .scaling(value))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    guard learned else { return g.multiply(inputs[0], value) }
    let shape = g.shape(inputs[0])
    let s = context.weight("weight")
    if g.shape(s) == [shape[1]] {
      return g.multiply(inputs[0], g.broadcast(s, to: shape, axes: [1]))
    }
    return g.multiply(inputs[0], g.broadcast(g.reshape(s, to: []), to: shape, axes: []))
  }

  private func count(_ input: Shape) -> Int { perChannel ? input.first ?? 1 : 1 }
}
