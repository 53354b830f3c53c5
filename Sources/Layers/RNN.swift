import Model
import Rounding
import Tensors

/// h_t = φ(W·x_t + b + U·h_(t−1) + c) over the columns x_t of an input [features, length], h_0 = 0,
/// φ tanh or relu, as PyTorch's `RNN` of one layer (which takes [length, features]).
///
/// With a = ‖U‖ and b = ‖W‖ an input acts on the state j steps later by b·aʲ at most. Last state:
/// b·max(1, a^(T−1)) in l1, b·(Σ a^(2j))^½ in l2, b·Σ aʲ in linf; all states: b·Σ aʲ. Reached by relu
/// with multiples of the identity.
public struct RNN: Layer {
  public enum Nonlinearity: String, Sendable, CaseIterable, ArgumentValue { case tanh, relu }
  public static let kind = "rnn"
  public static let summary = "a recurrent layer, unrolled over the input's length"
  public static let nonlinearity = Argument<Nonlinearity>(
    "nonlinearity", "What is applied to the state.", default: .tanh)
  public static let arguments: [any ArgumentDeclaration] = [
    Recurrence.units, nonlinearity, Recurrence.output, Recurrence.bias,
  ]
  public static let shorthand: String? = "units"
  public static let examples: [Example] = [
    .good("rnn: {units: 3}", input: [2, 4]),
    .good("rnn: {units: 2, nonlinearity: relu, output: sequence, bias: false}", input: [3, 3]),
    .bad("rnn: {units: «0»}", input: [2, 4], .outOfRange),
    .bad("rnn: {units: 3, nonlinearity: «gelu»}", input: [2, 4], .wrongType),
    .bad("rnn: {units: 3, output: «all»}", input: [2, 4], .wrongType),
    .bad("«rnn»: 3", input: [8], .shapeMismatch),
  ]

  private let recurrence: Recurrence
  public let nonlinearity: Nonlinearity

  public init(_ arguments: Arguments) {
    recurrence = Recurrence(kind: Self.kind, gates: 1, arguments)
    nonlinearity = arguments[Self.nonlinearity]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try recurrence.shape(Self.only(inputs))
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] { recurrence.weights(inputs[0]) }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .stored(
      StoredConstants { norm, steps in
        let rows = recurrence.rows(0, inputs[0])
        let a = steps.norm(rows.state, norm)
        var kernel = [steps.norm(rows.input, norm)]
        for _ in 1..<max(inputs[0][1], 1) { kernel.append(kernel.last! * a) }
        return recurrence.constant(kernel, norm)
      })
  }

  /// With ‖U‖ at 1 what was read long ago still counts; W then has the rest, L/√T in l2.
  public func matrixBounds(_ norm: Norm) -> [String: Double] { ["weight_hh_l0": 1] }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { false }

  public func reach(_ inputs: [Shape]) -> OutputReach { nonlinearity == .tanh ? .within(1) : .unknown }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    return recurrence.unroll(inputs[0], context, states: 1) { fromInput, state in
      let sum = g.add(fromInput, recurrence.fromState(state[0], context))
      return [g.unary(nonlinearity == .tanh ? .tanh : .relu, sum)]
    }
  }
}
