import Diagnostics
import Rounding
import Tensors

/// A kind of layer: one file under `Layers/`, one line in its catalog.
public protocol Layer: CatalogUnit {
  /// The output shape (without the batch) for one input shape, or why it cannot be.
  func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape
  /// The trained tensors, for input shapes that `outputShape` accepted.
  func weights(_ inputs: [Shape]) -> [WeightDeclaration]
  /// Whether the constant in `norm` is reached or approached by some inputs for every weight, so
  /// that no smaller one holds. Generic tests search for such inputs.
  func isTight(_ inputs: [Shape], norm: Norm) -> Bool
  /// What the layer is as a map, for the proofs.
  func operation(_ inputs: [Shape]) -> LayerOperation
  /// How large the elements of its output can be.
  func reach(_ inputs: [Shape]) -> OutputReach
  /// Whether `operation` is `.unbounded` although `constants` states some on bounded inputs.
  var needsBoundedInput: Bool { get }
  /// The constants on inputs x with max |x| ≤ largest, for each input; nil: none is known.
  func constants(_ inputs: [Shape], within largest: [StoredBound]) -> StoredConstants?
  /// Bounds of matrices, by name, that are better held at a number of their own than at an equal
  /// share of the layer's bound; whatever the others are, they must be able to make the layer's
  /// constant arbitrarily small.
  func matrixBounds(_ norm: Norm) -> [String: Double]
  /// Why a constraint on this layer would hold nothing, though it has weights; nil where one can.
  var constraintRefusal: Refusal? { get }
  /// Where people go wrong with this layer in a network that is to be bounded in `norm`.
  func cautions(name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool) -> [Caution]
  /// Whether training draws random numbers in it.
  var isRandomInTraining: Bool { get }
  /// Emits the layer: operands have the batch as axis 0.
  func lower(_ inputs: [Value], _ context: LoweringContext) -> Value
}

extension Layer {
  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] { [] }
  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { true }
  public var isRandomInTraining: Bool { false }
  public func reach(_ inputs: [Shape]) -> OutputReach { .unknown }
  public var needsBoundedInput: Bool { false }
  public func constants(
    _ inputs: [Shape], within largest: [StoredBound]
  ) -> StoredConstants? { nil }
  public func matrixBounds(_ norm: Norm) -> [String: Double] { [:] }
  public var constraintRefusal: Refusal? { nil }
  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] { [] }
}

/// A shape that a layer cannot take; the caret stands under `argument`, else under the layer.
public struct ShapeProblem: Error {
  public let message: String
  public let argument: String?
  public let help: String?
  public init(_ message: String, argument: String? = nil, help: String? = nil) {
    self.message = message
    self.argument = argument
    self.help = help
  }
}

/// A tensor the layer learns: `<layer>.<name>` in every file and program.
public struct WeightDeclaration: Sendable {
  public let name: String
  public let shape: Shape
  public let initializer: Initializer
  /// Whether the layer's constraint and the `l2`… regularisers act on it (weights do, biases not).
  public let isConstrained: Bool
  /// false for what the optimizer leaves alone and the layer itself updates (running statistics).
  public let isTrained: Bool
  public init(
    _ name: String, _ shape: Shape, _ initializer: Initializer, isConstrained: Bool = false,
    isTrained: Bool = true
  ) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.isConstrained = isConstrained
    self.isTrained = isTrained
  }
}

/// How a tensor starts; the numbers come from the seed and the tensor's name (Philox).
public enum Initializer: Sendable, Hashable {
  case constant(Double)
  /// Uniform on [−bound, bound).
  case uniform(bound: Double)
  /// Normal with mean 0.
  case normal(deviation: Double)
  /// A random unit vector (power iteration's start).
  case unitVector
}

/// A layer seen by the proofs. `Lipschitz` knows how to bound each case and names no layer kind.
public enum LayerOperation: Sendable {
  /// Linear up to a constant: the operator built from stored tensors.
  case linear(LinearOperator)
  /// The same scalar function at every element.
  case elementwise(SlopeRange)
  /// Known constants in each norm (permutations, sorting, …).
  case known(LipschitzConstants)
  /// Constants that follow from norms of stored tensors (a recurrent layer, a normalisation with a
  /// scale).
  case stored(StoredConstants)
  /// y = Σ cᵢ·xᵢ over the operands (residual connections, add).
  case weightedSum([Double])
  /// No finite constant exists, and why.
  case unbounded(String)
}

public enum LinearOperator: Sendable, Hashable {
  /// x ↦ W·x with W = the tensor `weight`, [out, in].
  case dense(weight: String, outputs: Int, inputs: Int)
  /// x ↦ s ⊙ x, s the tensor `weight` of `count` numbers.
  case diagonal(weight: String, count: Int)
  /// x ↦ s·x with a number fixed in the description.
  case scaling(Double)
  /// x ↦ W ∗ x, W the tensor `weight`, [out, in/groups, kernel…].
  case convolution(weight: String, ConvolutionGeometry)
  /// The adjoint of that convolution, from its output's shape to its input's: a transposed
  /// convolution. The geometry is the convolution's; W is [out, in/groups, kernel…] of it, which is
  /// the transposed layer's [in, filters/groups, kernel…].
  case transposedConvolution(weight: String, ConvolutionGeometry)
  /// The same fixed linear maps of every channel: `axes[0] ⊗ axes[1] ⊗ …` on the trailing axes,
  /// whose entries are known (average pooling, padding, cropping, upsampling).
  case separable(channels: Int, axes: [AxisMap])
  /// x ↦ a ⊙ x per channel with a = scale / √(variance + epsilon), tensors of `channels` numbers
  /// (batch normalisation at inference); scale 1 where nil. `count` elements a channel.
  case normalisation(
    scale: String?, variance: String, epsilon: Double, channels: Int, count: Int)
}

extension LinearOperator {
  /// The number of elements it reads.
  public var inputCount: Int {
    switch self {
    case .dense(_, _, let inputs): inputs
    case .diagonal(_, let count): count
    case .scaling: 1
    case .convolution(_, let geometry): geometry.inputShape.elementCount
    case .transposedConvolution(_, let geometry): geometry.outputShape.elementCount
    case .separable(let channels, let axes): axes.reduce(channels) { $0 * $1.inputs }
    case .normalisation(_, _, _, let channels, let count): channels * count
    }
  }
  /// The number of elements it writes.
  public var outputCount: Int {
    switch self {
    case .dense(_, let outputs, _): outputs
    case .convolution(_, let geometry): geometry.outputShape.elementCount
    case .transposedConvolution(_, let geometry): geometry.inputShape.elementCount
    case .separable(let channels, let axes): axes.reduce(channels) { $0 * $1.rows.count }
    case .diagonal, .scaling, .normalisation: inputCount
    }
  }
}

/// A fixed sparse matrix along one axis, exact: entry (row, column) is numerator / divisor of its
/// row. A column that is named twice in a row counts twice.
public struct AxisMap: Sendable, Hashable {
  public struct Row: Sendable, Hashable {
    public let columns: [Int]
    public let numerators: [Int]
    public let divisor: Int
    public init(columns: [Int], numerators: [Int], divisor: Int) {
      self.columns = columns
      self.numerators = numerators
      self.divisor = divisor
    }
    /// Equal weights 1/divisor.
    public init(_ columns: [Int], over divisor: Int = 1) {
      self.init(
        columns: columns, numerators: [Int](repeating: 1, count: columns.count), divisor: divisor)
    }
  }
  public let inputs: Int
  public let rows: [Row]
  public init(inputs: Int, rows: [Row]) {
    self.inputs = inputs
    self.rows = rows
  }
  public static func identity(_ extent: Int) -> AxisMap {
    AxisMap(inputs: extent, rows: (0..<extent).map { Row([$0]) })
  }
}

/// The slopes of an element-wise function: its Lipschitz constant in every p-norm is
/// max(|lower|, |upper|), because its Jacobian is diagonal.
public struct SlopeRange: Sendable, Hashable {
  public let lower: Double
  public let upper: Double
  public init(_ lower: Double, _ upper: Double) {
    self.lower = lower
    self.upper = upper
  }
}

public struct LipschitzConstants: Sendable, Hashable {
  public let l1: UpperBound
  public let l2: UpperBound
  public let linf: UpperBound
  public init(l1: Double, l2: Double, linf: Double) {
    self.l1 = UpperBound(proved: l1)
    self.l2 = UpperBound(proved: l2)
    self.linf = UpperBound(proved: linf)
  }
  public static let one = LipschitzConstants(l1: 1, l2: 1, linf: 1)
  public subscript(_ norm: Norm) -> UpperBound {
    switch norm {
    case .l1: l1
    case .l2: l2
    case .linf: linf
    }
  }
}

/// What a program is lowered for.
public enum LoweringMode: Sendable {
  /// Forward for a training step: dropout on, power iterations advance.
  case training
  /// Forward while training is not over: constraints applied with frozen vectors, dropout off.
  case evaluation
  /// Forward of stored weights: constraints are already in them.
  case deployed
}

/// What a layer sees while it emits itself: the builder and its own tensors.
public final class LoweringContext {
  public let graph: GraphBuilder
  public let mode: LoweringMode
  /// The layer's tensors as the forward pass uses them (constraint applied), by their local names.
  public let weights: [String: Value]
  /// A key for the layer's random numbers, and the scalar that counts steps.
  public let randomStream: UInt64
  public let step: Value?

  public init(
    graph: GraphBuilder, mode: LoweringMode, weights: [String: Value], randomStream: UInt64,
    step: Value?
  ) {
    self.graph = graph
    self.mode = mode
    self.weights = weights
    self.randomStream = randomStream
    self.step = step
  }
  public func weight(_ name: String) -> Value { weights[name]! }

  public private(set) var updates: [(name: String, value: Value)] = []
  /// `tensor ← value` when the step ends; only for a tensor with `isTrained: false`, only in
  /// training.
  public func update(_ name: String, _ value: Value) { updates.append((name, value)) }
}
