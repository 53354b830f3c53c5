import Tensors

/// From a typed network to tensor programs.
///
/// State names: a weight is `<layer>.<weight>`, a constraint's state
/// `<layer>.<weight>.<constraint>.<name>`, the optimizer's `optimizer.…`, the step counter `step`.
/// A weight's state holds the trained tensor W; what a reparametrising constraint makes of it, W̄,
/// exists only inside programs until training ends (`deployedWeights`).
public enum Lowering {
  /// The forward pass alone: input `x` [batch, input…], output `y`.
  ///
  /// `.deployed` reads the stored weights as they are; `.evaluation` applies the constraints with
  /// frozen state; `.training` draws dropout masks and advances the constraints' state.
  public static func forward(
    network: Network, batch: Int, mode: LoweringMode, seed: UInt64 = 0
  ) -> Program {
    let g = GraphBuilder()
    let x = g.input("x", [batch] + network.inputShape)
    let result = forwardValue(network: network, x: x, mode: mode, seed: seed, g)
    return Program(
      name: "forward", graph: g.graph, outputs: [.init("y", result.output)],
      updates: result.updates
    ).optimized()
  }

  /// What emitting a network's forward pass gives.
  public struct ForwardValue: Sendable {
    public let output: Value
    /// The value of every node, by index.
    public let nodes: [Value]
    /// The constraints' and the layers' own state after the step; empty unless for training.
    public let updates: [Program.Update]
  }

  /// Emits the forward pass on `x` [batch, input…] into a graph under construction.
  public static func forwardValue(
    network: Network, x: Value, mode: LoweringMode, seed: UInt64 = 0, _ g: GraphBuilder
  ) -> ForwardValue {
    let step = mode == .training ? g.state(stepName, []) : nil
    let emitted = EmittedNetwork(network, mode: mode, seed: seed, step: step, g)
    let nodes = emitted.nodes(on: x)
    return ForwardValue(
      output: emitted.output(of: nodes, on: x), nodes: nodes, updates: emitted.updates)
  }

  /// The scalar state that counts finished steps.
  static let stepName = "step"
}
