import Model
import Rounding
import Tensors

/// c_t = f⊙c_(t−1) + i⊙g, h_t = o⊙tanh(c_t) with i, f, o = σ(…), g = tanh(…) of W·x_t + b + U·h_(t−1)
/// + d over the columns of an input [features, length], h_0 = c_0 = 0, as PyTorch's `LSTM` of one
/// layer.
///
/// From c_0 = 0 every |c_t| < t, which the bound needs: as a map of the state the cell has none. With
/// C = T − 1, k = C/4·‖W_f‖ + ¼·‖W_i‖ + ‖W_g‖ and l the same of U, a change of the state moves it by
/// |dc| ← |dc| + l·|dh| and |dh| ← |dc| + ¼·‖U_o‖·|dh|, from |dc| = k and |dh| = k + ¼·‖W_o‖ of the
/// input. Loose, and it grows with T.
public struct LSTM: Layer {
  public static let kind = "lstm"
  public static let summary = "a recurrent layer with a memory, unrolled over the input's length"
  public static let arguments: [any ArgumentDeclaration] = [
    Recurrence.units, Recurrence.output, Recurrence.bias,
  ]
  public static let shorthand: String? = "units"
  public static let examples: [Example] = [
    .good("lstm: {units: 3}", input: [2, 3]),
    .good("lstm: {units: 2, output: sequence, bias: false}", input: [3, 2]),
    .bad("lstm: {units: «-1»}", input: [2, 3], .outOfRange),
    .bad("lstm: {units: 3, «bidirectional»: true}", input: [2, 3], .unknownKey),
    .bad("«lstm»: 3", input: [6], .shapeMismatch),
  ]

  private let recurrence: Recurrence

  public init(_ arguments: Arguments) {
    recurrence = Recurrence(kind: Self.kind, gates: 4, arguments)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try recurrence.shape(Self.only(inputs))
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] { recurrence.weights(inputs[0]) }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let length = inputs[0][1]
    return .stored(
      StoredConstants { norm, steps in
        let gates = (0..<4).map { recurrence.rows($0, inputs[0]) }
        // Exact: a quarter of a whole number.
        let memory = Double(length - 1) / 4
        func cell(_ part: (Int) -> StoredRows) -> BoundSteps.Term {
          memory * steps.norm(part(1), norm) + 0.25 * steps.norm(part(0), norm)
            + steps.norm(part(2), norm)
        }
        let fromState = cell { gates[$0].state }
        let output = 0.25 * steps.norm(gates[3].state, norm)
        var c = cell { gates[$0].input }
        var h = c + 0.25 * steps.norm(gates[3].input, norm)
        var kernel = [h]
        for _ in 1..<max(length, 1) {
          c = c + fromState * h
          h = c + output * h
          kernel.append(h)
        }
        return recurrence.constant(kernel, norm)
      })
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { false }

  public func reach(_ inputs: [Shape]) -> OutputReach { .within(1) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    return recurrence.unroll(inputs[0], context, states: 2) { fromInput, state in
      let sum = g.add(fromInput, recurrence.fromState(state[0], context))
      func gate(_ index: Int, _ function: Unary) -> Value {
        g.unary(function, recurrence.gate(index, of: sum, g))
      }
      let kept = g.multiply(gate(1, .sigmoid), state[1])
      let c = g.add(kept, g.multiply(gate(0, .sigmoid), gate(2, .tanh)))
      return [g.multiply(gate(3, .sigmoid), g.unary(.tanh, c)), c]
    }
  }
}
