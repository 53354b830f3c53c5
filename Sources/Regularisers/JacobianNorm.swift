import Model
import Tensors

/// λ·E ‖J(x)‖_F² over the samples x of the batch, J = ∂z/∂x the Jacobian of the outputs
/// (Hoffman et al., 2019).
///
/// Estimated without bias by C·‖∇_x ⟨c, z⟩‖² for one random unit direction c of the C outputs,
/// drawn for every sample and step. ‖J‖₂ ≤ ‖J‖_F bounds the slope at x and nowhere else.
public struct JacobianNorm: Regulariser {
  public static let kind = "jacobian"
  public static let summary = "weight · mean of the squared Frobenius norm of the input Jacobian"
  public static let arguments: [any ArgumentDeclaration] = [Strength.weight]
  public static let shorthand: String? = "weight"
  public static let examples: [Example] = [
    .good("jacobian: {weight: 0.01}"),
    .bad("jacobian: {weight: «-1»}", .outOfRange),
    .bad("jacobian: {weight: 0.01, «projections»: 2}", .unknownKey),
  ]

  private let weight: Double

  public init(_ arguments: Arguments) { weight = arguments[Strength.weight] }

  public var penalisesInputGradients: Bool { true }

  public func lower(_ step: RegularisedStep) -> Value {
    let g = step.graph
    let squares = g.squaredGradientNorms(of: step.projection(of: step.output), in: step.samples)
    let outputs = Double(g.shape(step.output).dropFirst().reduce(1, *))
    return g.multiply(step.mean(squares), weight * outputs)
  }
}
