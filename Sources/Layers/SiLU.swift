import Model
import Tensors

/// y = x·sigmoid(x), element by element (also called swish).
///
/// Slopes s·(1 + x·(1 − s)) with s = sigmoid(x), extreme at x = ±2.39935…: 1.09983932012886… and 1 minus
/// that. Not monotone.
public struct SiLU: ElementwiseLayer {
  public static let kind = "silu"
  public static let summary = "y = x·sigmoid(x)"
  public static let examples: [Example] = [
    .good("silu", input: [16]),
    .bad("silu: {«beta»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(-0.099839320128867, 1.099839320128867) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.multiply(x, g.unary(.sigmoid, x))
  }
}
