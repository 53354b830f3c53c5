import Model
import Rounding
import Tensors

/// What the recurrent layers share: an input [features, length] read column by column from a state
/// of zeros, unrolled over the whole length; PyTorch's tensor names and the order of its gates.
struct Recurrence {
  enum Output: String, Sendable, CaseIterable, ArgumentValue { case last, sequence }

  static let units = Argument<Int>("units", "Length of the state.", in: .atLeastOne)
  static let bias = Argument<Bool>("bias", "Whether the biases are there.", default: true)
  static let output = Argument<Output>(
    "output", "The last state [units], or all of them [units, length].", default: .last)

  let kind: String
  let units: Int
  let gates: Int
  let bias: Bool
  let output: Output

  init(kind: String, gates: Int, _ arguments: Arguments) {
    self.kind = kind
    self.gates = gates
    units = arguments[Self.units]
    bias = arguments[Self.bias]
    output = arguments[Self.output]
  }

  /// Columns: each is some twenty operations of the program.
  static let longest = 4096

  func shape(_ input: Shape) throws(ShapeProblem) -> Shape {
    guard input.count == 2 else {
      throw ShapeProblem(
        "`\(kind)` takes [features, length], not \(input.shapeText)",
        help: "use `reshape` or `permute` before it")
    }
    guard input[1] <= Self.longest else {
      throw ShapeProblem(
        "`\(kind)` is unrolled over at most \(Self.longest) columns, not \(input[1])",
        help: "shorten the sequence before it, with a strided `conv` or a pool")
    }
    return output == .last ? [units] : [units, input[1]]
  }

  /// `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, uniform on ±1/√units as PyTorch's.
  func weights(_ input: Shape) -> [WeightDeclaration] {
    let start = Initializer.uniform(bound: 1 / Double(units).squareRoot())
    let rows = gates * units
    let matrices = [
      WeightDeclaration("weight_ih_l0", [rows, input[0]], start, isConstrained: true),
      WeightDeclaration("weight_hh_l0", [rows, units], start, isConstrained: true),
    ]
    if !bias { return matrices }
    return matrices + [
      WeightDeclaration("bias_ih_l0", [rows], start),
      WeightDeclaration("bias_hh_l0", [rows], start),
    ]
  }

  /// The rows of a gate, of what multiplies the input and of what multiplies the state.
  func rows(_ gate: Int, _ input: Shape) -> (input: StoredRows, state: StoredRows) {
    let range = gate * units..<(gate + 1) * units
    return (
      StoredRows("weight_ih_l0", rows: range, of: gates * units, columns: input[0]),
      StoredRows("weight_hh_l0", rows: range, of: gates * units, columns: units)
    )
  }

  /// The constant of the unrolled map from k_j ≥ the effect of an input on the state j steps later:
  /// of the last state ‖(k₀, k₁, …)‖ in the dual norm (max, Euclidean, sum), of all states the sum in
  /// every norm, by Young's inequality.
  func constant(_ kernel: [BoundSteps.Term], _ norm: Norm) -> BoundSteps.Term {
    let rest = kernel.dropFirst()
    switch norm {
    case _ where output == .sequence || norm == .linf: return rest.reduce(kernel[0], +)
    case .l1: return rest.reduce(kernel[0]) { $0.maximum($1) }
    default: return rest.reduce(kernel[0] * kernel[0]) { $0 + $1 * $1 }.squareRoot()
    }
  }

  /// Runs `step` over the columns: what the input adds to all gates [batch, gates·units], and the
  /// state before, to the state after. The state's first tensor is what leaves.
  func unroll(
    _ x: Value, _ context: LoweringContext, states: Int,
    _ step: (_ fromInput: Value, _ state: [Value]) -> [Value]
  ) -> Value {
    let g = context.graph
    let (batch, features, length) = (g.shape(x)[0], g.shape(x)[1], g.shape(x)[2])
    // All columns in one product.
    let columns = g.reshape(g.transpose(x, [0, 2, 1]), to: [batch * length, features])
    let product = g.dot(columns, context.weight("weight_ih_l0"), transposeRight: true)
    let added =
      bias
      ? g.add(
        product,
        g.broadcast(trailing: context.weight("bias_ih_l0"), to: g.shape(product))) : product
    let rows = g.reshape(added, to: [batch, length, gates * units])
    var state = [Value](repeating: g.constant(0, [batch, units]), count: states)
    var outputs: [Value] = []
    for place in 0..<length {
      let column = g.slice(
        rows, starts: [0, place, 0], limits: [batch, place + 1, gates * units],
        strides: [1, 1, 1])
      state = step(g.reshape(column, to: [batch, gates * units]), state)
      outputs.append(state[0])
    }
    if output == .last { return state[0] }
    return g.concatenate(outputs.map { g.reshape($0, to: [batch, units, 1]) }, axis: 2)
  }

  /// What the state adds to all gates.
  func fromState(_ h: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let product = g.dot(h, context.weight("weight_hh_l0"), transposeRight: true)
    guard bias else { return product }
    return g.add(product, g.broadcast(trailing: context.weight("bias_hh_l0"), to: g.shape(product)))
  }

  func gate(_ index: Int, of value: Value, _ g: GraphBuilder) -> Value {
    g.slice(
      value, starts: [0, index * units], limits: [g.shape(value)[0], (index + 1) * units],
      strides: [1, 1])
  }
}
