import Model
import Tensors

/// y = log(1 + e^(β·x)) / β, element by element.
///
/// Slopes sigmoid(β·x) in (0, 1): constant 1 in every norm for every β > 0, approached as x → ∞.
/// There is no threshold above which y is x, as PyTorch has: that jump is not Lipschitz.
public struct Softplus: ElementwiseLayer {
  public static let kind = "softplus"
  public static let summary = "y = log(1 + e^(beta·x)) / beta"
  public static let beta = Argument<Double>(
    "beta", "Sharpness: relu as it grows.", default: 1, in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [beta]
  public static let examples: [Example] = [
    .good("softplus", input: [16]),
    .good("softplus: {beta: 5}", input: [4, 5, 3]),
    .bad("softplus: {beta: «0»}", input: [16], .outOfRange),
    .bad("softplus: {beta: «-1»}", input: [16], .outOfRange),
  ]

  public let beta: Double

  public init(_ arguments: Arguments) { beta = arguments[Self.beta] }

  var slopes: SlopeRange { SlopeRange(0, 1) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0.69314718056 / abs(beta)) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    if beta == 1 { return g.unary(.softplus, x) }
    return g.multiply(g.unary(.softplus, g.multiply(x, beta)), 1 / beta)
  }
}
