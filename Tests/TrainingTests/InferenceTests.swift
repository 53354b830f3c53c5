import CPUEngine
import Diagnostics
import Model
import Tensors
import Testing

@testable import Training

@Suite struct InferenceTests {
  /// The samples of `moons` and a network of theirs with its initial weights.
  private func deployed(batch: Int) throws -> (DeployedNetwork, TrainingSetup) {
    let setup = try TrainingSetup(try experiment(moons), directory: ".")
    var weights: [String: [Float]] = [:]
    for state in setup.programs.initial {
      weights[state.name] = materialise(
        state.initializer, shape: state.shape, name: state.name, seed: 1)
    }
    let network = try DeployedNetwork(
      setup.network, weights: weights, engine: CPUEngine(), threads: 1, batch: batch)
    return (network, setup)
  }

  @Test(arguments: [1, 7, 128, 499, 501])
  func scoresDoNotDependOnTheBatch(_ batch: Int) throws {
    let (whole, setup) = try deployed(batch: 500)
    let samples = try #require(setup.data.test)
    let expected = try whole.scores(of: samples, setup.scaling).margins
    let margins = try deployed(batch: batch).0.scores(of: samples, setup.scaling).margins
    #expect(margins.count == 500)
    #expect(zip(margins, expected).allSatisfy { abs($0 - $1) <= 1e-5 * (1 + abs($1)) })
  }

  @Test func aBatchThatIsNotFullHasTheRowsOfAFullOne() throws {
    let (network, _) = try deployed(batch: 8)
    let x = (0..<16).map { Float($0) / 8 - 1 }
    let full = Array(try network.outputs(of: x))
    #expect(full.count == 16)
    let part = Array(try network.outputs(of: Array(x[..<6])))
    #expect(part == Array(full[..<6]))
  }

  @Test func memoryDoesNotGrowWithTheData() throws {
    let (network, setup) = try deployed(batch: 10)
    let planned = network.plannedBytes
    _ = try network.scores(of: setup.data.train, setup.scaling)
    #expect(network.plannedBytes == planned)
    #expect(planned < 100_000)
  }

  @Test func inputsThatAreNotOfTheProgramAreRefused() throws {
    let g = GraphBuilder()
    let x = g.input("x", [4, 3])
    let program = Program(name: "p", graph: g.graph, outputs: [.init("y", x)])
    let executable = try CPUEngine().compile([program], options: EngineOptions(threads: 1))
    let batched = BatchedProgram(program, of: executable, batch: 4)
    #expect(throws: EngineError.self) { try batched.write("z", [0]) }
    #expect(throws: EngineError.self) { try batched.write("x", [Float](repeating: 0, count: 13)) }
    try batched.write("x", [1, 2, 3])
    try batched.run(count: 1)
    #expect(Array(batched["y"]) == [1, 2, 3])
    #expect(Array(batched["y", 0]) == [1, 2, 3])
  }
}
