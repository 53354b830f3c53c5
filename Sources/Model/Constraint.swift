import Rounding
import Tensors

/// How training enforces `lipschitz:` on one layer: one file under `Constraints/`.
public protocol Constraint: CatalogUnit {
  /// Why this constraint cannot hold this operator in this norm; nil if it can.
  func refusal(_ linear: LinearOperator, norm: Norm) -> String?
  /// Whether, when training ends, the stored weight's operator norm is at most the declared bound
  /// (because certified rescale makes it so).
  var isCertifiedAfterTraining: Bool { get }
  /// State the constraint keeps beside the weight (power-iteration vectors) of this operator.
  func state(_ weight: Shape, of linear: LinearOperator) -> [WeightDeclaration]
  /// The weight that the forward pass uses. In `.training` mode it may advance its state through
  /// `update`; in `.evaluation` mode it must not.
  func reparametrise(_ weight: Value, bound: Double, _ context: ConstraintContext) -> Value
}

/// What a constraint sees while it emits itself.
public final class ConstraintContext {
  public let graph: GraphBuilder
  public let mode: LoweringMode
  /// What the weight is the tensor of.
  public let linear: LinearOperator
  /// The constraint's own state, by local name.
  public let state: [String: Value]
  /// A stored tensor of the layer, by its local name, as it is before the step.
  public let tensor: (String) -> Value
  public private(set) var updates: [(name: String, value: Value)] = []

  public init(
    graph: GraphBuilder, mode: LoweringMode, linear: LinearOperator, state: [String: Value],
    tensor: @escaping (String) -> Value
  ) {
    self.graph = graph
    self.mode = mode
    self.linear = linear
    self.state = state
    self.tensor = tensor
  }
  /// `state ← value` when the step ends.
  public func update(_ name: String, _ value: Value) { updates.append((name, value)) }
}
