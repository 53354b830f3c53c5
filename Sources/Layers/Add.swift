import Model
import Tensors

/// y = Σ wₖ·xₖ over the values that `from` names, all of one shape; every wₖ is 1 where `weights` is
/// not given.
///
/// With Lₖ the bound of the k-th value, the sum has Σ |wₖ|·Lₖ in every norm.
public struct Add: Layer {
  public static let kind = "add"
  public static let summary = "y = Σ w·x over several values of one shape"
  public static let weights = Argument<[Double]>.optional(
    "weights", "One number for each value; 1 each where not given.")
  public static let arguments: [any ArgumentDeclaration] = [weights]
  public static let examples: [Example] = [
    .good("add: {from: [input, input]}", input: [5]),
    .good("add: {from: [input, input, input], weights: [0.5, -2, 0.25]}", input: [2, 3, 2]),
    .bad("«add»", input: [5], .shapeMismatch),
    .bad("add: {from: [input, input], weights: «[1]»}", input: [5], .shapeMismatch),
    .bad("add: {from: [input, input], weights: [1, «two»]}", input: [5], .wrongType),
    .bad("add: {from: [input, «x»]}", input: [5], .unknownName),
  ]

  public let coefficients: [Double]?

  public init(_ arguments: Arguments) { coefficients = arguments[optional: Self.weights] }

  private func sum(_ count: Int) -> WeightedSum {
    WeightedSum(coefficients: coefficients ?? [Double](repeating: 1, count: count))
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    if inputs.count == 1 { throw .oneInput(Self.kind) }
    if let coefficients, coefficients.count != inputs.count {
      throw ShapeProblem(
        "\(coefficients.count) weights for \(inputs.count) values", argument: "weights")
    }
    return try sum(inputs.count).outputShape(inputs)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { sum(inputs.count).operation(inputs) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    sum(inputs.count).lower(inputs, context)
  }
}
