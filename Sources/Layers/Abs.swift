import Model
import Tensors

/// y = |x|, element by element.
///
/// Slopes −1 and 1: constant 1 in every norm, and the norm of the gradient is kept wherever x ≠ 0.
public struct Abs: ElementwiseLayer {
  public static let kind = "abs"
  public static let summary = "y = |x|"
  public static let examples: [Example] = [
    .good("abs", input: [16]),
    .good("abs: {}", input: [4, 5, 3]),
    .bad("abs: {«value»: 2}", input: [16], .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  var slopes: SlopeRange { SlopeRange(-1, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value { context.graph.unary(.absolute, x) }
}
