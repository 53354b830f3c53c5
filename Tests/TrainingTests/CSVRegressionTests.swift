import CPUEngine
import Diagnostics
import Foundation
import Model
import Testing

@testable import Training

/// `models/csv_regression.yaml`, trained.
@Suite struct CSVRegressionTests {
  private static let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("models").path

  @Test func mostOfTheSurfaceIsExplained() throws {
    let text = try String(contentsOfFile: "\(Self.models)/csv_regression.yaml", encoding: .utf8)
    let setup = try TrainingSetup(try experiment(text), directory: Self.models)
    #expect(setup.data.train.count == 400 && setup.data.test?.count == 200)
    let runner = try StepRunner(setup, engine: CPUEngine(), threads: 1, steps: setup.totalSteps)
    let test = try #require(setup.data.test)
    let before = try runner.evaluate(test).loss
    for _ in 0..<setup.totalSteps { _ = try runner.run(total: setup.totalSteps) }
    let after = try runner.evaluate(test).loss
    // The variance of the heights is 1/24 = 0.042; what is left of it is a seventh at most.
    #expect(before > 0.02)
    #expect(after < 0.006, "\(after)")
  }
}
