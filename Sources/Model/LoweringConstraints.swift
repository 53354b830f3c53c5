import Rounding
import Tensors

/// A constraint on one weight of one layer.
struct HeldWeight {
  let constraint: any Constraint
  /// ∞ where none is declared.
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
  var state: [InitialState] { declarations.map(initial) }
  /// The part of it that the optimizer updates.
  var trainedState: [InitialState] { declarations.filter(\.isTrained).map(initial) }

  private var declarations: [WeightDeclaration] {
    constraint.state(weight.shape, of: linear, norm: norm)
  }
  private func initial(_ declaration: WeightDeclaration) -> InitialState {
    InitialState(
      name: statePrefix + declaration.name, shape: declaration.shape,
      initializer: declaration.initializer)
  }

  typealias Step = (weight: Value, updates: [Program.Update])

  /// W̄ and the constraint's state after it. Without `state` the stored tensors are read, under the
  /// names that `stateName` gives them.
  func apply(
    to stored: Value, mode: LoweringMode, state: [String: Value] = [:], _ g: GraphBuilder,
    stateName: (String) -> String = { $0 }
  ) -> Step {
    emit(mode, state, g, stateName) { constraint.reparametrise(stored, bound: bound, $0) }
  }

  /// What the optimizer's result becomes, and the constraint's state after it.
  func project(
    _ updated: Value, state: [String: Value] = [:], _ g: GraphBuilder
  ) -> Step {
    emit(.training, state, g) { constraint.project(updated, bound: bound, $0) }
  }

  /// The weight and the state that training starts from.
  func start(_ initial: Value, _ g: GraphBuilder) -> Step {
    emit(.training, [:], g) { constraint.start(initial, bound: bound, $0) }
  }

  /// W̄ when training ends.
  func deploy(_ stored: Value, _ g: GraphBuilder) -> Value {
    emit(.evaluation, [:], g) { constraint.deploy(stored, bound: bound, $0) }.weight
  }

  private func emit(
    _ mode: LoweringMode, _ given: [String: Value], _ g: GraphBuilder,
    _ stateName: (String) -> String = { $0 }, _ body: (ConstraintContext) -> Value
  ) -> Step {
    var state = given
    for declaration in declarations where state[declaration.name] == nil {
      state[declaration.name] = g.state(
        stateName(statePrefix + declaration.name), declaration.shape)
    }
    let context = ConstraintContext(
      graph: g, mode: mode, linear: linear, norm: norm, state: state,
      tensor: { [tensors] in g.state(tensors[$0]!.name, tensors[$0]!.shape) })
    let weight = body(context)
    return (weight, context.updates.map { .init(statePrefix + $0.name, $0.value) })
  }
}

extension LayerNode {
  /// What holds this tensor; nil where nothing does, as with most constraints for biases.
  func constraint(on weight: WeightDeclaration) -> HeldWeight? {
    guard let constraint, let linear = heldOperator(weight),
      weight.isConstrained || (weight.isTrained && constraint.unit.holdsBiases)
    else { return nil }
    let name = tensorName(weight.name)
    return HeldWeight(
      constraint: constraint.unit, bound: heldBound(weight) ?? .infinity, weight: weight,
      linear: linear, norm: declared?.norm ?? .l2, tensorName: name,
      statePrefix: "\(name).\(constraint.kind).",
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
        return Program.Output(held.tensorName, held.deploy(stored, g))
      }
    }
    return Program(name: "deploy", graph: g.graph, outputs: outputs).optimized()
  }

  /// A program to be run once before the first step: it brings the weights to where their
  /// constraints start from, and advances the state of constraints and regularisers `iterations`
  /// times on them, because from a random start one power iteration says little about a norm. nil
  /// where there is nothing to do.
  public static func constraintWarmup(network: Network, iterations: Int) -> Program? {
    let g = GraphBuilder()
    var updates: [Program.Update] = []
    for (node, held) in network.heldWeights {
      g.with(origin: Origin(name: node.name, span: node.span)) {
        let stored = g.state(held.tensorName, held.weight.shape)
        let (weight, started) = held.start(stored, g)
        var state: [String: Value] = [:]
        func note(_ updates: [Program.Update]) {
          for update in updates {
            state[String(update.state.dropFirst(held.statePrefix.count))] = update.value
          }
        }
        note(started)
        for _ in 0..<(held.state.isEmpty ? 0 : iterations) {
          let applied = held.apply(to: weight, mode: .training, state: state, g).updates
          note(applied.isEmpty ? held.project(weight, state: state, g).updates : applied)
        }
        if weight != stored { updates.append(.init(held.tensorName, weight)) }
        updates += state.keys.sorted().map { .init(held.statePrefix + $0, state[$0]!) }
      }
    }
    updates += regulariserWarmup(network, iterations: iterations, g)
    if updates.isEmpty { return nil }
    return Program(name: "warmup", graph: g.graph, outputs: [], updates: updates).optimized()
  }
}
