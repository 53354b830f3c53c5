import Model
import ReferenceEngine
import Tensors

/// A family's objectives on samples and a critic made of primitives, in Double on the reference
/// engine.
struct AdversarialRun {
  var real: [Double]
  var fake: [Double]
  /// [batch, sample…], of both.
  var shape: Shape
  var epsilon: [Double]?
  /// Parameters of the critic by name, and the critic of samples, [batch, sample…] → [batch].
  var parameters: [String: (shape: Shape, values: [Double])] = [:]
  var critic: (Value, [String: Value], GraphBuilder) -> Value

  struct Result {
    var loss: Double
    var penalty: Double?
    var generator: Double
    /// ∂ critic loss in the scores of real and generated samples, ∂ generator loss in the latter.
    var realSlopes: [Double]
    var fakeSlopes: [Double]
    var generatorSlopes: [Double]
    /// ∂ critic loss in each parameter, ∂ generator loss in the generated samples.
    var gradients: [String: [Double]]
    var sampleGradient: [Double]
  }

  /// Scores given as numbers: samples are one number each and the critic is the identity.
  static func scores(real: [Double], fake: [Double]) -> AdversarialRun {
    AdversarialRun(real: real, fake: fake, shape: [real.count, 1]) { x, _, g in
      g.reshape(x, to: [g.shape(x)[0]])
    }
  }

  /// v = w·x + b.
  static func linear(
    w: [Double], b: Double = 0, real: [Double], fake: [Double], epsilon: [Double]? = nil
  ) -> AdversarialRun {
    AdversarialRun(
      real: real, fake: fake, shape: [real.count / w.count, w.count], epsilon: epsilon,
      parameters: ["w": ([w.count], w), "b": ([], [b])]
    ) { x, parameters, g in
      let rows = g.broadcast(trailing: parameters["w"]!, to: g.shape(x))
      return g.add(g.sum(g.multiply(x, rows), [1]), parameters["b"]!)
    }
  }

  func callAsFunction(_ loss: any AdversarialLoss) throws -> Result {
    let g = GraphBuilder()
    let parameters = self.parameters.mapValues { $0 }.reduce(into: [String: Value]()) {
      $0[$1.key] = g.input($1.key, $1.value.shape)
    }
    let (real, fake) = (g.input("real", shape), g.input("fake", shape))
    func score(_ x: Value) -> Value { critic(x, parameters, g) }
    let (realScores, fakeScores) = (score(real), score(fake))
    func step() -> AdversarialStep {
      AdversarialStep(
        graph: g, fake: fake, fakeScores: fakeScores, real: { (real, realScores) },
        coefficients: { g.input("epsilon", [shape[0]]) }, critic: score)
    }
    let objective = loss.criticObjective(step())
    let generator = loss.generatorObjective(step())
    let names = parameters.keys.sorted()
    let slopes = g.gradient(of: objective.loss, with: [realScores, fakeScores])
    let gradients = g.gradient(of: objective.loss, with: names.map { parameters[$0]! })
    let generated = g.gradient(of: generator, with: [fakeScores, fake])
    var outputs: [Program.Output] = [
      .init("loss", objective.loss), .init("generator", generator),
      .init("real slopes", slopes[0]), .init("fake slopes", slopes[1]),
      .init("generator slopes", generated[0]), .init("samples", generated[1]),
    ]
    outputs += zip(names, gradients).map { .init("gradient \($0)", $1) }
    if let penalty = objective.penalty { outputs.append(.init("penalty", penalty)) }
    let program = Program(name: "objectives", graph: g.graph, outputs: outputs)
      .withoutStopGradients().optimized()
    var inputs = ["real": self.real, "fake": self.fake]
    for (name, parameter) in self.parameters { inputs[name] = parameter.values }
    if let epsilon { inputs["epsilon"] = epsilon }
    let found = try ReferenceEngine().evaluate(
      program, inputs: inputs.filter { program.inputs[$0.key] != nil })
    return Result(
      loss: found["loss"]![0], penalty: found["penalty"]?[0], generator: found["generator"]![0],
      realSlopes: found["real slopes"]!, fakeSlopes: found["fake slopes"]!,
      generatorSlopes: found["generator slopes"]!,
      gradients: Dictionary(
        uniqueKeysWithValues: names.map { ($0, found["gradient \($0)"]!) }),
      sampleGradient: found["samples"]!)
  }
}

/// What each of many generated samples alone, a batch of one, gives the generator's loss.
func generatorTerms(_ loss: any AdversarialLoss, _ scores: [Double]) throws -> [Double] {
  let g = GraphBuilder()
  let outputs = scores.map { score in
    let v = g.constant(score, [1])
    let step = AdversarialStep(
      graph: g, fake: v, fakeScores: v, real: { (v, v) }, coefficients: { v }, critic: { $0 })
    return loss.generatorObjective(step)
  }
  let joined = g.concatenate(outputs.map { g.reshape($0, to: [1]) }, axis: 0)
  let program = Program(name: "terms", graph: g.graph, outputs: [.init("terms", joined)])
  return try ReferenceEngine().evaluate(program, inputs: [:])["terms"]!
}
