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

  @Test func theSurfaceIsFoundToTwiceItsError() throws {
    let text = try String(contentsOfFile: "\(Self.models)/csv_regression.yaml", encoding: .utf8)
    let setup = try TrainingSetup(try experiment(text), directory: Self.models)
    #expect(setup.data.train.count == 400 && setup.data.test?.count == 200)
    let runner = try StepRunner(setup, engine: CPUEngine(), threads: 1, steps: setup.totalSteps)
    let test = try #require(setup.data.test)
    let before = try runner.evaluate(test).loss
    for _ in 0..<setup.totalSteps { _ = try runner.run(total: setup.totalSteps) }
    let after = try runner.evaluate(test).loss
    // The heights vary by 0.2 about their mean 0; the measurements are wrong by 0.02.
    #expect(before > 0.02)
    #expect(after < 4 * 0.02 * 0.02, "\(after)")
  }
}
