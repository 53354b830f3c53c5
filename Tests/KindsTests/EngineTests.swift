import CPUEngine
import Losses
import Model
import Optimizers
import ReferenceEngine
import Tensors
import Testing

private let engines: [any Engine] = [ReferenceEngine(), CPUEngine()]

/// Every unit on the fast engine against the reference.
@Suite struct EngineTests {
  @Test(arguments: layerTrials.filter { $0.code == nil })
  func bothEnginesComputeTheSameLayer(_ trial: Trial) throws {
    let network = try network(trial.text)
    let shape = [3] + network.inputShape
    let x = normals(shape, seed: 4).map { Float($0) }
    for mode in [LoweringMode.training, .deployed] {
      let program = Lowering.forward(network: network, batch: 3, mode: mode)
      let found = try engines.map { engine in
        let executable = try engine.compile([program], options: EngineOptions())
        for node in network.nodes {
          for weight in node.weights {
            let name = node.tensorName(weight.name)
            try executable.writeState(
              name, materialise(weight.initializer, shape: weight.shape, name: name, seed: 1))
          }
        }
        try executable.writeInput("x", of: "forward", x)
        try executable.run("forward")
        let count = 3 * network.outputShape.elementCount
        return try executable.readOutput("y", of: "forward", count: count).map(Double.init)
      }
      #expect(distance(found[0], found[1]) < 1e-5, "\(mode)")
    }
  }

  /// Ten steps: losses, then per-sample losses, then the deployed weights.
  @Test(arguments: catalogs.optimizers.indices, catalogs.losses.indices)
  func bothEnginesTrainAlike(_ optimizer: Int, _ loss: Int) throws {
    let network = try network(
      """
      lgc: 1
      name: example
      model:
        input: [20]
        lipschitz: {norm: l2, bound: 2}
        constraint: {type: spectral, iterations: 2}
        layers:
          - dense: {units: 24}
          - group_sort
          - dropout: 0.2
          - scale: {value: 0.7, learned: true}
          - dense: {units: 24, activation: softplus, residual: sum}
          - group_sort: 4
          - dense: 10
      """)
    let batch = 16
    let programs = Lowering.trainingPrograms(
      network: network, loss: try catalogs.losses[loss].init(arguments()),
      optimizer: try catalogs.optimizers[optimizer].init(arguments()), batch: batch,
      evaluationBatch: batch, seed: 3)
    let warmup = try #require(Lowering.constraintWarmup(network: network, iterations: 15))
    let deploy = Lowering.deployedWeights(network: network)
    let x = normals([batch, 20], seed: 1).map { Float($0) }
    let labels = (0..<batch).map { Float($0 % 10) }

    let found = try engines.map { engine -> [Double] in
      let executable = try engine.compile(
        [programs.train, programs.evaluate, warmup, deploy], options: EngineOptions())
      for state in programs.initial {
        try executable.writeState(
          state.name,
          materialise(state.initializer, shape: state.shape, name: state.name, seed: 3))
      }
      try executable.run("warmup")
      var results: [Float] = []
      for program in ["train", "evaluate"] {
        try executable.writeInput("x", of: program, x)
        try executable.writeInput("labels", of: program, labels)
      }
      try executable.writeInput("learning_rate", of: "train", [0.003])
      for _ in 0..<10 {
        try executable.run("train")
        results += try executable.readOutput("loss", of: "train", count: 1)
      }
      try executable.run("evaluate")
      results += try executable.readOutput("loss", of: "evaluate", count: batch)
      try executable.run("deploy")
      for output in deploy.outputs {
        results += try executable.readOutput(
          output.name, of: "deploy", count: deploy.graph.shape(output.value).elementCount)
      }
      return results.map(Double.init)
    }
    // Adam divides by the root of small squares, which enlarges the rounding of float32. The
    // Kantorovich–Rubinstein losses multiply outputs by batch size / class size.
    let scale = max(1, found[0].map(abs).max()!)
    #expect(distance(found[0], found[1]) < 1e-3 * scale)
  }
}
