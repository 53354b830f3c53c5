import Model
import Rounding
import Tensors

/// Reflects each group of `size` consecutive channels, at every position by itself, where it lies
/// behind a learned plane: y = x where v·x ≥ 0, else x − 2·(v·x)·v, v = w/‖w‖ (Singla, Singla,
/// Feizi, "Improved deterministic l2 robustness on CIFAR-10 and CIFAR-100", 2022).
///
/// Both pieces are orthogonal and agree on the plane: constant 1 in l2, and the gradient's norm is
/// kept. In l1 and linf the reflection's largest row sum, at most √size. w is the tensor `weight`,
/// [groups, size], normal at the start; it is normalised inside the function, so the constants hold
/// for whatever is stored (w = 0 gives the identity).
public struct Householder: Layer {
  public static let kind = "householder"
  public static let summary = "reflects groups of channels at learned planes, 1-Lipschitz in l2"
  public static let size = Argument<Int>(
    "size", "Channels per group; must divide the channels.", default: 2, in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [size]
  public static let shorthand: String? = "size"
  public static let examples: [Example] = [
    .good("householder", input: [4]),
    .good("householder: 3", input: [6, 2, 2]),
    .bad("householder: {size: «3»}", input: [16], .shapeMismatch),
    .bad("householder: {size: «0»}", input: [16], .outOfRange),
  ]

  public let size: Int

  public init(_ arguments: Arguments) { size = arguments[Self.size] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard let channels = input.first, channels % size == 0 else { throw .remainder(input, size) }
    return input
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    [WeightDeclaration("weight", [inputs[0][0] / size, size], .normal(deviation: 1))]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let root = UpperBound(proved: Double(size)).squareRoot().value
    return .known(LipschitzConstants(l1: root, l2: 1, linf: root))
  }

  public var constraintRefusal: Refusal? {
    .needless("`householder` is 1-Lipschitz in l2 whatever its weights are")
  }

  /// √size is the worst plane's.
  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { norm == .l2 }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let grouped = [shape[0], shape[1] / size, size] + shape.dropFirst(2)
    let kept = grouped.indices.filter { $0 != 2 }
    let x = g.reshape(inputs[0], to: grouped)
    let w = context.weight("weight")
    let planes = g.broadcast(w, to: grouped, axes: [1, 2])
    let side = g.sum(g.multiply(planes, x), [2])
    let square = g.sum(g.square(w), [1])
    let isZero = g.binary(.equal, square, g.constant(0, g.shape(square)))
    let inverse = g.unary(
      .reciprocal, g.select(isZero, g.constant(1, g.shape(square)), square))
    let steps = g.multiply(
      g.multiply(g.unary(.relu, g.negate(side)), 2),
      g.broadcast(inverse, to: g.shape(side), axes: [1]))
    let moved = g.add(x, g.multiply(g.broadcast(steps, to: grouped, axes: kept), planes))
    return g.reshape(moved, to: shape)
  }
}

extension Refusal {
  /// Of a layer that keeps its constant by itself.
  static func needless(_ fact: String) -> Refusal {
    Refusal(
      "\(fact): a constraint on it holds nothing", help: "leave `lipschitz` and `constraint` out")
  }
}

extension ShapeProblem {
  static func remainder(_ input: Shape, _ size: Int, argument: String = "size") -> ShapeProblem {
    ShapeProblem(
      "\(input.first ?? 0) channels do not make groups of \(size)", argument: argument,
      help: "the group size must divide the number of channels")
  }
}
