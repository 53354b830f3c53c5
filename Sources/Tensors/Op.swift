/// The primitives: few, and closed under differentiation. Layers, losses, constraints and
/// optimizers lower to these, and engines, passes and gradients know only these.
///
/// The enumeration makes every engine's switch exhaustive; each payload, one file under
/// `Primitives/`, holds its shape rule, gradient and text form.
public enum Op: Hashable, Sendable {
  // leaves
  case input(Input)
  case state(State)
  case constant(Constant)
  case iota(Iota)
  case random(Random)
  // element-wise
  case unary(Unary)
  case binary(Binary)
  case select(Select)
  case exchange(Exchange)
  // reductions and shape
  case reduce(Reduce)
  case broadcast(Broadcast)
  case reshape(Reshape)
  case transpose(Transpose)
  case slice(Slice)
  case pad(Pad)
  case concatenate(Concatenate)
  case take(Take)
  case put(Put)
  // contraction
  case dot(Dot)
  case convolution(Convolution)
  // pooling
  case window(Window)
  // differentiation
  case stopGradient(StopGradient)

  /// The payload, for code that treats all primitives alike.
  public var primitive: any Primitive {
    switch self {
    case .input(let p): p
    case .state(let p): p
    case .constant(let p): p
    case .iota(let p): p
    case .random(let p): p
    case .unary(let p): p
    case .binary(let p): p
    case .select(let p): p
    case .exchange(let p): p
    case .reduce(let p): p
    case .broadcast(let p): p
    case .reshape(let p): p
    case .transpose(let p): p
    case .slice(let p): p
    case .pad(let p): p
    case .concatenate(let p): p
    case .take(let p): p
    case .put(let p): p
    case .dot(let p): p
    case .convolution(let p): p
    case .window(let p): p
    case .stopGradient(let p): p
    }
  }
}

/// What every primitive states about itself.
public protocol Primitive: Hashable, Sendable {
  /// The word of the text form: `dot`, `add`, `reduce_sum`.
  var mnemonic: String { get }
  /// The attributes of the text form, without the operands: `axes=[0]`; empty if there are none.
  var attributes: String { get }
  /// The result shape, or the reason why these operands do not fit.
  func shape(of operands: [Shape]) throws(ShapeError) -> Shape
  /// The vector-Jacobian product: for result `value` = op(`operands`) and its cotangent, the
  /// cotangent of each operand, nil where none flows. Emits only primitives.
  func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?]
}

/// Operands that a primitive cannot take.
public struct ShapeError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
