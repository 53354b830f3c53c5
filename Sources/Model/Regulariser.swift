import Diagnostics
import Tensors

/// A term that training adds to the loss: one file under `Regularisers/`.
///
/// It acts on the weights of dense and convolutional layers and their like, never on biases, on the
/// parameters of normalisations or on `scale`, and on those weights as the forward pass uses them:
/// W̄ where a constraint reparametrises, the stored W elsewhere. Terms of several layers are
/// summed. Evaluation knows no regularisers, and what `loss` reports does not hold them.
public protocol Regulariser: CatalogUnit {
  /// Whether it is about gradients in the network's input, for which a sample's output must be a
  /// function of that sample alone.
  var penalisesInputGradients: Bool { get }
  /// Why it cannot be, for a network of this output shape and samples that are labelled so (nil: a
  /// generator's or a critic's, which have none); nil if it can.
  func refusal(output: Shape, labels: LabelKind?) -> String?
  /// State it keeps beside each weight (power-iteration vectors).
  func state(_ weight: Shape, of linear: LinearOperator?) -> [WeightDeclaration]
  /// The term, a scalar, with its weight λ.
  func lower(_ step: RegularisedStep) -> Value
}

extension Regulariser {
  public var penalisesInputGradients: Bool { false }
  public func refusal(output: Shape, labels: LabelKind?) -> String? { nil }
  public func state(_ weight: Shape, of linear: LinearOperator?) -> [WeightDeclaration] { [] }
}

/// An entry of `regularize:`.
public struct NetworkRegulariser: Sendable {
  /// Its kind, or `l2_2` for the second of a kind: in the names of its state and random numbers.
  public let name: String
  public let regulariser: any Regulariser
  public let arguments: Arguments
  public let span: Span
  public init(
    name: String, regulariser: any Regulariser, arguments: Arguments, span: Span
  ) {
    self.name = name
    self.regulariser = regulariser
    self.arguments = arguments
    self.span = span
  }
  public var kind: String { type(of: regulariser).kind }
}

/// A weight that regularisers act on.
public final class RegularisedWeight {
  /// As the forward pass uses it.
  public let value: Value
  /// What it is the tensor of; nil where the layer is not linear.
  public let linear: LinearOperator?
  /// The regulariser's own state, by local name.
  public let state: [String: Value]
  public private(set) var updates: [(name: String, value: Value)] = []

  public init(value: Value, linear: LinearOperator?, state: [String: Value] = [:]) {
    self.value = value
    self.linear = linear
    self.state = state
  }
  /// `state ← value` when the step ends.
  public func update(_ name: String, _ value: Value) { updates.append((name, value)) }
}

/// What a regulariser sees of one training step.
public final class RegularisedStep {
  public let graph: GraphBuilder
  public let weights: [RegularisedWeight]
  /// What the network read, [batch, sample…], and gave for it, [batch, output…].
  public let samples: Value
  public let output: Value
  /// Supervised training: each sample's label, what it is, and each sample's loss, [batch].
  public let supervision: Supervision?
  private let function: (Value) -> Value
  private let uniformNumbers: (String, Shape) -> Value

  public struct Supervision {
    public let kind: LabelKind
    public let labels: Value
    public let losses: Value
    public init(kind: LabelKind, labels: Value, losses: Value) {
      self.kind = kind
      self.labels = labels
      self.losses = losses
    }
  }

  /// - Parameters:
  ///   - network: [batch, sample…] → [batch, output…], with the weights of this step.
  ///   - uniform: numbers on [0, 1), others for every name.
  public init(
    graph: GraphBuilder, weights: [RegularisedWeight], samples: Value, output: Value,
    supervision: Supervision?, network: @escaping (Value) -> Value,
    uniform: @escaping (String, Shape) -> Value
  ) {
    self.graph = graph
    self.weights = weights
    self.samples = samples
    self.output = output
    self.supervision = supervision
    function = network
    uniformNumbers = uniform
  }

  public func network(_ x: Value) -> Value { function(x) }
  public func uniform(_ name: String, _ shape: Shape) -> Value { uniformNumbers(name, shape) }
  public func normal(_ name: String, _ shape: Shape) -> Value {
    graph.normal { uniform("\(name) \($0)", shape) }
  }

  /// The scalar mean over the batch.
  public func mean(_ x: Value) -> Value {
    graph.multiply(graph.sum(x), 1 / Double(graph.shape(x).elementCount))
  }

  /// Σ over the weights of a scalar of each.
  public func total(_ term: (RegularisedWeight) -> Value) -> Value {
    let terms = weights.map(term)
    return terms.dropFirst().reduce(terms.first ?? graph.constant(0)) { graph.add($0, $1) }
  }
}
