import CPUEngine
import Diagnostics
import Formats
import Model
import ReferenceEngine
import Tensors
import Testing

@testable import Training

/// y = (2·x₁ − x₂, x₁·x₂) at points of a square: data with targets.
struct PlaneFunction: Dataset {
  static let kind = "plane_function"
  static let summary = "two functions of points of the plane"
  init(_ arguments: Arguments) {}

  func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    LoadedData(train: samples(400, seed: seed), test: samples(100, seed: seed + 1))
  }

  private func samples(_ count: Int, seed: UInt64) -> Samples {
    let x = materialise(.uniform(bound: 1), shape: [count, 2], name: "x", seed: seed)
    let targets = (0..<count).flatMap { index in
      let (a, b) = (x[2 * index], x[2 * index + 1])
      return [2 * a - b, a * b]
    }
    return Samples(
      shape: [2], count: count, storage: .floats(x), labels: [], classCount: 0,
      targets: targets, targetShape: [2])
  }
}

private func regression(loss: String = "mse", units: Int = 2, more: String = "") -> String {
  """
  lgc: 1
  name: plane
  data: {type: plane_function}
  model: {input: [2], layers: [{dense: {units: 32, activation: tanh}}, {dense: \(units)}]}
  loss: \(loss)
  optimizer: {type: adam, lr: 1e-2, schedule: cosine}
  train: {epochs: 60, batch: 40, seed: 3}
  \(more)
  """
}

private func load(_ text: String) throws -> Experiment {
  var known = catalogs
  known.datasets.append(PlaneFunction.self)
  let (experiment, diagnostics) = loadExperiment(
    SourceFile(path: "test.yaml", text: text), catalogs: known, directory: ".")
  guard let experiment else { throw DiagnosticError(diagnostics) }
  return experiment
}

@Suite struct RegressionTests {
  let folder = Folder()

  private func train(_ text: String) throws -> (result: TrainingResult, metrics: [JSON]) {
    let setup = try TrainingSetup(try load(text), directory: ".")
    let path = "\(folder.path)/run"
    let result = try TrainingRun(
      setup,
      options: TrainingOptions(version: "test", engine: CPUEngine(), threads: 1, output: path)
    ).run()
    let lines = try InputFile.bytes("\(path)/metrics.jsonl").split(separator: UInt8(ascii: "\n"))
    return (result, try lines.map { try JSON(Array($0)) })
  }

  @Test(arguments: [("mse", 1e-3), ("mae", 3e-2)])
  func targetsAreLearned(_ loss: String, _ limit: Double) throws {
    let (result, metrics) = try train(regression(loss: loss))
    #expect(try #require(result.last?.testLoss) < limit)
    #expect(result.testAccuracy == nil)
    #expect(metrics.allSatisfy { $0["train_accuracy"] == nil && $0["test_accuracy"] == nil })
    #expect(try #require(metrics.last?["test_loss"]?.double) < limit)
    #expect(result.summary(name: "plane").contains("test loss"))
  }

  @Test func whatDoesNotFitTargetsIsRefused() throws {
    func refusal(_ text: String) throws -> Diagnostic {
      try diagnostic { _ = try TrainingSetup(try load(text), directory: ".") }
    }
    #expect(try refusal(regression(loss: "hinge")).code == .dataLabels)
    #expect(try refusal(regression(units: 3)).code == .dataShape)
    #expect(
      try refusal(regression(more: "targets: [{accuracy: {at_least: 0.5}}]")).code == .dataLabels)
    let margin = "regularize: [{gradient_penalty: {weight: 1, of: margin}}]"
    #expect(try refusal(regression(more: margin)).code == .conflictingKeys)
  }

  @Test func meanSquaredErrorTrainsOnClasses() throws {
    let text = moons.replacing("{family: cross_entropy, temperature: 0.05}", with: "mse")
    let (result, metrics) = try train(text)
    #expect(try #require(result.testAccuracy) > 0.85)
    #expect(metrics.last?["train_accuracy"]?.double != nil)
  }

  /// The loss does not hold the penalty, and weights that cost are smaller weights.
  @Test func thePenaltyIsReportedBesideTheLoss() throws {
    let (plain, without) = try train(regression())
    #expect(without.allSatisfy { $0["penalty"] == nil })
    let other = Folder()
    let setup = try TrainingSetup(
      try load(regression(more: "regularize: [{l2: 1e-2}]")), directory: ".")
    let result = try TrainingRun(
      setup,
      options: TrainingOptions(
        version: "test", engine: CPUEngine(), threads: 1, output: other.path + "/run")
    ).run()
    let penalty = try #require(result.last?.penalty)
    let tensors = try SafeTensors.read("\(other.path)/run/weights.safetensors")
    let squares = tensors.filter { $0.name.hasSuffix("weight") }.reduce(0.0) { total, tensor in
      total + tensor.floats.reduce(0) { $0 + Double($1) * Double($1) }
    }
    // The last epoch's mean, against the weights after it.
    #expect(abs(penalty - 0.01 * squares) < 0.02 * penalty)
    #expect(result.bounds[0].upper.value < plain.bounds[0].upper.value)
  }
}
