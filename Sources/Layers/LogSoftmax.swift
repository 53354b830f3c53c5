import Model
import Rounding
import Tensors

/// y_i = x_i/T − log Σ_j e^(x_j/T) along one axis of a sample; 0 is the channels.
///
/// The Jacobian is (I − 1·sᵀ)/T with s the softmax: of n elements the constants are (n − 1)/T in l1,
/// √n/T in l2 and 2/T in linf, approached where s is a vertex. It grows with n, and differences of
/// logits, which decide the class and its margin, are those of x/T: leave it out before a claim.
public struct LogSoftmax: Layer {
  public static let kind = "log_softmax"
  public static let summary = "logarithms of the softmax along an axis"
  public static let arguments: [any ArgumentDeclaration] = [Softmax.axis, Softmax.temperature]
  public static let examples: [Example] = [
    .good("log_softmax", input: [3]),
    .good("log_softmax: {axis: 1, temperature: 2}", input: [2, 4]),
    .bad("log_softmax: {axis: «2»}", input: [2, 4], .shapeMismatch),
    .bad("log_softmax: {temperature: «-1»}", input: [6], .outOfRange),
  ]

  private let map: SoftmaxAxis

  public init(_ arguments: Arguments) {
    map = SoftmaxAxis(axis: arguments[Softmax.axis], temperature: arguments[Softmax.temperature])
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try map.shape(Self.only(inputs))
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let count = inputs[0][map.axis]
    // Of steps, because its values are not small: what a float evaluation loses is not known.
    return .stored(
      StoredConstants { norm, steps in
        if count == 1 { return steps.number(0) }
        let factor =
          switch norm {
          case .l1: UpperBound(proved: Double(count - 1))
          case .l2: UpperBound(proved: Double(count)).squareRoot()
          case .linf: UpperBound(proved: 2)
          }
        return steps.number(factor.value) * steps.number(map.over(1))
      })
  }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    [
      Caution(
        .expandingHead,
        "`\(name)` expands with the number of classes; the class and its margin are those of its "
          + "input",
        help: "leave it out: the loss takes logits")
    ]
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shifted = map.shifted(inputs[0], g)
    let logarithm = g.unary(.log, g.sum(g.unary(.exp, shifted), [map.axis + 1]))
    return g.subtract(shifted, map.spread(logarithm, inputs[0], g))
  }
}
