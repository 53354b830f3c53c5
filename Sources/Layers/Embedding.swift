import Model
import Rounding
import Tensors

/// The vectors of whole numbers: an input [length] of ids 0 … count − 1 becomes [features, length],
/// column t the row `weight`[id_t] of the table [count, features], normal at the start as PyTorch's
/// `Embedding` (whose result is [length, features]; `permute: [1, 0]` gives that).
///
/// An id that is no whole number from 0 to count − 1 gives zeros. Ids have no distance that means
/// anything, so there is no constant: a claim is about vectors, with the embedded vectors as input.
public struct Embedding: Layer {
  public static let kind = "embedding"
  public static let summary = "a learned vector for each id; ids have no norm, so there is no bound"
  public static let count = Argument<Int>("count", "Number of ids.", in: .atLeastOne)
  public static let features = Argument<Int>("features", "Length of a vector.", in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [count, features]
  public static let examples: [Example] = [
    .good("embedding: {count: 10, features: 3}", input: [4]),
    .bad("embedding: {count: «0», features: 3}", input: [4], .outOfRange),
    .bad("«embedding»: {count: 10}", input: [4], .missingKey),
    .bad("«embedding»: {count: 10, features: 3}", input: [1, 4], .shapeMismatch),
  ]

  public let count: Int
  public let features: Int

  public init(_ arguments: Arguments) {
    count = arguments[Self.count]
    features = arguments[Self.features]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard input.count == 1 else {
      throw ShapeProblem("`embedding` takes a list of ids, not \(input.shapeText)")
    }
    return [features, input[0]]
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    [WeightDeclaration("weight", [count, features], .normal(deviation: 1))]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .unbounded("ids have no distance; make the embedded vectors the model's input to bound the rest")
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let (batch, length) = (g.shape(inputs[0])[0], g.shape(inputs[0])[1])
    let shape = [batch, length, count]
    let isOne = g.binary(
      .equal, g.broadcast(leading: inputs[0], to: shape), g.iota(shape, axis: 2))
    let vectors = g.dot(g.reshape(isOne, to: [batch * length, count]), context.weight("weight"))
    return g.transpose(g.reshape(vectors, to: [batch, length, features]), [0, 2, 1])
  }
}
