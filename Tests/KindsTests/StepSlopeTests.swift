import Model
import Tensors
import Testing

/// The compiled training step of every loss family and every regulariser goes down the slope of
/// what it reports, to the precision of central differences in Double.
@Suite struct StepSlopeTests {
  private static let layers = """
    [{dense: {units: 4, activation: tanh}}, {dense: {units: 4, activation: softplus}}, \
    {dense: OUTPUTS}]
    """

  private static func supervised(
    _ loss: String, regularize: String = "[]", outputs: Int = 3, layers: String = layers,
    input: Shape = [3], labels: LabelKind = .classes
  ) throws -> StepSlopes {
    let experiment = try experiment(
      """
      lgc: 1
      name: example
      model: {input: \(input), layers: \(layers.replacing("OUTPUTS", with: "\(outputs)"))}
      loss: \(loss)
      regularize: \(regularize)
      optimizer: {type: sgd, lr: 1}
      """)
    let network = experiment.networks[0]
    let batch = 5
    let programs = Lowering.trainingPrograms(
      network: network, loss: experiment.loss!.loss, labels: labels,
      optimizer: experiment.optimizer!.optimizer, batch: batch, evaluationBatch: batch, seed: 1)
    let classes = (0..<batch).map { Double($0 % max(outputs, 2)) }
    return try StepSlopes(
      programs.train, programs.initial,
      inputs: [
        "x": normals([batch] + input, seed: 21),
        "labels": labels == .classes ? classes : normals([batch, outputs], seed: 22),
      ], warmup: Lowering.constraintWarmup(network: network, iterations: 300))
  }

  @Test(arguments: [
    "cross_entropy", "{family: cross_entropy, temperature: 0.05}", "hinge",
    "{family: hinge, margin: 3}", "multi_margin", "mse", "mae", "kr", "hinge_kr",
    "{family: hinge_kr, form: convex, alpha: 0.9}", "{family: hinge_kr, form: paper}",
  ])
  func supervisedLosses(_ loss: String) throws {
    let error = try Self.supervised(loss).error(of: ["loss"])
    #expect(error.relative < 1e-6 && error.size > 1e-3)
  }

  @Test(arguments: ["hinge", "kr", "hinge_kr", "{family: hinge_kr, form: convex, alpha: 0.5}"])
  func lossesOfOneOutput(_ loss: String) throws {
    let error = try Self.supervised(loss, outputs: 1).error(of: ["loss"])
    #expect(error.relative < 1e-6 && error.size > 1e-3)
  }

  @Test(arguments: ["mse", "mae"])
  func lossesOfTargets(_ loss: String) throws {
    let error = try Self.supervised(loss, outputs: 2, labels: .targets).error(of: ["loss"])
    #expect(error.relative < 1e-6 && error.size > 1e-3)
  }

  /// The penalties are large beside the loss, so that the slope is theirs.
  @Test(arguments: [
    "l2: 3", "l1: 3", "frobenius: 3", "spectral_norm: 3",
    "spectral_norm: {weight: 3, iterations: 2}", "jacobian: 30",
    "gradient_penalty: {weight: 30, target: 0}", "gradient_penalty: {weight: 30, target: 0.1}",
    "gradient_penalty: {weight: 30, target: 0.1, sided: two}",
    "gradient_penalty: {weight: 30, target: 0.1, at: interpolations}",
    "gradient_penalty: {weight: 30, of: margin, target: 0.1}",
    "gradient_penalty: {weight: 30, of: loss, target: 0}",
    "gradient_penalty: {weight: 30, of: loss, sided: two, target: 0.5}",
  ])
  func regularisers(_ regulariser: String) throws {
    let slopes = try Self.supervised("cross_entropy", regularize: "[{\(regulariser)}]")
    let error = try slopes.error(of: ["loss", "penalty"])
    #expect(error.relative < 1e-6)
    #expect(try slopes.run("penalty") > slopes.run("loss"))
  }

  @Test func severalRegularisersAddUp() throws {
    let slopes = try Self.supervised(
      "mse", regularize: "[{l2: 0.1}, {l1: 0.2}, {spectral_norm: 0.3}, {jacobian: 0.4}, {l2: 0.5}]")
    #expect(try slopes.error(of: ["loss", "penalty"]).relative < 1e-6)
  }

  @Test(arguments: [
    "spectral_norm: 3", "l2: 3", "jacobian: 30", "gradient_penalty: {weight: 9, target: 0}",
  ])
  func regularisersOfConvolutions(_ regulariser: String) throws {
    let slopes = try Self.supervised(
      "cross_entropy", regularize: "[{\(regulariser)}]",
      layers: """
        [{conv: {filters: 2, kernel: 3, stride: 2, padding: 1, activation: tanh}}, \
        {conv: {filters: 2, kernel: 2, padding_mode: circular, padding: 1, activation: softplus}}, \
        flatten, {dense: OUTPUTS}]
        """, input: [1, 5, 4])
    #expect(try slopes.error(of: ["loss", "penalty"]).relative < 1e-6)
  }

  // MARK: a generator and a critic

  static let families =
    ["sgan", "{family: sgan, mode: saturating}"]
    + [
      "kl", "reverse_kl", "pearson", "neyman", "squared_hellinger", "jeffrey", "jensen_shannon",
      "weighted_jensen_shannon, mixture: 0.3", "gan", "total_variation", "alpha, alpha: 0.5",
      "alpha, alpha: 2.5",
    ].map { "{family: f_gan, divergence: \($0)}" }
    + [
      "wgan", "wgan_gp", "{family: wgan_gp, sided: one, weight: 3}", "wgan_div",
      "{family: wgan_div, at: ends, power: 4}", "{family: ls_gan, margin_scale: 1}",
      "{family: gls_gan, margin_scale: 0.5, slope: 0.2}", "gan_qp",
      "{family: gan_qp, distance: l2_mean}", "hinge_gan", "least_squares_gan", "relativistic",
      "{family: relativistic, against: mean}",
    ]

  private static func adversarial(_ loss: String, critic: String = "") throws -> Experiment {
    try experiment(
      """
      lgc: 1
      name: example
      models:
        generator: {input: {shape: [2]}, layers: [{dense: {units: 4, activation: tanh}}, {dense: 3}]}
        critic:
          input: [3]
          layers: [{dense: {units: 5, activation: tanh}}, {dense: {units: 4, activation: softplus}},
            {dense: 1}]
          \(critic)
      loss: \(loss)
      optimizer: {type: sgd, lr: 1}
      train: {batch: 6}
      """)
  }

  private static let inputs: [String: [Double]] = [
    "real": normals([6, 3], seed: 1), "fake": normals([6, 3], seed: 2),
    "epsilon": [0.1, 0.9, 0.5, 0.3, 0.7, 0],
  ]

  private static func critic(_ experiment: Experiment) throws -> StepSlopes {
    let step = Lowering.criticStep(
      generator: experiment.networks[0], critic: experiment.networks[1], experiment.adversarial!,
      batch: 6, seed: 0, inputs: .given)
    return try StepSlopes(
      step.program, step.initial, inputs: inputs,
      warmup: Lowering.constraintWarmup(network: experiment.networks[1], iterations: 300))
  }

  @Test(arguments: families)
  func criticsOf(_ loss: String) throws {
    let error = try Self.critic(try Self.adversarial(loss)).error(of: ["loss"], prefix: "critic.")
    #expect(error.relative < 1e-6 && error.size > 1e-6)
  }

  @Test(arguments: families)
  func generatorsOf(_ loss: String) throws {
    let experiment = try Self.adversarial(loss)
    let (generator, critic) = (experiment.networks[0], experiment.networks[1])
    let step = Lowering.generatorStep(
      generator: generator, critic: critic, experiment.adversarial!, batch: 6, seed: 0)
    let critical = Lowering.criticStep(
      generator: generator, critic: critic, experiment.adversarial!, batch: 6, seed: 0,
      inputs: .given)
    let slopes = try StepSlopes(
      step.program, critical.initial + step.initial, inputs: Self.inputs)
    let error = try slopes.error(of: ["loss"], prefix: "generator.")
    #expect(error.relative < 1e-6 && error.size > 1e-6)
  }

  @Test(arguments: ["l2: 3", "spectral_norm: 3", "gradient_penalty: {weight: 9, target: 0}"])
  func regularisersOfACriticAreInItsLoss(_ regulariser: String) throws {
    let plain = try Self.critic(try Self.adversarial("sgan"))
    let slopes = try Self.critic(
      try Self.adversarial("sgan", critic: "regularize: [{\(regulariser)}]"))
    let error = try slopes.error(of: ["loss"], prefix: "critic.")
    #expect(error.relative < 1e-6)
    let difference = try slopes.run("loss") - plain.run("loss")
    #expect(abs(difference - (try slopes.run("penalty"))) < 1e-12 && difference > 0.1)
  }
}
