import CPUEngine
import Diagnostics
import Formats
import Model
import Testing

@testable import Training

@Suite struct EarlyStoppingTests {
  let folder = Folder()

  private func train(_ overrides: [String], to name: String) throws -> TrainingResult {
    let text = moons.replacing("schedule: cosine", with: "schedule: constant")
      .replacing("noise: 0.1}", with: "noise: 0.1, validation: 0.2}")
    let setup = try TrainingSetup(try experiment(text, overrides: overrides), directory: ".")
    let options = TrainingOptions(
      version: "test", engine: CPUEngine(), threads: 1, output: "\(folder.path)/\(name)",
      overrides: overrides)
    return try TrainingRun(setup, options: options).run()
  }

  private func lines(_ name: String) throws -> [JSON] {
    try InputFile.bytes("\(folder.path)/\(name)/metrics.jsonl")
      .split(separator: UInt8(ascii: "\n")).map { try JSON(Array($0)) }
  }

  @Test func aLineOfMetricsComesAsOftenAsItIsAsked() throws {
    _ = try train(["report.every=2 epochs", "train.epochs=3"], to: "seldom")
    #expect(try lines("seldom").map { $0["step"]?.double } == [32, 48])
    _ = try train(["report={every: 20, plots: false}", "train.epochs=3"], to: "steps")
    #expect(try lines("steps").map { $0["step"]?.double } == [20, 40, 48])
    #expect(throws: (any Error).self) {
      try InputFile.bytes("\(folder.path)/steps/report.html")
    }
    _ = try InputFile.bytes("\(folder.path)/seldom/report.html")
  }

  @Test(arguments: ["validation_loss", "validation_accuracy", "loss"])
  func trainingEndsAfterLinesThatAreNotBetterWithTheWeightsOfTheBest(metric: String) throws {
    let rule = "train.stop_when={metric: \(metric), patience: 2, min_delta: 1e-3}"
    let result = try train([rule], to: "early")
    #expect(result.stoppedEarly && result.steps < 480)
    let best = try #require(result.bestStep)
    #expect(best == result.steps - 2 * 16)
    let values = try lines("early").map { try #require($0[metric]?.double) }
    let index = best / 16 - 1
    #expect(values.count == index + 3)
    for (line, value) in values.enumerated() where line > index {
      let gain = metric.hasSuffix("accuracy") ? value - values[index] : values[index] - value
      #expect(gain <= 1e-3)
    }
    // The run that ends there has the same weights.
    _ = try train(["train={steps: \(best), batch: 50, seed: 3}"], to: "short")
    for file in ["weights.safetensors", "bound.json"] {
      #expect(
        try InputFile.bytes("\(folder.path)/early/\(file)")
          == InputFile.bytes("\(folder.path)/short/\(file)"))
    }
    let record = try JSON(InputFile.bytes("\(folder.path)/early/run.json"))
    #expect(record["stopped_early"]?.bool == true && record["best_step"]?.integer == best)
  }

  @Test func theLastWeightsStayIfThatIsAskedFor() throws {
    let rule = "train.stop_when={metric: loss, patience: 1, min_delta: 0.5, restore: last}"
    let result = try train([rule], to: "last")
    #expect(result.stoppedEarly && result.steps == 32 && result.bestStep == nil)
    _ = try train(["train={steps: 32, batch: 50, seed: 3}"], to: "short")
    #expect(
      try InputFile.bytes("\(folder.path)/last/weights.safetensors")
        == InputFile.bytes("\(folder.path)/short/weights.safetensors"))
  }

  @Test func theBestCheckpointStaysAsLongAsItIsTheBest() throws {
    let rule = "train.stop_when={metric: loss, patience: 6, min_delta: 1e-3}"
    let result = try train([rule, "train.checkpoint.keep=1"], to: "a")
    let names = Folder.names("\(folder.path)/a/checkpoints")
    #expect(
      Set(names) == [
        "best", "last", "step-\(result.bestStep!).safetensors",
        "step-\(result.steps).safetensors",
      ])
  }

  @Test func theTestSplitIsForTheEndWhereSamplesAreHeldBack() throws {
    let result = try train(["train.epochs=1"], to: "a")
    #expect(result.testCount == 500 && result.testAccuracy != nil)
    for line in try lines("a") {
      #expect(line["validation_loss"] != nil && line["validation_accuracy"] != nil)
      #expect(line["test_loss"] == nil && line["test_accuracy"] == nil)
    }
  }
}

@Suite struct HeldBackTests {
  private func data() -> LoadedData {
    LoadedData(
      train: Samples(
        shape: [2], count: 50, storage: .floats((0..<100).map(Float.init)),
        labels: (0..<50).map { Int32($0 % 3) }, classCount: 3))
  }

  private func split(_ text: String, seed: UInt64 = 0) throws -> (Samples, Samples) {
    let section = try experiment(
      "lgc: 1\nname: x\ndata: {type: synthetic, validation: \(text)}\n"
        + "model: {input: [2], layers: [dense: 2]}\n"
    ).data!.validation!
    var data = data()
    let held = try data.holdBack(section, seed: seed)
    return (data.train, held)
  }

  private func numbers(_ samples: Samples) -> [Int] {
    guard case .floats(let values) = samples.storage else { return [] }
    let numbers = stride(from: 0, to: values.count, by: 2).map { Int(values[$0]) / 2 }
    #expect(samples.labels == numbers.map { Int32($0 % 3) })
    return numbers
  }

  @Test func everySampleIsInOneOfTheTwoParts() throws {
    let (rest, held) = try split("0.2")
    #expect(held.count == 10 && rest.count == 40)
    #expect((numbers(rest) + numbers(held)).sorted() == Array(0..<50))
    #expect(numbers(held) == numbers(held).sorted())
    #expect(numbers(held) != Array(0..<10) && numbers(held) != Array(40..<50))
  }

  @Test func theSeedDecidesWhichTheyAre() throws {
    #expect(try numbers(split("0.2").1) == numbers(split("10").1))
    #expect(try numbers(split("0.2", seed: 1).1) != numbers(split("0.2").1))
    #expect(try numbers(split("{count: 10, seed: 1}").1) == numbers(split("0.2", seed: 1).1))
  }

  @Test func nothingToTrainOnIsAnError() throws {
    let found = try diagnostic { _ = try split("50") }
    #expect(found.code == .dataShape)
    #expect(found.message == "50 samples held back leave none of 50 to train on")
  }
}
