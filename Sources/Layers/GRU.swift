import Model
import Rounding
import Tensors

/// h_t = (1 − z)⊙n + z⊙h_(t−1) with r, z = σ(W·x_t + b + U·h + c) and n = tanh(W_n·x_t + b_n +
/// r⊙(U_n·h + c_n)) over the columns of an input [features, length], h_0 = 0, as PyTorch's `GRU` of
/// one layer.
///
/// From h_0 = 0 every |h| < 1, which the bound needs: as a map of the state the cell has none. With
/// M = ‖U_n‖∞ + max |c|, L = ‖W_n‖ + M/4·‖W_r‖ + ½·‖W_z‖, α = ‖U_n‖ + M/4·‖U_r‖ and
/// K = κ(α) + ½·‖U_z‖, κ = 1 + α in l1, (1 + α²)^½ in l2, max(1, α) in linf, an input acts on the
/// state j steps later by L·Kʲ at most.
public struct GRU: Layer {
  public static let kind = "gru"
  public static let summary = "a gated recurrent layer, unrolled over the input's length"
  public static let arguments: [any ArgumentDeclaration] = [
    Recurrence.units, Recurrence.output, Recurrence.bias,
  ]
  public static let shorthand: String? = "units"
  public static let examples: [Example] = [
    .good("gru: {units: 3}", input: [2, 3]),
    .good("gru: {units: 2, output: sequence, bias: false}", input: [3, 2]),
    .bad("gru: {units: «many»}", input: [2, 3], .wrongType),
    .bad("gru: {units: 3, «layers»: 2}", input: [2, 3], .unknownKey),
    .bad("«gru»: 3", input: [2, 3, 4], .shapeMismatch),
  ]

  private let recurrence: Recurrence

  public init(_ arguments: Arguments) {
    recurrence = Recurrence(kind: Self.kind, gates: 3, arguments)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try recurrence.shape(Self.only(inputs))
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] { recurrence.weights(inputs[0]) }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .stored(
      StoredConstants { norm, steps in
        let (r, z, n) = (
          recurrence.rows(0, inputs[0]), recurrence.rows(1, inputs[0]),
          recurrence.rows(2, inputs[0])
        )
        var m = steps.norm(n.state, .linf)
        if recurrence.bias { m = m + steps.largest("bias_hh_l0") }
        let fromInput =
          steps.norm(n.input, norm) + 0.25 * m * steps.norm(r.input, norm)
          + 0.5 * steps.norm(z.input, norm)
        let alpha = steps.norm(n.state, norm) + 0.25 * m * steps.norm(r.state, norm)
        let one = steps.number(1)
        let kappa =
          switch norm {
          case .l1: one + alpha
          case .l2: (one + alpha * alpha).squareRoot()
          case .linf: one.maximum(alpha)
          }
        let fromState = kappa + 0.5 * steps.norm(z.state, norm)
        var kernel = [fromInput]
        for _ in 1..<max(inputs[0][1], 1) { kernel.append(kernel.last! * fromState) }
        return recurrence.constant(kernel, norm)
      })
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { false }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    return recurrence.unroll(inputs[0], context, states: 1) { fromInput, state in
      let h = state[0]
      let fromState = recurrence.fromState(h, context)
      func both(_ gate: Int) -> Value {
        g.add(
          recurrence.gate(gate, of: fromInput, g), recurrence.gate(gate, of: fromState, g))
      }
      let r = g.unary(.sigmoid, both(0))
      let z = g.unary(.sigmoid, both(1))
      let inner = g.multiply(r, recurrence.gate(2, of: fromState, g))
      let n = g.unary(.tanh, g.add(recurrence.gate(2, of: fromInput, g), inner))
      return [g.add(n, g.multiply(z, g.subtract(h, n)))]
    }
  }
}
