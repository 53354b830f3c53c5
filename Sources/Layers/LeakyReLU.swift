import Model
import Tensors

/// y = x where x > 0, else a·x, element by element.
///
/// Slopes 1 and a: constant max(1, |a|) in every norm, attained on one of the half lines. At 0 the
/// gradient is 1.
public struct LeakyReLU: ElementwiseLayer {
  public static let kind = "leaky_relu"
  public static let summary = "y = x where x > 0, else slope·x"
  public static let slope = Argument<Double>("slope", "Slope below zero.", default: 0.01)
  public static let arguments: [any ArgumentDeclaration] = [slope]
  public static let shorthand: String? = "slope"
  public static let examples: [Example] = [
    .good("leaky_relu", input: [16]),
    .good("leaky_relu: 0.2", input: [4, 5, 3]),
    .good("leaky_relu: {slope: -0.5}", input: [16]),
    .good("leaky_relu: {slope: 3}", input: [16]),
    .bad("leaky_relu: {slope: «steep»}", input: [16], .wrongType),
    .bad("leaky_relu: {«slop»: 0.2}", input: [16], .unknownKey),
  ]

  public let slope: Double

  public init(_ arguments: Arguments) { slope = arguments[Self.slope] }

  var slopes: SlopeRange { SlopeRange(min(1, slope), max(1, slope)) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  /// As x times its slope, the derivative is c times the slope and nothing else, of every order:
  /// that of a maximum of two lines is three times as long.
  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(x)
    let slopes = g.select(
      g.binary(.greaterOrEqual, x, g.constant(0, shape)), g.constant(1, shape),
      g.constant(slope, shape))
    return g.multiply(x, slopes)
  }
}
