import Rounding
import Tensors

/// A constraint on one weight of one layer.
struct HeldWeight {
  let constraint: any Constraint
  let bound: Double
  let weight: WeightDeclaration
  let linear: LinearOperator
  let norm: Norm
  /// `<layer>.<weight>`, and what the constraint's state names begin with.
  let tensorName: String
  let statePrefix: String
  /// The node's stored tensors.
  let tensors: [String: (name: String, shape: Shape)]

  /// `<layer>.<weight>.<constraint>.<name>`, its shape and start.
  var state: [InitialState] {
    constraint.state(weight.shape, of: linear, norm: norm).map {
      InitialState(name: statePrefix + $0.name, shape: $0.shape, initializer: $0.initializer)
    }
  }

  /// W̄ and the constraint's state after it. Without `state` the stored vectors are read.
  func apply(
    to stored: Value, mode: LoweringMode, state given: [String: Value]? = nil, _ g: GraphBuilder
  ) -> (weight: Value, updates: [Program.Update]) {
    let context = context(mode, state: given, g)
    let result = constraint.reparametrise(stored, bound: bound, context)
    return (result, context.updates.map { .init(statePrefix + $0.name, $0.value) })
  }

  /// What the optimizer's result becomes, and the constraint's state after it.
  func project(
    _ updated: Value, state given: [String: Value]? = nil, _ g: GraphBuilder
  ) -> (weight: Value, updates: [Program.Update]) {
    let context = context(.training, state: given, g)
    let result = constraint.project(updated, bound: bound, context)
    return (result, context.updates.map { .init(statePrefix + $0.name, $0.value) })
  }

  private func context(
    _ mode: LoweringMode, state given: [String: Value]?, _ g: GraphBuilder
  ) -> ConstraintContext {
    var state = given ?? [:]
    for declaration in constraint.state(weight.shape, of: linear, norm: norm)
    where state[declaration.name] == nil {
      state[declaration.name] = g.state(statePrefix + declaration.name, declaration.shape)
    }
    return ConstraintContext(
      graph: g, mode: mode, linear: linear, norm: norm, state: state,
      tensor: { [tensors] in g.state(tensors[$0]!.name, tensors[$0]!.shape) })
  }
}

extension LayerNode {
  /// What holds this weight, nil for biases and where nothing is declared or enforced.
  func constraint(on weight: WeightDeclaration) -> HeldWeight? {
    guard weight.isConstrained, let declared, let constraint = declared.constraint,
      case .linear(let linear) = operation
    else { return nil }
    let name = tensorName(weight.name)
    return HeldWeight(
      constraint: constraint, bound: declared.bound, weight: weight, linear: linear,
      norm: declared.norm, tensorName: name, statePrefix: "\(name).\(declared.constraintKind).",
      tensors: Dictionary(
        uniqueKeysWithValues: weights.map { ($0.name, (tensorName($0.name), $0.shape)) }))
  }
}

extension Network {
  var heldWeights: [(node: LayerNode, held: HeldWeight)] {
    nodes.flatMap { node in
      node.weights.compactMap { node.constraint(on: $0) }.map { (node, $0) }
    }
  }
}

extension OptimizerUpdates {
  /// The updates with every held weight of the network projected, and the constraints' state.
  func projected(_ network: Network, _ g: GraphBuilder) -> OptimizerUpdates {
    var result = self
    for (node, held) in network.heldWeights {
      guard let place = updates.firstIndex(where: { $0.state == held.tensorName }) else { continue }
      g.with(origin: Origin(name: node.name, span: node.span)) {
        let projected = held.project(updates[place].value, g)
        result.updates[place] = .init(held.tensorName, projected.weight)
        result.updates += projected.updates
      }
    }
    return result
  }
}

extension Lowering {
  /// A program whose outputs are the weights W̄ that the network uses, one per constrained tensor
  /// and named as its state: when training ends they replace the stored ones.
  public static func deployedWeights(network: Network) -> Program {
    let g = GraphBuilder()
    let outputs = network.heldWeights.map { node, held in
      g.with(origin: Origin(name: node.name, span: node.span)) {
        let stored = g.state(held.tensorName, held.weight.shape)
        return Program.Output(held.tensorName, held.apply(to: stored, mode: .evaluation, g).weight)
      }
    }
    return Program(name: "deploy", graph: g.graph, outputs: outputs).optimized()
  }

  /// A program that advances the power iterations of constraints and regularisers `iterations`
  /// times on the weights as they are, to be run once before the first step: from a random start,
  /// one power iteration says little about a norm. nil where there are none.
  public static func constraintWarmup(network: Network, iterations: Int) -> Program? {
    let g = GraphBuilder()
    var updates: [Program.Update] = []
    for (node, held) in network.heldWeights where !held.state.isEmpty {
      g.with(origin: Origin(name: node.name, span: node.span)) {
        let stored = g.state(held.tensorName, held.weight.shape)
        var state: [String: Value] = [:]
        var last: [Program.Update] = []
        for _ in 0..<iterations {
          last = held.apply(to: stored, mode: .training, state: state, g).updates
          if last.isEmpty { last = held.project(stored, state: state, g).updates }
          for update in last {
            state[String(update.state.dropFirst(held.statePrefix.count))] = update.value
          }
        }
        updates += last
      }
    }
    updates += regulariserWarmup(network, iterations: iterations, g)
    if updates.isEmpty { return nil }
    return Program(name: "warmup", graph: g.graph, outputs: [], updates: updates).optimized()
  }
}
