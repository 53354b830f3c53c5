import Diagnostics
import Rounding
import Tensors

/// A network after resolution: a directed acyclic graph of layers in execution order, every shape
/// known, blocks and repeats expanded, flags turned into nodes.
public struct Network: Sendable {
  /// `model`, or the key under `models:`.
  public let name: String
  public let inputShape: Shape
  /// What a generator reads; nil for networks that read data.
  public let noise: Noise?
  /// Of a generator of samples of a class that is asked for: how many classes there are. Behind
  /// the noise, along axis 0, its input has as many planes: ones in that of the class, zeros in
  /// the others.
  public let classes: Int?
  /// The norm that the description declares for the whole network; l2 where it names none.
  public let norm: Norm
  public let nodes: [LayerNode]
  /// The value that leaves the network.
  public let output: NetworkValue
  public let blocks: [ResidualBlock]
  public let branchings: [Branching]
  public let span: Span
  /// What every element of the input must lie in for the constants of its layers to hold; nil:
  /// nothing, they hold everywhere.
  public let domain: ClosedRange<Double>?
  /// What training adds to the loss of this network.
  public var regularisers: [NetworkRegulariser] = []

  public init(
    name: String, inputShape: Shape, norm: Norm = .l2, nodes: [LayerNode], output: NetworkValue,
    blocks: [ResidualBlock], branchings: [Branching] = [], span: Span, noise: Noise? = nil,
    classes: Int? = nil, domain: ClosedRange<Double>? = nil
  ) {
    self.classes = classes
    self.domain = domain
    self.branchings = branchings
    self.noise = noise
    self.norm = norm
    self.name = name
    self.inputShape = inputShape
    self.nodes = nodes
    self.output = output
    self.blocks = blocks
    self.span = span
  }

  public func shape(_ value: NetworkValue) -> Shape {
    switch value {
    case .input: inputShape
    case .node(let index): nodes[index].outputShape
    }
  }
  public var outputShape: Shape { shape(output) }
  /// What is drawn of a generator's input: all but the planes of the class.
  public var noiseShape: Shape {
    [inputShape[0] - (classes ?? 0)] + inputShape.dropFirst()
  }
  /// The tensors that the optimizer updates, in network order: those of the layers, then what
  /// constraints train beside them.
  public var trainedStates: [InitialState] {
    nodes.flatMap { node in
      node.weights.filter(\.isTrained).map {
        InitialState(
          name: node.tensorName($0.name), shape: $0.shape, initializer: $0.initializer)
      }
    } + heldWeights.flatMap(\.held.trainedState)
  }
  /// Their names.
  public var trainedTensors: Set<String> { Set(trainedStates.map(\.name)) }
  public var parameterCount: Int { nodes.reduce(0) { $0 + $1.parameterCount } }
}

/// The distribution of a generator's input, independent for each element.
public enum Noise: String, Sendable, CaseIterable {
  /// Mean 0, variance 1.
  case normal
  /// On [−1, 1).
  case uniform
}

/// What a layer reads: the network's input or an earlier layer's output.
public enum NetworkValue: Hashable, Sendable {
  case input
  case node(Int)
}

/// One layer in its place.
public struct LayerNode: Sendable {
  /// Unique in the network: `fc1`, `dense_2`, `block1.dense_1`.
  public let name: String
  /// What its tensors' names begin with: nothing where the description has one network, `critic.`
  /// in the one called so.
  public let scope: String
  public let kind: String
  public let layer: any Layer
  public let inputs: [NetworkValue]
  public let inputShapes: [Shape]
  public let outputShape: Shape
  /// The tensors that are stored under this layer's name: none where it reads those of another.
  public let weights: [WeightDeclaration]
  /// The node whose tensors this one reads, by its index; nil: its own.
  public let weightSource: WeightSource?
  public let operation: LayerOperation
  /// What the description declares for this layer; nil for layers without weights and where it
  /// says `unconstrained` or nothing.
  public let declared: DeclaredBound?
  /// What training holds the layer's weights by; nil for layers without weights, for `none`, and
  /// for a constraint that would need a bound where none is declared.
  public let constraint: LayerConstraint?
  /// What a declared bound leaves each matrix of a layer whose constant follows from several.
  public let matrixBounds: [String: Double]
  /// Whether the constants rest on how large its input can be, and so on layers before it.
  public let isRangeBound: Bool
  /// The layer as written, and its kind's word.
  public let span: Span
  public let kindSpan: Span

  public init(
    name: String, kind: String, layer: any Layer, inputs: [NetworkValue], inputShapes: [Shape],
    outputShape: Shape, weights: [WeightDeclaration], operation: LayerOperation,
    declared: DeclaredBound?, constraint: LayerConstraint? = nil, span: Span, kindSpan: Span,
    scope: String = "", weightSource: WeightSource? = nil, isRangeBound: Bool = false
  ) {
    self.isRangeBound = isRangeBound
    self.name = name
    self.scope = scope
    self.weightSource = weightSource
    self.kind = kind
    self.layer = layer
    self.inputs = inputs
    self.inputShapes = inputShapes
    self.outputShape = outputShape
    self.weights = weights
    self.operation = operation
    self.declared = declared
    self.constraint = constraint
    self.span = span
    self.kindSpan = kindSpan
    if let declared, constraint != nil, case .stored(let constants) = operation {
      matrixBounds = Self.split(declared, constants, weightSource?.weights ?? weights, layer)
    } else {
      matrixBounds = [:]
    }
  }
  /// Whether its constraint keeps a bound of its operator, by certified rescale or by itself.
  public var isHeld: Bool {
    guard let constraint else { return false }
    switch operation {
    case .linear(let linear):
      return constraint.unit.isCertifiedAfterTraining
        || constraint.unit.staticBound(linear, norm: .l2) != nil
    case .stored:
      return constraint.unit.isCertifiedAfterTraining || boundOfHeldMatrices(.l2).isFinite
    default: return false
    }
  }
  public var parameterCount: Int {
    weights.reduce(0) { $0 + ($1.isTrained ? $1.shape.elementCount : 0) }
  }
  /// `<layer>.<weight>`, or `<network>.<layer>.<weight>` where there are several networks. Another
  /// layer's tensor, of which a range-bound constant speaks, is `/` and its full name.
  public func tensorName(_ weight: String) -> String {
    if weight.utf8.first == UInt8(ascii: "/") { return String(weight.dropFirst()) }
    return "\(scope)\(weightSource?.name ?? name).\(weight)"
  }
  /// Every tensor that the layer reads, its own or another's.
  public var readWeights: [WeightDeclaration] { weightSource?.weights ?? weights }
}

/// The first application of a layer that is applied several times with one set of weights.
public struct WeightSource: Sendable {
  public let node: Int
  public let name: String
  public let weights: [WeightDeclaration]
  public init(node: Int, name: String, weights: [WeightDeclaration]) {
    self.node = node
    self.name = name
    self.weights = weights
  }
}

/// `lipschitz:` of one layer.
public struct DeclaredBound: Sendable {
  public let norm: Norm
  public let bound: Double
  public let boundSpan: Span
  public init(norm: Norm, bound: Double, boundSpan: Span) {
    self.norm = norm
    self.bound = bound
    self.boundSpan = boundSpan
  }
}

/// `constraint:` of one layer.
public struct LayerConstraint: Sendable {
  public let unit: any Constraint
  public let kind: String
  public init(_ unit: any Constraint, kind: String) {
    self.unit = unit
    self.kind = kind
  }
}

/// A `parallel` block: one value read by several branches, whose results one node combines.
public struct Branching: Sendable {
  public let name: String
  public let entry: NetworkValue
  public let branches: [NetworkValue]
  public let merge: NetworkValue
  public init(
    name: String, entry: NetworkValue, branches: [NetworkValue], merge: NetworkValue
  ) {
    self.name = name
    self.entry = entry
    self.branches = branches
    self.merge = merge
  }
}

/// A residual connection x ↦ a·x + b·f(x) (or a·s(x) + b·f(x) with a shortcut s).
public struct ResidualBlock: Sendable {
  public enum Mode: String, Sendable, CaseIterable { case sum, convex }
  public let name: String
  public let mode: Mode
  /// w in `x + w·f(x)` or `(1 − w)·x + w·f(x)`.
  public let weight: Double
  /// What the block reads, what f and the shortcut compute, and the sum.
  public let entry: NetworkValue
  public let body: NetworkValue
  public let shortcut: NetworkValue
  public let merge: NetworkValue
  public let span: Span
  public init(
    name: String, mode: Mode, weight: Double, entry: NetworkValue, body: NetworkValue,
    shortcut: NetworkValue, merge: NetworkValue, span: Span
  ) {
    self.name = name
    self.mode = mode
    self.weight = weight
    self.entry = entry
    self.body = body
    self.shortcut = shortcut
    self.merge = merge
    self.span = span
  }
}
