import Tensors

/// A state tensor and how it starts.
public struct InitialState: Sendable {
  public let name: String
  public let shape: Shape
  public let initializer: Initializer
  public init(name: String, shape: Shape, initializer: Initializer) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
  }
}

/// What training runs. All programs share state by name.
public struct TrainingPrograms: Sendable {
  /// One step. Inputs `x` [batch, input…], `labels` ([batch] class numbers, or targets
  /// [batch, output…]) and the scalar `learning_rate`. Outputs the scalar `loss`, the mean over the
  /// batch; for class labels `correct`, how many samples were right; and where the network has
  /// regularisers the scalar `penalty`, which is added to `loss` for the gradient.
  public let train: Program
  /// Inputs `x` and `labels`; outputs, per sample, `loss` [batch] and for class labels `correct`
  /// [batch], 0 or 1.
  public let evaluate: Program
  /// Every state of both programs.
  public let initial: [InitialState]
  /// The names of what the optimizer updates, in network order.
  public let parameters: [String]
}

extension Lowering {
  /// The step and the evaluation of one network under one loss.
  ///
  /// The step's order is: constraints applied (their state advanced), forward, loss, regularisers,
  /// gradient with the state's vectors constant, update of every parameter, all in one program. The
  /// forward pass is simplified before it is differentiated, so that x·(W/σ)ᵀ, which became
  /// (x·Wᵀ)/σ, has a gradient that never holds a scaled copy of W.
  ///
  /// - Parameter labels: what the samples are labelled with; where not given, what the loss usually
  ///   is trained on.
  public static func trainingPrograms(
    network: Network, loss: any SupervisedLoss, labels: LabelKind? = nil,
    optimizer: any Optimizer, clipping: GradientClipping? = nil, batch: Int,
    evaluationBatch: Int, seed: UInt64
  ) -> TrainingPrograms {
    let labels = labels ?? loss.usualLabels
    let declarations = network.nodes.flatMap { node in
      node.weights.map {
        InitialState(
          name: node.tensorName($0.name), shape: $0.shape, initializer: $0.initializer)
      }
    }
    let forward = scored(
      network, loss, labels, name: "train", batch: batch, mode: .training, seed: seed
    ).optimized()
    let trained = network.trainedStates
    let step = differentiated(
      forward, network, trained, optimizer, clipping, batch: batch)
    let evaluate = scored(
      network, loss, labels, name: "evaluate", batch: evaluationBatch, mode: .evaluation,
      seed: seed
    ).optimized()

    let constraintState = network.heldWeights.flatMap(\.held.state)
    let counter = InitialState(name: stepName, shape: [], initializer: .constant(0))
    return TrainingPrograms(
      train: step.program.withoutStopGradients().optimized(), evaluate: evaluate,
      initial: declarations + constraintState + network.regulariserState + step.initial + [counter],
      parameters: trained.map(\.name))
  }

  /// Forward pass, loss per sample, correctness per sample for class labels, and in training the
  /// regularisers' sum.
  private static func scored(
    _ network: Network, _ loss: any SupervisedLoss, _ kind: LabelKind, name: String, batch: Int,
    mode: LoweringMode, seed: UInt64
  ) -> Program {
    let g = GraphBuilder()
    let x = g.input("x", [batch] + network.inputShape)
    let labelShape = kind == .classes ? [] : network.outputShape
    let labels = g.input("labels", [batch] + labelShape)
    let step = mode == .training ? g.state(stepName, []) : nil
    let emitted = EmittedNetwork(network, mode: mode, seed: seed, step: step, g)
    let output = emitted(x)
    let losses = g.with(origin: Origin(name: "loss")) {
      loss.lower(output: output, labels: labels, g)
    }
    var outputs = [Program.Output("loss", losses)]
    if kind == .classes {
      g.with(origin: Origin(name: "loss")) {
        outputs.append(.init("correct", correct(output, labels, g)))
      }
    }
    var updates: [Program.Update] = []
    if mode == .training,
      let penalty = emitted.penalty(
        samples: x, output: output, supervision: .init(kind: kind, labels: labels, losses: losses))
    {
      outputs.append(.init("penalty", penalty.value))
      updates = penalty.updates
    }
    return Program(
      name: name, graph: g.graph, outputs: outputs, updates: emitted.updates + updates)
  }

  /// 1 where the first largest of the outputs is the label's, [batch]. A single output stands for
  /// class 1 where it is positive and for class 0 elsewhere. Outputs with a NaN are never correct.
  private static func correct(_ output: Value, _ labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let rest = Array(1..<shape.count)
    let logits = g.reshape(output, to: [shape[0], rest.reduce(1) { $0 * shape[$1] }])
    let flat = g.shape(logits)
    if flat[1] == 1 {
      let zero = g.constant(0, flat)
      let isPositive = g.binary(.greater, logits, zero)
      let isNumber = g.binary(.equal, logits, logits)
      let isRight = g.binary(.equal, isPositive, g.broadcast(leading: labels, to: flat))
      return g.sum(g.multiply(isNumber, isRight), [1])
    }
    let largest = g.maximum(over: [1], logits)
    let isLargest = g.binary(.equal, logits, g.broadcast(leading: largest, to: flat))
    // The largest of n − j over the hits j is n minus the first hit.
    let rank = g.multiply(isLargest, g.subtract(Double(flat[1]), g.iota(flat, axis: 1)))
    let predicted = g.subtract(Double(flat[1]), g.maximum(over: [1], rank))
    return g.binary(.equal, predicted, labels)
  }

  /// The forward program continued: means, gradients and updates.
  private static func differentiated(
    _ forward: Program, _ network: Network, _ parameters: [InitialState],
    _ optimizer: any Optimizer, _ clipping: GradientClipping?, batch: Int
  ) -> (program: Program, initial: [InitialState]) {
    let g = GraphBuilder(forward.graph)
    var leaves: [String: Value] = [:]
    for (index, node) in forward.graph.nodes.enumerated() {
      if case .state(let state) = node.op { leaves[state.name] = Value(index) }
    }
    func value(_ name: String) -> Value? { forward.outputs.first { $0.name == name }?.value }
    let loss = g.multiply(g.sum(value("loss")!), 1 / Double(batch))
    var outputs = [Program.Output("loss", loss)]
    if let correct = value("correct") { outputs.append(.init("correct", g.sum(correct))) }
    var objective = loss
    if let penalty = value("penalty") {
      outputs.append(.init("penalty", penalty))
      objective = g.add(loss, penalty)
    }
    let result = descent(
      on: objective, parameters, of: network, leaves: leaves, optimizer, clipping, g)
    let step = leaves[stepName] ?? g.state(stepName, [])
    let updates =
      forward.updates + result.updates + [.init(stepName, g.add(step, 1))]
    return (
      Program(name: "train", graph: g.graph, outputs: outputs, updates: updates),
      result.initial.map {
        InitialState(name: $0.name, shape: $0.shape, initializer: $0.initializer)
      }
    )
  }

  /// The gradient of a scalar with respect to the parameters, their updates along it at the input
  /// `learning_rate`, and what the network's constraints make of them.
  static func descent(
    on loss: Value, _ parameters: [InitialState], of network: Network, leaves: [String: Value],
    _ optimizer: any Optimizer, _ clipping: GradientClipping?, _ g: GraphBuilder
  ) -> OptimizerUpdates {
    // A parameter that the loss does not reach has no leaf left; its gradient is zero.
    let values = parameters.map { leaves[$0.name] ?? g.state($0.name, $0.shape) }
    let gradients = g.gradient(of: loss, with: values)
    let optimized = zip(parameters, zip(values, gradients)).map {
      OptimizedParameter(name: $0.name, value: $1.0, gradient: $1.1)
    }
    return g.with(origin: Origin(name: "optimizer")) {
      let rate = g.input("learning_rate", [])
      let clipped = clipping?.applied(to: optimized, g) ?? optimized
      return optimizer.lower(clipped, learningRate: rate, g)
    }.projected(network, g)
  }
}
