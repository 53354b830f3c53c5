import Model
import Tensors

/// y = x·tanh(log(1 + e^x)), element by element.
///
/// Slopes between −0.11252612238946… at x = −2.25637… and 1.08849816125172… at x = 1.49057…. Not
/// monotone.
public struct Mish: ElementwiseLayer {
  public static let kind = "mish"
  public static let summary = "y = x·tanh(softplus(x))"
  public static let examples: [Example] = [
    .good("mish", input: [16]),
    .bad("mish: {«beta»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(-0.112526122389463, 1.088498161251728) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.multiply(x, g.unary(.tanh, g.unary(.softplus, x)))
  }
}
