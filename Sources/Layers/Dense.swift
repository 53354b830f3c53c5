import Model
import Tensors

/// y = W·x + b, with W [units, in] and b [units].
///
/// The Lipschitz constant is the operator norm of W: its largest column sum (l1), singular value
/// (l2) or row sum (linf) of absolute values; b does not enter. Both tensors start uniform on
/// ±1/√in, as PyTorch's `Linear` does.
public struct Dense: Layer {
  public static let kind = "dense"
  public static let summary = "y = W·x + b"
  public static let units = Argument<Int>("units", "Number of output features.", in: .atLeastOne)
  public static let bias = Argument<Bool>("bias", "Whether b is there.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [units, bias]
  public static let shorthand: String? = "units"
  public static let examples: [Example] = [
    .good("dense: {units: 8}", input: [16]),
    .good("dense: 8", input: [5]),
    .good("dense: {units: 1, bias: false}", input: [7]),
    .bad("dense: {units: «-3»}", input: [16], .outOfRange),
    .bad("dense: {units: «2.5»}", input: [16], .wrongType),
    .bad("dense: {units: 8, bias: «no»}", input: [16], .wrongType),
    .bad("dense: {units: 8, «biass»: true}", input: [16], .unknownKey),
    .bad("«dense»: {units: 8}", input: [4, 5, 3], .shapeMismatch),
    .bad("«dense»", input: [16], .missingKey),
  ]

  public let units: Int
  public let bias: Bool

  public init(_ arguments: Arguments) {
    units = arguments[Self.units]
    bias = arguments[Self.bias]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard input.count == 1 else { throw .notFlat(input) }
    return [units]
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    let count = inputs[0][0]
    let start = Initializer.uniform(bound: 1 / Double(count).squareRoot())
    let weight = WeightDeclaration("weight", [units, count], start, isConstrained: true)
    return bias ? [weight, WeightDeclaration("bias", [units], start)] : [weight]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(.dense(weight: "weight", outputs: units, inputs: inputs[0][0]))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0, plus: bias ? ["bias"] : []) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let product = g.dot(inputs[0], context.weight("weight"), transposeRight: true)
    guard bias else { return product }
    return g.add(product, g.broadcast(trailing: context.weight("bias"), to: g.shape(product)))
  }
}

extension ShapeProblem {
  fileprivate static func notFlat(_ input: Shape) -> ShapeProblem {
    ShapeProblem(
      "`dense` takes a flat input, not \(input.shapeText)", help: "put `flatten` before it")
  }
}
