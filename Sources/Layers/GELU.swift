import Model
import Tensors

/// y = x·Φ(x) with the normal distribution function Φ, or its approximation by tanh, element by
/// element.
///
/// Slopes Φ(x) + x·φ(x), extreme at x = ±√2: (1 + erf 1)/2 + 1/(e·√π) = 1.12890414518515… and 1 minus
/// that. The approximation ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) has the slopes 1.12899306865877… and
/// 1 minus that, at x = ±1.41850…. Not monotone.
public struct GELU: ElementwiseLayer {
  public static let kind = "gelu"
  public static let summary = "y = x·Φ(x), Φ the normal distribution function"
  public enum Approximation: String, CaseIterable, ArgumentValue { case none, tanh }
  public static let approximate = Argument<Approximation>(
    "approximate", "Whether Φ is exact (`none`) or approximated by tanh.", default: .none)
  public static let arguments: [any ArgumentDeclaration] = [approximate]
  public static let examples: [Example] = [
    .good("gelu", input: [16]),
    .good("gelu: {approximate: tanh}", input: [4, 5, 3]),
    .bad("gelu: {approximate: «sigmoid»}", input: [16], .wrongType),
  ]

  public let approximate: Approximation

  public init(_ arguments: Arguments) { approximate = arguments[Self.approximate] }

  var slopes: SlopeRange { approximate == Approximation.none
      ? SlopeRange(-0.1289041451851548, 1.1289041451851548)
      : SlopeRange(-0.1289930686587718, 1.1289930686587718) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  func apply(_ x: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    switch approximate {
    case .none:
      let distribution = g.add(g.unary(.erf, g.multiply(x, 0.5.squareRoot())), 1)
      return g.multiply(g.multiply(x, 0.5), distribution)
    case .tanh:
      let cubic = g.add(x, g.multiply(g.multiply(x, g.square(x)), 0.044715))
      let inner = g.unary(.tanh, g.multiply(cubic, (2 / Double.pi).squareRoot()))
      return g.multiply(g.multiply(x, 0.5), g.add(inner, 1))
    }
  }
}
