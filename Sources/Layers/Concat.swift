import Model
import Tensors

/// y = (x₁, x₂, …): the values that `from` names, one after the other along `axis` of a sample; 0 is
/// the channels.
///
/// With Lₖ the bound of the k-th value, the result has ΣLₖ in l1, (ΣLₖ²)^½ in l2 and max Lₖ in linf,
/// reached where all operands are steepest in one direction.
public struct Concat: Layer {
  public static let kind = "concat"
  public static let summary = "several values one after the other along an axis"
  public static let axis = Argument<Int>(
    "axis", "The axis of a sample; 0 is the channels.", default: 0, in: .nonNegative)
  public static let arguments: [any ArgumentDeclaration] = [axis]
  public static let examples: [Example] = [
    .good("concat: {from: [input, input]}", input: [5]),
    .good("concat: {from: [input, input, input], axis: 1}", input: [2, 3, 2]),
    .bad("«concat»", input: [5], .shapeMismatch),
    .bad("concat: {from: [input, input], axis: «1»}", input: [5], .shapeMismatch),
    .bad("concat: {from: [input, «imput»]}", input: [5], .unknownName),
    .bad("concat: {from: [input, «3»]}", input: [5], .wrongType),
    .bad("concat: {from: «[]»}", input: [5], .outOfRange),
  ]

  private let map: Concatenation

  public init(_ arguments: Arguments) { map = Concatenation(axis: arguments[Self.axis]) }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    if inputs.count == 1 { throw .oneInput(Self.kind) }
    return try map.outputShape(inputs)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { map.operation(inputs) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    map.lower(inputs, context)
  }
}

extension ShapeProblem {
  static func oneInput(_ kind: String) -> ShapeProblem {
    ShapeProblem(
      "`\(kind)` joins several values", help: "name them, as `\(kind): {from: [a, b]}`")
  }
}
