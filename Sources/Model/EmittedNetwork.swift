import Tensors

/// A network in a graph under construction, to be applied to as many inputs as a step needs: its
/// constraints are applied and their state advanced once, however often the network is.
///
/// What the layers update themselves (running statistics) advances with every application, each
/// from what the one before left.
final class EmittedNetwork {
  let network: Network
  private let mode: LoweringMode
  private let constraintMode: LoweringMode
  private let stream: String
  private let seed: UInt64
  private let step: Value?
  let graph: GraphBuilder
  private let stateName: (String) -> String
  /// By node: the weights by local names, as the next application uses them.
  private var weights: [[String: Value]?]
  private var applications = 0
  private var constraintUpdates: [Program.Update] = []
  private var layerUpdates: [Program.Update] = []

  /// - Parameters:
  ///   - constraintMode: what constraints are applied for; `mode` where not given.
  ///   - stream: sets the random numbers apart from those of another program.
  ///   - step: the scalar that counts steps; random layers need it in training.
  ///   - stateName: where a stored tensor is found, by its name; itself where not given.
  init(
    _ network: Network, mode: LoweringMode, constraintMode: LoweringMode? = nil,
    stream: String = "", seed: UInt64, step: Value?, _ g: GraphBuilder,
    stateName: @escaping (String) -> String = { $0 }
  ) {
    self.network = network
    self.mode = mode
    self.constraintMode = constraintMode ?? mode
    self.stream = stream
    self.seed = seed
    self.step = step
    graph = g
    self.stateName = stateName
    weights = Array(repeating: nil, count: network.nodes.count)
  }

  /// The constraints' and the layers' own state after the step; empty unless for training.
  var updates: [Program.Update] { constraintUpdates + layerUpdates }

  /// The output for `x` [batch, input…].
  func callAsFunction(_ x: Value) -> Value { output(of: nodes(on: x), on: x) }

  func output(of nodes: [Value], on x: Value) -> Value {
    switch network.output {
    case .input: x
    case .node(let index): nodes[index]
    }
  }

  /// The value of every node for `x`.
  func nodes(on x: Value) -> [Value] {
    let g = graph
    var values: [Value] = []
    for (index, node) in network.nodes.enumerated() {
      g.with(origin: Origin(name: node.scope + node.name, span: node.span)) {
        // A second application has random numbers of its own.
        let again = applications == 0 ? "" : " again \(applications)"
        let context = LoweringContext(
          graph: g, mode: mode, weights: weights(of: index),
          randomStream: Philox.stream(
            seed: seed, name: "\(stream)layer \(node.scope)\(node.name)\(again)"), step: step)
        let operands = node.inputs.map { input in
          switch input {
          case .input: x
          case .node(let index): values[index]
          }
        }
        values.append(node.layer.lower(operands, context))
        for update in context.updates {
          weights[node.weightSource?.node ?? index]?[update.name] = update.value
          let name = stateName(node.tensorName(update.name))
          layerUpdates.removeAll { $0.state == name }
          layerUpdates.append(.init(name, update.value))
        }
      }
    }
    applications += 1
    return values
  }

  /// A weight as the forward pass uses it.
  func weight(_ name: String, ofNode index: Int) -> Value { weights(of: index)[name]! }

  /// Numbers on [0, 1), drawn anew in every step.
  func uniform(_ name: String, _ shape: Shape) -> Value {
    guard let step else {
      fatalError("lgc's own bug: random numbers are asked for without a step counter")
    }
    let key = Philox.stream(seed: seed, name: "\(stream)\(network.name) regularize \(name)")
    return graph.random(stream: key, counter: step, shape)
  }

  private func weights(of index: Int) -> [String: Value] {
    let g = graph
    if let known = weights[index] { return known }
    let node = network.nodes[index]
    if let source = node.weightSource { return weights(of: source.node) }
    var found: [String: Value] = [:]
    for declaration in node.weights {
      let stored = g.state(stateName(node.tensorName(declaration.name)), declaration.shape)
      found[declaration.name] = stored
      guard constraintMode != .deployed, let held = node.constraint(on: declaration) else { continue }
      let applied = held.apply(to: stored, mode: constraintMode, g, stateName: stateName)
      found[declaration.name] = applied.weight
      constraintUpdates += applied.updates
    }
    weights[index] = found
    return found
  }
}
