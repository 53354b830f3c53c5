import Tensors

/// An update rule: one file under `Optimizers/`.
public protocol Optimizer: CatalogUnit {
  var learningRate: Double { get }
  /// Emits the new value of every parameter. `learningRate` is a scalar that follows the schedule;
  /// state is named `optimizer.…` and starts at zero unless declared otherwise.
  func lower(
    _ parameters: [OptimizedParameter], learningRate: Value, _ g: GraphBuilder
  ) -> OptimizerUpdates
}

public struct OptimizedParameter: Sendable {
  public let name: String
  public let value: Value
  public let gradient: Value
  public init(name: String, value: Value, gradient: Value) {
    self.name = name
    self.value = value
    self.gradient = gradient
  }
}

/// `state ← value` pairs (parameters among them) and how the optimizer's own state starts.
public struct OptimizerUpdates: Sendable {
  public var updates: [Program.Update] = []
  public var initial: [(name: String, shape: Shape, initializer: Initializer)] = []
  public init() {}
}
