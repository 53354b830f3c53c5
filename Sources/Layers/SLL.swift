import Model
import Rounding
import Tensors

/// y = x − 2·W·T⁻¹·max(Wᵀx + b, 0), T diagonal with T_ii = Σ_j |WᵀW|_ij·e^(q_j − q_i): the SDP-based
/// Lipschitz layer (Araujo, Havens, Delattre, Allauzen, Hu, "A unified algebraic perspective on
/// Lipschitz neural networks", 2023), a residual layer that cannot expand.
///
/// T − WᵀW is diagonally dominant in the weights e^q, so T ⪰ WᵀW and 0 ⪯ W·T⁻¹·D·Wᵀ ⪯ I for every
/// diagonal D with entries in [0, 1], and the Jacobian lies between −I and I: constant 1 in l2,
/// whatever is stored, since T is computed from W inside the function. A unit whose column of W is 0
/// adds nothing. In l1 and linf at most √n, by the equivalence of norms.
///
/// Tensors: `weight` W [n, units], `bias` b [units], `log_scale` q [units] (starts at 0).
public struct SLL: Layer {
  public static let kind = "sll"
  public static let summary = "a residual layer that is 1-Lipschitz in l2 by construction"
  public static let units = Argument<Int>.optional(
    "units", "Hidden units; the input's number where not given.", in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [units]
  public static let shorthand: String? = "units"
  public static let examples: [Example] = [
    .good("sll", input: [5]),
    .good("sll: {units: 8}", input: [4]),
    .bad("sll: {units: «0»}", input: [5], .outOfRange),
    .bad("sll: {units: 4, «width»: 3}", input: [5], .unknownKey),
    .bad("«sll»: 4", input: [2, 3], .shapeMismatch),
  ]

  public let units: Int?

  public init(_ arguments: Arguments) { units = arguments[optional: Self.units] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    guard input.count == 1 else {
      throw ShapeProblem(
        "`sll` takes a flat input, not \(input.shapeText)", help: "put `flatten` before it")
    }
    return input
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    let count = inputs[0][0]
    let units = units ?? count
    let start = Initializer.uniform(bound: 1 / Double(count).squareRoot())
    return [
      WeightDeclaration("weight", [count, units], start),
      WeightDeclaration("bias", [units], start),
      WeightDeclaration("log_scale", [units], .constant(0)),
    ]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let root = UpperBound(proved: Double(inputs[0][0])).squareRoot().value
    return .known(LipschitzConstants(l1: root, l2: 1, linf: root))
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { norm == .l2 }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let w = context.weight("weight")
    let scale = context.weight("log_scale")
    let gram = g.unary(.absolute, g.dot(w, w, transposeLeft: true))
    let weighted = g.multiply(
      gram, g.broadcast(g.unary(.exp, scale), to: g.shape(gram), axes: [1]))
    let t = g.multiply(g.sum(weighted, [1]), g.unary(.exp, g.negate(scale)))
    let isZero = g.binary(.equal, t, g.constant(0, g.shape(t)))
    let inverse = g.select(
      isZero, g.constant(0, g.shape(t)),
      g.unary(.reciprocal, g.select(isZero, g.constant(1, g.shape(t)), t)))
    let product = g.dot(inputs[0], w)
    let shape = g.shape(product)
    let active = g.unary(
      .relu, g.add(product, g.broadcast(trailing: context.weight("bias"), to: shape)))
    let hidden = g.multiply(g.multiply(active, g.broadcast(trailing: inverse, to: shape)), 2)
    return g.subtract(inputs[0], g.dot(hidden, w, transposeRight: true))
  }
}
