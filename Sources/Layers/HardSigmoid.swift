import Model
import Tensors

/// y = min(max(x/6 + ½, 0), 1), element by element, as PyTorch defines it.
///
/// Slopes 0 and 1/6: constant 1/6 in every norm. (Keras 2 and ONNX have the slope 1/5.)
public struct HardSigmoid: ElementwiseLayer {
  public static let kind = "hard_sigmoid"
  public static let summary = "y = min(max(x/6 + 1/2, 0), 1)"
  public static let examples: [Example] = [
    .good("hard_sigmoid", input: [16]),
    .bad("hard_sigmoid: {«slope»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, (1.0 / 6).nextUp) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let line = g.add(g.multiply(x, 1.0 / 6), 0.5)
    return g.binary(.minimum, g.unary(.relu, line), g.constant(1, g.shape(x)))
  }
}
