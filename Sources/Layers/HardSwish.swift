import Model
import Tensors

/// y = x·min(max(x + 3, 0), 6)/6, element by element.
///
/// Slopes (2·x + 3)/6 on (−3, 3), 0 below and 1 above: between −½ and 3/2, approached as |x| → 3 from
/// inside. Not monotone.
public struct HardSwish: ElementwiseLayer {
  public static let kind = "hard_swish"
  public static let summary = "y = x·min(max(x + 3, 0), 6)/6"
  public static let examples: [Example] = [
    .good("hard_swish", input: [16]),
    .bad("hard_swish: {«slope»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(-0.5, 1.5) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let clipped = g.binary(
      .minimum, g.unary(.relu, g.add(x, 3)), g.constant(6, g.shape(x)))
    return g.multiply(x, g.multiply(clipped, 1.0 / 6))
  }
}
