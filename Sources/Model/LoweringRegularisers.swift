import Tensors

extension LayerNode {
  /// The weights that regularisers act on: no biases, and no parameters that only scale.
  var regularisedWeights: [(declaration: WeightDeclaration, linear: LinearOperator?)] {
    let linear: LinearOperator?
    switch operation {
    case .linear(.diagonal), .linear(.scaling), .linear(.normalisation): return []
    case .linear(let map): linear = map
    case .stored: return weights.filter(\.isConstrained).map { ($0, heldOperator($0)) }
    case .elementwise, .known, .weightedSum, .unbounded: linear = nil
    }
    return weights.filter(\.isConstrained).map { ($0, linear) }
  }
}

extension Network {
  /// The state of all regularisers, `<layer>.<weight>.<regulariser>.<name>`.
  var regulariserState: [InitialState] {
    regularisers.flatMap { entry in
      nodes.flatMap { node in
        node.regularisedWeights.flatMap { declaration, linear in
          entry.regulariser.state(declaration.shape, of: linear).map {
            InitialState(
              name: entry.stateName($0.name, node.tensorName(declaration.name)), shape: $0.shape,
              initializer: $0.initializer)
          }
        }
      }
    }
  }
}

extension NetworkRegulariser {
  fileprivate func stateName(_ local: String, _ tensor: String) -> String {
    "\(tensor).\(name).\(local)"
  }
}

extension EmittedNetwork {
  /// The regularisers' terms for one application of the network, summed to a scalar, and their
  /// state after the step; nil where there are none.
  ///
  /// - Parameters:
  ///   - samples, output: of that application.
  ///   - state: read in place of the stored vectors, by full name.
  func penalty(
    samples: Value, output: Value, supervision: RegularisedStep.Supervision? = nil,
    state given: [String: Value] = [:]
  ) -> (value: Value, updates: [Program.Update])? {
    let g = graph
    var terms: [Value] = []
    var updates: [Program.Update] = []
    for entry in network.regularisers {
      g.with(origin: Origin(name: entry.name, span: entry.span)) {
        let weights = regularisedWeights(entry, given)
        let step = RegularisedStep(
          graph: g, weights: weights.map(\.weight), samples: samples, output: output,
          supervision: supervision, network: { self($0) },
          uniform: { self.uniform("\(entry.name) \($0)", $1) })
        terms.append(entry.regulariser.lower(step))
        for (tensor, weight) in weights {
          updates += weight.updates.map { .init(entry.stateName($0.name, tensor), $0.value) }
        }
      }
    }
    guard let first = terms.first else { return nil }
    return (terms.dropFirst().reduce(first) { g.add($0, $1) }, updates)
  }

  private func regularisedWeights(
    _ entry: NetworkRegulariser, _ given: [String: Value]
  ) -> [(tensor: String, weight: RegularisedWeight)] {
    network.nodes.enumerated().flatMap { index, node in
      node.regularisedWeights.map { declaration, linear in
        let tensor = node.tensorName(declaration.name)
        var state: [String: Value] = [:]
        for part in entry.regulariser.state(declaration.shape, of: linear) {
          let name = entry.stateName(part.name, tensor)
          state[part.name] = given[name] ?? graph.state(name, part.shape)
        }
        let value = weight(declaration.name, ofNode: index)
        return (tensor, RegularisedWeight(value: value, linear: linear, state: state))
      }
    }
  }
}

extension Lowering {
  /// The regularisers' vectors after some iterations on the weights as they start.
  static func regulariserWarmup(
    _ network: Network, iterations: Int, _ g: GraphBuilder
  ) -> [Program.Update] {
    var kept = network
    kept.regularisers = network.regularisers.filter { entry in
      var alone = network
      alone.regularisers = [entry]
      return !alone.regulariserState.isEmpty
    }
    if kept.regularisers.isEmpty { return [] }
    let emitted = EmittedNetwork(kept, mode: .evaluation, seed: 0, step: nil, g)
    // What keeps state is about weights alone; passes remove the samples and their output.
    let x = g.constant(0, [1] + kept.inputShape)
    let output = emitted(x)
    var state: [String: Value] = [:]
    for _ in 0..<iterations {
      for update in emitted.penalty(samples: x, output: output, state: state)?.updates ?? [] {
        state[update.state] = update.value
      }
    }
    return state.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }
  }
}
