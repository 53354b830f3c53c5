import Model
import Tensors

/// y = x / (1 + |x|), element by element.
///
/// Slopes 1 / (1 + |x|)² in (0, 1]: constant 1 in every norm, attained at 0.
public struct Softsign: ElementwiseLayer {
  public static let kind = "softsign"
  public static let summary = "y = x / (1 + |x|)"
  public static let examples: [Example] = [
    .good("softsign", input: [16]),
    .bad("softsign: {«slope»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(0, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.divide(x, g.add(g.unary(.absolute, x), 1))
  }
}
