import Diagnostics
import Model
import ReferenceEngine
import Tensors
import Testing

/// Weights [[3, 0], [4, 5]] without a bias, or what `layers` says, under one regulariser; the loss
/// is `mse` and its batch what is given.
private func slopes(
  _ regulariser: String, layers: String = "[{dense: {units: 2, bias: false}}]", input: Shape = [2],
  weights: [String: [Double]] = ["dense_1.weight": [3, 0, 4, 5]], x: [Double] = [0, 0],
  loss: String = "mse", constraint: String = "", warmup: Int = 200
) throws -> (slopes: StepSlopes, programs: TrainingPrograms) {
  let experiment = try experiment(
    """
    lgc: 1
    name: example
    model: {input: \(input), \(constraint)layers: \(layers)}
    loss: \(loss)
    regularize: [{\(regulariser)}]
    optimizer: {type: sgd, lr: 1}
    """)
  let network = experiment.networks[0]
  let batch = x.count / input.elementCount
  let programs = Lowering.trainingPrograms(
    network: network, loss: experiment.loss!.loss,
    labels: .targets, optimizer: experiment.optimizer!.optimizer, batch: batch,
    evaluationBatch: batch, seed: 1)
  let outputs = network.outputShape.elementCount
  let slopes = try StepSlopes(
    programs.train, programs.initial,
    inputs: ["x": x, "labels": [Double](repeating: 0, count: batch * outputs)],
    fixed: weights, warmup: Lowering.constraintWarmup(network: network, iterations: warmup))
  return (slopes, programs)
}

@Suite struct RegulariserTests {
  /// At x = 0 the loss and its gradient are 0: the step is the regulariser's alone.
  @Test func theWeightNormsHaveTheirValuesAndGradients() throws {
    let w = [3.0, 0, 4, 5]
    let (l2, _) = try slopes("l2: 0.1")
    #expect(abs(try l2.run("penalty") - 5) < 1e-12)
    #expect(distance(try l2.gradient("dense_1.weight"), w.map { 0.2 * $0 }) < 1e-12)
    let (l1, _) = try slopes("l1: 0.1")
    #expect(abs(try l1.run("penalty") - 1.2) < 1e-12)
    #expect(distance(try l1.gradient("dense_1.weight"), [0.1, 0, 0.1, 0.1]) < 1e-12)
    let (frobenius, _) = try slopes("frobenius: 0.1")
    #expect(abs(try frobenius.run("penalty") - 0.1 * 50.squareRoot()) < 1e-12)
    let unit = w.map { 0.1 * $0 / 50.squareRoot() }
    #expect(distance(try frobenius.gradient("dense_1.weight"), unit) < 1e-12)
  }

  /// σ = √45, u·vᵀ = [[1, 1], [3, 3]]/√20.
  @Test func theSpectralNormIsSquaredAndItsGradientIsTheLeadingPair() throws {
    let (spectral, _) = try slopes("spectral_norm: 0.1")
    #expect(abs(try spectral.run("penalty") - 4.5) < 1e-9)
    let factor = 0.2 * 45.squareRoot() / 20.squareRoot()
    let expected = [1, 1, 3, 3].map { factor * $0 }
    #expect(distance(try spectral.gradient("dense_1.weight"), expected) < 1e-9)
  }

  @Test func theSpectralNormOfAConvolutionIsThatOfItsOperator() throws {
    let layer = "[{conv: {filters: 2, kernel: 3, stride: 2, padding: 1, bias: false}}]"
    let weight = normals([2, 1, 3, 3], seed: 4)
    let (spectral, _) = try slopes(
      "spectral_norm: 1", layers: layer, input: [1, 5, 4], weights: ["conv_1.weight": weight],
      x: [Double](repeating: 0, count: 20), warmup: 3000)
    let network = try network(layerDocument(String(layer.dropFirst().dropLast()), input: [1, 5, 4]))
    guard case .linear(let linear) = network.nodes[0].operation else {
      Issue.record("a convolution is linear")
      return
    }
    let matrix = operatorMatrix(linear) { _ in weight }
    let sigma = largestSingularValue(matrix, linear.outputCount, linear.inputCount)
    #expect(abs(try spectral.run("penalty") - sigma * sigma) < 1e-9)
  }

  @Test func theVectorsAdvanceOncePerStepAndNeverInEvaluation() throws {
    let (spectral, programs) = try slopes("spectral_norm: 0.1", warmup: 1)
    let states = ["dense_1.weight.spectral_norm.u", "dense_1.weight.spectral_norm.v"]
    for state in states {
      #expect(programs.train.updates.count { $0.state == state } == 1)
      #expect(programs.initial.contains { $0.name == state })
    }
    #expect(programs.evaluate.updates.isEmpty)
    #expect(!programs.evaluate.states.keys.contains { states.contains($0) })
    // One product with W and one with Wᵀ.
    let v = spectral.state(states[1])
    let image = [3 * v[0], 4 * v[0] + 5 * v[1]]
    let length = (image[0] * image[0] + image[1] * image[1]).squareRoot()
    try spectral.run("penalty")
    let u: [Double] = try spectral.executable.readState(states[0])
    #expect(distance(u, image.map { $0 / length }) < 1e-12)
  }

  @Test func onlyWeightsAreRegularised() throws {
    let (l2, _) = try slopes(
      "l2: 1",
      layers: "[{dense: 2}, layer_norm, batch_norm, {scale: {value: 2, learned: true}}]",
      weights: ["dense_1.weight": [3, 0, 4, 5], "dense_1.bias": [7, 7]], x: [0, 0, 1, 1])
    #expect(abs(try l2.run("penalty") - 50) < 1e-12)
  }

  /// W̄ = W/√45 under `spectral`: what the forward pass uses is what is measured.
  @Test func aReparametrisedWeightIsTakenAsTheForwardPassUsesIt() throws {
    let (l2, _) = try slopes(
      "l2: 1", constraint: "lipschitz: 1, constraint: spectral, ")
    #expect(abs(try l2.run("penalty") - 50 / 45.0) < 1e-9)
  }

  @Test(arguments: [("one", 160.0, 0.0), ("two", 160, 2.5)])
  func theGradientPenaltyOfALinearNetworkIsKnown(
    _ sided: String, _ steep: Double, _ flat: Double
  ) throws {
    for (w, expected) in [([3.0, 4], steep), ([0.3, 0.4], flat)] {
      for place in ["data", "interpolations"] {
        let (penalty, _) = try slopes(
          "gradient_penalty: {weight: 10, sided: \(sided), at: \(place)}",
          layers: "[{dense: {units: 1, bias: false}}]", weights: ["dense_1.weight": w],
          x: [0, 0, 0, 0])
        #expect(abs(try penalty.run("penalty") - expected) < 1e-9)
        if expected == 160 {
          let gradient = try penalty.gradient("dense_1.weight")
          #expect(distance(gradient, [48, 64]) < 1e-9)
        }
      }
    }
  }

  /// ∇_x mse = 2/n·Wᵀ(Wx − t): at x = (1, 0), t = 0 it is Wᵀ(3, 4) = (25, 20).
  @Test func thePenaltyOfTheLossIsItsGradientInTheInput() throws {
    let (penalty, _) = try slopes(
      "gradient_penalty: {weight: 1, of: loss, target: 0}", x: [1, 0])
    #expect(abs(try penalty.run("penalty") - (625 + 400)) < 1e-9)
  }

  /// Each of 4000 samples has a direction of its own, so their mean is near λ·‖W‖_F² = 50λ; one
  /// sample's standard deviation is below 30λ here.
  @Test func theJacobianIsEstimatedWithoutBias() throws {
    let (jacobian, _) = try slopes(
      "jacobian: 0.5", x: [Double](repeating: 0, count: 8000))
    #expect(abs(try jacobian.run("penalty") - 25) < 1.5)
  }

  @Test func directionsChangeFromStepToStep() throws {
    let (jacobian, _) = try slopes("jacobian: 1", x: [0, 0, 0, 0])
    let first = try jacobian.run("penalty", ["step": [0]])
    #expect(try jacobian.run("penalty", ["step": [0]]) == first)
    #expect(try jacobian.run("penalty", ["step": [1]]) != first)
  }

  @Test func aDeadNetworkHasAFinitePenaltyAndGradient() throws {
    for kind in ["gradient_penalty: {weight: 1, sided: two}", "frobenius: 1", "spectral_norm: 1"] {
      let (penalty, _) = try slopes(kind, weights: ["dense_1.weight": [0, 0, 0, 0]])
      #expect(try penalty.run("penalty").isFinite)
      #expect(try penalty.gradient("dense_1.weight").allSatisfy { $0.isFinite })
    }
  }

  @Test func interpolationsLieBetweenNeighboursOfTheBatch() throws {
    // ∇½f² = f·w for f = w·x: with of: output of a quadratic network the norm tells the place. A
    // batch of one sample repeated has only itself to go to.
    let layers = "[{dense: {units: 1, bias: false}}, softplus]"
    let (there, _) = try slopes(
      "gradient_penalty: {weight: 1, target: 0, at: interpolations}", layers: layers, input: [1],
      weights: ["dense_1.weight": [1]], x: [2, 2, 2])
    let (at, _) = try slopes(
      "gradient_penalty: {weight: 1, target: 0}", layers: layers, input: [1],
      weights: ["dense_1.weight": [1]], x: [2, 2, 2])
    #expect(abs(try there.run("penalty") - (try at.run("penalty"))) < 1e-12)
    let (between, _) = try slopes(
      "gradient_penalty: {weight: 1, target: 0, at: interpolations}", layers: layers, input: [1],
      weights: ["dense_1.weight": [1]], x: [-3, 3])
    // σ(x)² at a place between −3 and 3.
    let value = try between.run("penalty")
    #expect(value > 0.0023 && value < 0.9074)
  }
}
