import Constraints
import Model
import Tensors

/// λ·Σ σ(W)² over the layers, σ the largest singular value of what the layer applies, of a
/// convolution the true one at its stride, padding and size (Yoshida and Miyato, 2017, with λ/2;
/// Gouk et al., 2021).
///
/// σ̂ = ⟨u, A·v⟩ with unit vectors that `iterations` steps of power iteration per training step
/// draw towards the leading singular ones, from where the last step left them; evaluation leaves
/// them alone. They are constants of the gradient, which is 2λσ·u·vᵀ. σ̂ is an estimate from below:
/// this presses the norm down and bounds nothing.
///
/// The weight of a layer that is not linear counts as the matrix [W's first extent, the rest].
public struct SpectralNorm: Regulariser {
  public static let kind = "spectral_norm"
  public static let summary = "weight · Σ of the squares of the layers' largest singular values"
  public static let iterations = Argument<Int>(
    "iterations", "Power iterations per training step.", default: 1,
    in: ArgumentRange(lower: 1, upper: 100))
  public static let arguments: [any ArgumentDeclaration] = [Strength.weight, iterations]
  public static let shorthand: String? = "weight"
  public static let examples: [Example] = [
    .good("spectral_norm: {weight: 0.01}"),
    .good("spectral_norm: {weight: 0.01, iterations: 2}"),
    .bad("spectral_norm: {weight: 0.01, iterations: «0»}", .outOfRange),
    .bad("spectral_norm: {weight: 0.01, «init»: ones}", .unknownKey),
  ]

  private let weight: Double
  private let iterations: Int

  public init(_ arguments: Arguments) {
    weight = arguments[Strength.weight]
    iterations = arguments[Self.iterations]
  }

  public func state(_ weight: Shape, of linear: LinearOperator?) -> [WeightDeclaration] {
    Self.map(linear, weight).iterationState(weight, isKernel: linear == nil)
  }

  public func lower(_ step: RegularisedStep) -> Value {
    let g = step.graph
    return g.multiply(step.total { g.square(norm($0, g)) }, weight)
  }

  private func norm(_ weight: RegularisedWeight, _ g: GraphBuilder) -> Value {
    let linear = Self.map(weight.linear, g.shape(weight.value))
    let map = SpectralMap(weight.value, linear, isKernel: weight.linear == nil, g)
    guard var u = weight.state["u"], var v = weight.state["v"] else {
      fatalError("lgc's own bug: spectral_norm is lowered without its vectors")
    }
    for _ in 0..<iterations {
      u = g.stopGradient(g.unit(map.image(v)))
      v = g.stopGradient(g.unit(map.coimage(u)))
    }
    weight.update("u", u)
    weight.update("v", v)
    return g.sum(g.multiply(map.coimage(u), v))
  }

  private static func map(_ linear: LinearOperator?, _ weight: Shape) -> LinearOperator {
    linear ?? .dense(weight: "", outputs: weight[0], inputs: weight[1...].reduce(1, *))
  }
}
