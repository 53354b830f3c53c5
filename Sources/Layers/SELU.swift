import Model
import Tensors

/// y = s·x where x > 0, else s·α·(e^x − 1), element by element, with s = 1.0507009873554805 and
/// α = 1.6732632423543772 (Klambauer et al., 2017).
///
/// Slopes s above zero and s·α·e^x below: constant s·α = 1.75809934084737…, approached as x → 0 from
/// below.
public struct SELU: ElementwiseLayer {
  public static let kind = "selu"
  public static let summary = "y = scale·(x where x > 0, else alpha·(e^x − 1))"
  private static let scale = 1.0507009873554805
  private static let alpha = 1.6732632423543772
  public static let examples: [Example] = [
    .good("selu", input: [16]),
    .bad("selu: {«alpha»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, 1.758099340847377) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let negative = g.subtract(g.unary(.exp, g.binary(.minimum, x, g.constant(0, g.shape(x)))), 1)
    let lower = g.multiply(negative, Self.alpha)
    return g.multiply(g.add(g.unary(.relu, x), lower), Self.scale)
  }
}
