import Rounding
import Tensors

/// How training holds the weights of one layer: one file under `Constraints/`.
public protocol Constraint: CatalogUnit {
  /// Whether it holds nothing where no bound is declared. Where it is false, the `bound` that the
  /// other methods take is ∞, and the norm l2, for a layer without a declared one.
  var needsBound: Bool { get }
  /// Whether it acts on every tensor that the layer trains, biases too.
  var holdsBiases: Bool { get }
  /// Why this constraint cannot hold this operator in this norm; nil if it can.
  func refusal(_ linear: LinearOperator, norm: Norm) -> String?
  /// Why it can never keep this declared bound, though it can hold the operator in this norm.
  func shortfall(of linear: LinearOperator, norm: Norm, bound: Double) -> Refusal?
  /// What is proved of every weight that it lets through, from the operator's shape alone, and by
  /// whom it is held, as `check` says it; nil if nothing.
  func staticBound(_ linear: LinearOperator, norm: Norm) -> (bound: UpperBound, heldBy: String)?
  /// Where people go wrong with this constraint on the operator of layer `name`.
  func cautions(name: String, _ linear: LinearOperator) -> [Caution]
  /// Whether, when training ends, the stored weight's operator norm is at most the declared bound
  /// (because certified rescale makes it so).
  var isCertifiedAfterTraining: Bool { get }
  /// State the constraint keeps beside the weight of this operator. Power-iteration vectors and
  /// such are `isTrained: false`; what is trained follows the optimizer as weights do.
  func state(_ weight: Shape, of linear: LinearOperator, norm: Norm) -> [WeightDeclaration]
  /// The weight that the forward pass uses. In `.training` mode it may advance its state through
  /// `update`; in `.evaluation` mode it must not.
  func reparametrise(_ weight: Value, bound: Double, _ context: ConstraintContext) -> Value
  /// What takes the weight's place when a step ends, from what the optimizer made of it; only in
  /// `.training` mode. The optimizer's own state stays as it is.
  func project(_ updated: Value, bound: Double, _ context: ConstraintContext) -> Value
  /// The weight that training starts from, made of the initial one; its state through `update`. In
  /// `.training` mode, once, before the power iterations of the first step.
  func start(_ initial: Value, bound: Double, _ context: ConstraintContext) -> Value
  /// W̄ when training ends, in `.evaluation` mode: `reparametrise`, or a more exact form of it.
  func deploy(_ weight: Value, bound: Double, _ context: ConstraintContext) -> Value
}

/// What a constraint cannot do, and what to write instead.
public struct Refusal: Sendable {
  public let message: String
  public let help: String
  public init(_ message: String, help: String) {
    self.message = message
    self.help = help
  }
}

extension Constraint {
  public var needsBound: Bool { true }
  public var holdsBiases: Bool { false }
  public func shortfall(of linear: LinearOperator, norm: Norm, bound: Double) -> Refusal? { nil }
  public func staticBound(
    _ linear: LinearOperator, norm: Norm
  ) -> (bound: UpperBound, heldBy: String)? { nil }
  public func start(
    _ initial: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { initial }
  public func deploy(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value { reparametrise(weight, bound: bound, context) }
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
  /// The norm of the declared bound; l2 where none is declared.
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
