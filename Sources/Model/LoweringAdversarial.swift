import Tensors

/// What the training of a generator against a critic runs. All programs share state by name; the
/// state of a network's optimizer begins with the network's name, as its weights do.
public struct AdversarialPrograms: Sendable {
  /// One update of the critic. Inputs `real` [batch, sample…], the scalar `learning_rate` and, of
  /// a generator of classes, `labels` [batch]: those of the real samples, which generated ones are
  /// asked for too.
  /// Outputs scalars: `loss`; `gap`, the mean score of real less that of generated samples, or the
  /// other way round where low scores are real ones; `penalty`, weight included, if there is one:
  /// the family's and the critic's regularisers', which `loss` holds too.
  public let criticStep: Program
  /// One update of the generator. Input `learning_rate`, `real` where the family needs it, and
  /// `labels` of the classes that are asked for;
  /// outputs the scalar `loss` and, of its regularisers, `penalty`, which `loss` holds too.
  public let generatorStep: Program
  /// Input `noise` [samples, noise…] with the planes of the class, output `samples`
  /// [samples, sample…], of the averaged weights where there are any.
  public let sample: Program
  /// Input `samples` [samples, sample…], output `scores` [samples, 1] of the critic as it is, or
  /// [samples, classes]; only for points of the plane, whose level lines are drawn.
  public let score: Program?
  /// Every state but the averages.
  public let initial: [InitialState]
  /// The averages of the generator's weights, which start as the weights do.
  public let averages: [(average: String, weight: String)]

  public var all: [Program] { [criticStep, generatorStep, sample] + (score.map { [$0] } ?? []) }
}

/// Where a critic step's samples come from.
public enum CriticInputs: Sendable {
  /// Noise and interpolation coefficients are drawn inside the program, by counter.
  case drawn
  /// Inputs `fake` [batch, sample…], `labels` where there are classes and, where the family
  /// interpolates, `epsilon` [batch].
  case given
}

extension Lowering {
  public static func adversarialPrograms(
    generator: Network, critic: Network, _ section: AdversarialSection, batch: Int,
    samples: Int, seed: UInt64
  ) -> AdversarialPrograms {
    let critical = criticStep(
      generator: generator, critic: critic, section, batch: batch, seed: seed, inputs: .drawn)
    let generating = generatorStep(
      generator: generator, critic: critic, section, batch: batch, seed: seed)
    let averages =
      section.averageDecay == nil
      ? [] : generator.trainedStates.map { (average: averageName($0.name), weight: $0.name) }
    return AdversarialPrograms(
      criticStep: critical.program, generatorStep: generating.program,
      sample: sample(generator: generator, count: samples, isAveraged: !averages.isEmpty),
      score: critic.inputShape == [2] ? score(critic: critic, count: samples) : nil,
      initial: critical.initial + generating.initial, averages: averages)
  }

  /// A program that updates the critic, and how the state of critic and optimizer starts.
  ///
  /// In its order: constraints applied and advanced; generated samples as constants; scores of real
  /// and generated samples, in one batch where the critic treats samples one by one; the family's
  /// objective, whose penalties may apply the critic again with the same weights; gradient and
  /// update. The objective is simplified before it is differentiated.
  public static func criticStep(
    generator: Network, critic: Network, _ section: AdversarialSection, batch: Int, seed: UInt64,
    inputs: CriticInputs
  ) -> (program: Program, initial: [InitialState]) {
    let g = GraphBuilder()
    let counter = g.state(critic.stepName, [])
    let shape = [batch] + critic.inputShape
    let real = g.input("real", shape)
    let asked = Asked(of: generator, batch: batch, g)
    let fake: Value
    switch inputs {
    case .given: fake = g.input("fake", shape)
    case .drawn:
      let noise = self.noise(
        of: generator, batch: batch, stream: "critic", seed: seed, counter: counter, g)
      let emitted = EmittedNetwork(
        generator, mode: .training, constraintMode: .evaluation, stream: "critic step, ",
        seed: seed, step: counter, g)
      fake = g.stopGradient(emitted(asked.joined(to: noise)))
    }
    let emitted = EmittedNetwork(critic, mode: .training, seed: seed, step: counter, g)
    let outputs = outputPair(emitted, real, fake, g)
    let scores = (real: asked.scores(of: outputs.real), fake: asked.scores(of: outputs.fake))
    let step = AdversarialStep(
      graph: g, fake: fake, fakeScores: scores.fake, real: { (real, scores.real) },
      coefficients: {
        switch inputs {
        case .given: g.input("epsilon", [batch])
        case .drawn:
          g.random(
            stream: Philox.stream(seed: seed, name: "interpolation"), counter: counter, [batch])
        }
      },
      critic: { asked.scores(of: emitted($0)) })
    var (objective, gap) = g.with(origin: Origin(name: "loss")) {
      let (high, low) =
        section.loss.isRealHigh ? (scores.real, scores.fake) : (scores.fake, scores.real)
      return (
        section.loss.criticObjective(step), g.subtract(step.mean(high), step.mean(low))
      )
    }
    let regularised = emitted.penalty(samples: real, output: outputs.real)
    if let penalty = regularised?.value {
      objective.loss = g.add(objective.loss, penalty)
      objective.penalty = objective.penalty.map { g.add($0, penalty) } ?? penalty
    }
    let told =
      [Program.Output("loss", objective.loss), .init("gap", gap)]
      + (objective.penalty.map { [.init("penalty", $0)] } ?? [])
    let forward = Program(
      name: "critic_step", graph: g.graph, outputs: told,
      updates: emitted.updates + (regularised?.updates ?? [])
    ).optimized()
    return finished(forward, critic, section.criticOptimizer, averageDecay: nil)
  }

  /// A program that updates the generator, and how the state of generator and optimizer starts. The
  /// critic's constraints are applied with their state as it is.
  public static func generatorStep(
    generator: Network, critic: Network, _ section: AdversarialSection, batch: Int, seed: UInt64
  ) -> (program: Program, initial: [InitialState]) {
    let g = GraphBuilder()
    let counter = g.state(generator.stepName, [])
    let noise = self.noise(
      of: generator, batch: batch, stream: "generator", seed: seed, counter: counter, g)
    let asked = Asked(of: generator, batch: batch, g)
    let input = asked.joined(to: noise)
    let generating = EmittedNetwork(generator, mode: .training, seed: seed, step: counter, g)
    let fake = generating(input)
    let judging = EmittedNetwork(
      critic, mode: .training, constraintMode: .evaluation, stream: "generator step, ",
      seed: seed, step: counter, g)
    func scores(_ x: Value) -> Value { asked.scores(of: judging(x)) }
    let step = AdversarialStep(
      graph: g, fake: fake, fakeScores: scores(fake),
      real: {
        let real = g.input("real", [batch] + critic.inputShape)
        return (real, scores(real))
      },
      coefficients: {
        g.random(
          stream: Philox.stream(seed: seed, name: "generator interpolation"), counter: counter,
          [batch])
      },
      critic: scores)
    var loss = g.with(origin: Origin(name: "loss")) { section.loss.generatorObjective(step) }
    var outputs: [Program.Output] = []
    let regularised = generating.penalty(samples: input, output: fake)
    if let penalty = regularised?.value {
      loss = g.add(loss, penalty)
      outputs = [.init("penalty", penalty)]
    }
    let forward = Program(
      name: "generator_step", graph: g.graph, outputs: [.init("loss", loss)] + outputs,
      updates: generating.updates + (regularised?.updates ?? [])
    ).optimized()
    return finished(
      forward, generator, section.generatorOptimizer, averageDecay: section.averageDecay)
  }

  private static func sample(generator: Network, count: Int, isAveraged: Bool) -> Program {
    let g = GraphBuilder()
    let trained = isAveraged ? generator.trainedTensors : []
    let emitted = EmittedNetwork(
      generator, mode: .evaluation, seed: 0, step: nil, g,
      stateName: { trained.contains($0) ? averageName($0) : $0 })
    let samples = emitted(g.input("noise", [count] + generator.inputShape))
    return Program(
      name: "sample", graph: g.graph, outputs: [.init("samples", samples)]
    ).optimized()
  }

  private static func score(critic: Network, count: Int) -> Program {
    let g = GraphBuilder()
    let emitted = EmittedNetwork(critic, mode: .evaluation, seed: 0, step: nil, g)
    let scores = emitted(g.input("samples", [count] + critic.inputShape))
    return Program(name: "score", graph: g.graph, outputs: [.init("scores", scores)]).optimized()
  }

  // MARK: parts

  /// What the critic gives for real and generated samples, [batch, scores] each. Separately where
  /// samples of a batch see each other: real and generated ones must not.
  private static func outputPair(
    _ critic: EmittedNetwork, _ real: Value, _ fake: Value, _ g: GraphBuilder
  ) -> (real: Value, fake: Value) {
    let batch = g.shape(real)[0]
    if critic.network.mixesSamples { return (critic(real), critic(fake)) }
    let outputs = critic(g.concatenate([real, fake], axis: 0))
    let count = g.shape(outputs)[1]
    func half(_ start: Int) -> Value {
      g.slice(outputs, starts: [start, 0], limits: [start + batch, count], strides: [1, 1])
    }
    return (half(0), half(batch))
  }

  /// What is random of a generator's input: standard normal numbers, or 2u − 1.
  private static func noise(
    of generator: Network, batch: Int, stream: String, seed: UInt64, counter: Value,
    _ g: GraphBuilder
  ) -> Value {
    let shape = [batch] + generator.noiseShape
    func uniform(_ part: String) -> Value {
      let key = Philox.stream(seed: seed, name: "\(stream) noise \(part)")
      return g.random(stream: key, counter: counter, shape)
    }
    switch generator.noise ?? .normal {
    case .uniform: return g.subtract(g.multiply(uniform("u"), 2), 1)
    case .normal: return g.normal(uniform)
    }
  }

  private static func weights(of network: Network) -> [InitialState] {
    network.nodes.flatMap { node in
      node.weights.map {
        InitialState(
          name: node.tensorName($0.name), shape: $0.shape, initializer: $0.initializer)
      }
    }
  }

  private static func averageName(_ weight: String) -> String { "average.\(weight)" }

  /// A program with a scalar `loss` continued: gradient, update of one network, its averages, its
  /// counter.
  private static func finished(
    _ forward: Program, _ network: Network, _ optimizer: OptimizerSection, averageDecay: Double?
  ) -> (program: Program, initial: [InitialState]) {
    let g = GraphBuilder(forward.graph)
    var leaves: [String: Value] = [:]
    for (index, node) in forward.graph.nodes.enumerated() {
      if case .state(let state) = node.op { leaves[state.name] = Value(index) }
    }
    let loss = forward.outputs.first { $0.name == "loss" }!.value
    let result = descent(
      on: loss, network.trainedStates, of: network, leaves: leaves, optimizer.optimizer,
      optimizer.clipping, g)
    var updates = forward.updates + result.updates
    if let averageDecay {
      let trained = network.trainedTensors
      for update in result.updates where trained.contains(update.state) {
        let name = averageName(update.state)
        let kept = g.multiply(g.state(name, g.shape(update.value)), averageDecay)
        updates.append(.init(name, g.add(kept, g.multiply(update.value, 1 - averageDecay))))
      }
    }
    let counter = leaves[network.stepName] ?? g.state(network.stepName, [])
    updates.append(.init(network.stepName, g.add(counter, 1)))
    // Both networks' optimizers call their state the same.
    func scoped(_ name: String) -> String {
      name.hasPrefix("optimizer.") ? "\(network.name).\(name)" : name
    }
    let program = Program(
      name: forward.name, graph: g.graph, outputs: forward.outputs, updates: updates
    ).renamingStates(scoped).withoutStopGradients().optimized()
    let own = result.initial.map {
      InitialState(name: scoped($0.name), shape: $0.shape, initializer: $0.initializer)
    }
    let counterState = InitialState(
      name: network.stepName, shape: [], initializer: .constant(0))
    return (
      program,
      weights(of: network) + network.heldWeights.flatMap(\.held.state)
        + network.regulariserState + own + [counterState]
    )
  }
}

extension Network {
  /// The scalar state that counts this network's updates.
  fileprivate var stepName: String { "\(name).\(Lowering.stepName)" }
  /// Whether in training one sample's output depends on the others of its batch.
  var mixesSamples: Bool { nodes.contains(where: \.mixesSamples) }
}

extension LayerNode {
  /// Layers that look at a batch as a whole keep running statistics for inference.
  var mixesSamples: Bool { weights.contains { !$0.isTrained } }
}

extension Program {
  fileprivate func renamingStates(_ name: (String) -> String) -> Program {
    var program = self
    program.graph.nodes = graph.nodes.map { node in
      guard case .state(let state) = node.op else { return node }
      return GraphNode(
        op: .state(State(name: name(state.name), shape: state.declared)), operands: node.operands,
        shape: node.shape, origin: node.origin)
    }
    program.updates = updates.map { .init(name($0.state), $0.value) }
    return program
  }
}
