import CKernels
import Tensors

/// A node as the engine runs it: what moves no data has become an alias or a constant, every
/// element-wise primitive an operation of the tile kernels.
struct EngineNode {
  enum Kind {
    case input(String)
    case state(String)
    case constant(Float)
    case iota(axis: Int)
    case random(stream: UInt64)
    /// Element by element, operands of equal count.
    case map(lgc_operation)
    /// Element by element, but that two of a pair change places.
    case exchange(Exchange)
    case reduce(maximum: Bool, axes: [Int])
    case broadcast(axes: [Int])
    /// The operand's elements in the operand's order: no storage of its own.
    case alias
    case transpose([Int])
    case slice(Slice)
    case pad(Pad)
    case concatenate(axis: Int)
    case dot(Dot)
    case take(Take)
    case put(Put)
    /// `lanes` innermost positions of memory are pooled side by side.
    case window(Window, lanes: Int = 1)
    case convolution(EngineConvolution)
  }

  let kind: Kind
  let operands: [Int]
  let shape: Shape
  let origin: Origin?
  var count: Int { shape.elementCount }
}

extension EngineNode {
  var isLeaf: Bool {
    switch kind {
    case .input, .state, .constant, .iota: true
    default: false
    }
  }
  var isAlias: Bool { if case .alias = kind { true } else { false } }
  var isBroadcast: Bool { if case .broadcast = kind { true } else { false } }
  var isReduction: Bool { if case .reduce = kind { true } else { false } }
  /// Whether element-wise loops compute it, from operands of its own extent.
  var isMap: Bool {
    switch kind {
    case .map, .exchange: true
    default: false
    }
  }
  var isState: Bool { if case .state = kind { true } else { false } }
  var stateName: String { if case .state(let name) = kind { name } else { "" } }
  var constant: Float? { if case .constant(let number) = kind { number } else { nil } }
  func isMap(_ operation: lgc_operation) -> Bool {
    if case .map(operation) = kind { true } else { false }
  }
}

extension Unary {
  var operation: lgc_operation {
    switch self {
    case .negate: LGC_NEGATE
    case .exp: LGC_EXP
    case .log: LGC_LOG
    case .squareRoot: LGC_ROOT
    case .reciprocalSquareRoot: LGC_RECIPROCAL_ROOT
    case .reciprocal: LGC_RECIPROCAL
    case .tanh: LGC_TANH
    case .sigmoid: LGC_SIGMOID
    case .relu: LGC_RELU
    case .softplus: LGC_SOFTPLUS
    case .absolute: LGC_ABSOLUTE
    case .square: LGC_SQUARE
    case .sine: LGC_SINE
    case .cosine: LGC_COSINE
    case .erf: LGC_ERF
    case .sign: LGC_SIGN
    case .step: LGC_STEP
    }
  }
}

extension Binary {
  var operation: lgc_operation {
    switch self {
    case .add: LGC_ADD
    case .subtract: LGC_SUBTRACT
    case .multiply: LGC_MULTIPLY
    case .divide: LGC_DIVIDE
    case .maximum: LGC_MAXIMUM
    case .minimum: LGC_MINIMUM
    case .power: LGC_POWER
    case .greater: LGC_GREATER
    case .greaterOrEqual: LGC_GREATER_OR_EQUAL
    case .equal: LGC_EQUAL
    case .maskPositive: LGC_MASK_POSITIVE
    }
  }
}
