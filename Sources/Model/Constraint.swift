import Rounding
import Tensors

/// How training enforces `lipschitz:` on one layer: one file under `Constraints/`.
public protocol Constraint: CatalogUnit {
  /// Why this constraint cannot hold this operator in this norm; nil if it can.
  func refusal(_ linear: LinearOperator, norm: Norm) -> String?
  /// Where people go wrong with this constraint on the operator of layer `name`.
  func cautions(name: String, _ linear: LinearOperator) -> [Caution]
  /// Whether, when training ends, the stored weight's operator norm is at most the declared bound
  /// (because certified rescale makes it so).
  var isCertifiedAfterTraining: Bool { get }
  /// State the constraint keeps beside the weight (power-iteration vectors) of this operator.
  func state(_ weight: Shape, of linear: LinearOperator, norm: Norm) -> [WeightDeclaration]
  /// The weight that the forward pass uses. In `.training` mode it may advance its state through
  /// `update`; in `.evaluation` mode it must not.
  func reparametrise(_ weight: Value, bound: Double, _ context: ConstraintContext) -> Value
  /// What takes the weight's place when a step ends, from what the optimizer made of it; only in
  /// `.training` mode. The optimizer's own state stays as it is.
  func project(_ updated: Value, bound: Double, _ context: ConstraintContext) -> Value
}

extension Constraint {
  public func project(
    _ updated: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { updated }
}

extension Constraint {
  public func cautions(name: String, _ linear: LinearOperator) -> [Caution] { [] }
}

/// What a constraint sees while it emits itself.
public final class ConstraintContext {
  public let graph: GraphBuilder
  public let mode: LoweringMode
  /// What the weight is the tensor of.
  public let linear: LinearOperator
  /// The norm of the declared bound.
  public let norm: Norm
  /// The constraint's own state, by local name.
  public let state: [String: Value]
  /// A stored tensor of the layer, by its local name, as it is before the step.
  public let tensor: (String) -> Value
  public private(set) var updates: [(name: String, value: Value)] = []

  public init(
    graph: GraphBuilder, mode: LoweringMode, linear: LinearOperator, norm: Norm,
    state: [String: Value],
    tensor: @escaping (String) -> Value
  ) {
    self.graph = graph
    self.mode = mode
    self.linear = linear
    self.norm = norm
    self.state = state
    self.tensor = tensor
  }
  /// `state ← value` when the step ends.
  public func update(_ name: String, _ value: Value) { updates.append((name, value)) }
}
