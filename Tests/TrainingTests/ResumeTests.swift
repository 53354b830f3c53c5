import CPUEngine
import Diagnostics
import Formats
import Foundation
import Model
import Tensors
import Testing

@testable import Training

/// A run that is taken up again ends as if it had never stopped.
@Suite struct ResumeTests {
  let folder = Folder()

  /// Everything a step can depend on: constraint vectors, running statistics, dropout's counter,
  /// moments, a schedule with warm-up, clipping, samples held back.
  private static let rich = """
    lgc: 1
    name: rich
    data: {type: synthetic, samples: 400, test_samples: 100, noise: 0.1, validation: 0.2}
    model:
      input: [2]
      layers:
        - dense: {name: fc1, units: 16, lipschitz: 1.0, constraint: {type: spectral}}
        - batch_norm: {name: norm}
        - relu
        - dropout: 0.1
        - dense: {name: logits, units: 2}
    loss: {family: cross_entropy}
    optimizer: {type: adam, lr: 1e-2, schedule: {type: cosine, warmup: 5}, clip_gradient: 1.0}
    train: {epochs: 5, batch: 32, seed: 3, checkpoint: {every: 7 steps, keep: 1000}}
    """

  private static let points = """
    lgc: 1
    name: points
    data: {type: synthetic, name: eight_gaussians, samples: 512, test_samples: 100}
    models:
      generator:
        input: {noise: normal, shape: [2]}
        layers: [{dense: {units: 16, activation: relu}}, {dense: 2}]
      critic:
        input: [2]
        lipschitz: {norm: l2, bound: 1.5}
        constraint: {type: spectral}
        layers: [{dense: {units: 16, activation: group_sort}}, {dense: 1}]
    loss: {family: wgan}
    optimizer: {type: adam, lr: 2e-3, betas: [0.5, 0.9]}
    train:
      steps: 45
      batch: 32
      critic_steps: 3
      generator_average: 0.9
      checkpoint: {every: 7 steps, keep: 1000}
    """

  private func options(
    _ name: String, _ overrides: [String], _ run: ResumedRun? = nil, threads: Int = 1,
    warn: @escaping (Diagnostic) -> Void = { _ in }
  ) -> TrainingOptions {
    TrainingOptions(
      version: "test", engine: CPUEngine(), threads: threads, output: "\(folder.path)/\(name)",
      overrides: overrides, resumed: run, warn: warn)
  }

  @discardableResult
  private func train(
    _ text: String, to name: String, _ overrides: [String] = [], threads: Int = 1,
    resuming: Bool = false, warn: @escaping (Diagnostic) -> Void = { _ in }
  ) throws -> any RunResult {
    let experiment = try experiment(text, overrides: overrides)
    let run = try resuming ? ResumedRun("\(folder.path)/\(name)") : nil
    let options = options(name, overrides, run, threads: threads, warn: warn)
    return experiment.networks.count == 1
      ? try TrainingRun(try TrainingSetup(experiment, directory: "."), options: options).run()
      : try AdversarialRun(try AdversarialSetup(experiment, directory: "."), options: options).run()
  }

  private func bytes(_ name: String, _ file: String) throws -> [UInt8] {
    try InputFile.bytes("\(folder.path)/\(name)/\(file)")
  }

  /// The lines of metrics without their times.
  private func lines(_ name: String) throws -> [String] {
    String(decoding: try bytes(name, "metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n").map { String($0.prefix(upTo: $0.range(of: ", \"seconds\"")!.lowerBound)) }
  }

  /// A copy of the run as a kill after the checkpoint of `step` would have left it.
  private func copy(_ name: String, to other: String, upTo step: Int) throws {
    try FileManager.default.copyItem(
      atPath: "\(folder.path)/\(name)", toPath: "\(folder.path)/\(other)")
    let run = RunDirectory(path: "\(folder.path)/\(other)")
    for later in CheckpointStore.steps(in: run) where later > step {
      unlink("\(run.checkpoints)/\(CheckpointStore.name(later))")
    }
  }

  private func expectSame(_ a: String, _ b: String, _ comment: Comment) throws {
    #expect(try bytes(a, "weights.safetensors") == bytes(b, "weights.safetensors"), comment)
    #expect(try bytes(a, "bound.json") == bytes(b, "bound.json"), comment)
    #expect(try lines(a) == lines(b), comment)
  }

  @Test(arguments: [
    (rich, [Int](stride(from: 7, through: 49, by: 7)) + [50]),
    (points, [Int](stride(from: 7, through: 42, by: 7)) + [45]),
  ]) func everyCheckpointLeadsToTheSameBytes(text: String, steps: [Int]) throws {
    try train(text, to: "whole")
    let run = RunDirectory(path: folder.path + "/whole")
    #expect(CheckpointStore.steps(in: run) == steps)
    for step in steps {
      try copy("whole", to: "from \(step)", upTo: step)
      let result = try train(text, to: "from \(step)", resuming: true)
      #expect(result.steps == steps.last && result.exitCode == 0)
      try expectSame("from \(step)", "whole", "from step \(step)")
    }
    let record = try JSON(bytes("from 7", "run.json"))
    #expect(record["resumed"]?.array?.map { $0["step"]?.integer } == [7])
    #expect(RunDirectory(path: folder.path + "/from 7").isComplete)
  }

  @Test func aRunWithoutACheckpointGoesOnFromItsBeginning() throws {
    try train(Self.rich, to: "whole")
    try copy("whole", to: "none", upTo: 0)
    try train(Self.rich, to: "none", resuming: true)
    try expectSame("none", "whole", "from the beginning")
  }

  @Test func theNewestCheckpointThatIsWholeIsTaken() throws {
    try train(Self.rich, to: "whole")
    func path(_ step: Int) -> String { "\(folder.path)/a/checkpoints/step-\(step).safetensors" }
    try copy("whole", to: "a", upTo: 28)
    var flipped = try InputFile.bytes(path(28))
    flipped[flipped.count - 5] ^= 1
    try AtomicFile.write(flipped, to: path(28))
    try AtomicFile.write(Array(try InputFile.bytes(path(21)).dropLast(9)), to: path(21))
    var warnings: [Diagnostic] = []
    try train(Self.rich, to: "a", resuming: true) { warnings.append($0) }
    #expect(warnings.map(\.code) == [.badCheckpoint, .badCheckpoint])
    #expect(warnings[0].message.hasSuffix("its check sum is not that of its contents"))
    #expect(warnings[1].message.contains("the file is cut off"))
    try expectSame("a", "whole", "from step 14")
    #expect(try JSON(bytes("a", "run.json"))["resumed"]?.array?.first?["step"]?.integer == 14)

    try copy("whole", to: "b", upTo: 7)
    try AtomicFile.write([0, 1, 2], to: "\(folder.path)/b/checkpoints/step-7.safetensors")
    let found = try diagnostic { try train(Self.rich, to: "b", resuming: true) }
    #expect(found.code == .cannotResume && found.message.hasSuffix("/b` is whole"))
  }

  @Test func aRunCanBeMadeLongerWhereItsRatesDoNotDependOnTheLength() throws {
    let text = Self.rich.replacing("schedule: {type: cosine, warmup: 5}", with: "schedule: {warmup: 5}")
    try train(text, to: "long")
    try train(text, to: "short", ["train.epochs=2"])
    try train(text, to: "short", ["train.epochs=2", "train.epochs=5"], resuming: true)
    try expectSame("short", "long", "made longer")

    try train(Self.rich, to: "cosine", ["train.epochs=2"])
    let overrides = ["train.epochs=2", "train.epochs=5"]
    let found = try diagnostic {
      try train(Self.rich, to: "cosine", overrides, resuming: true)
    }
    #expect(found.code == .cannotResume)
    #expect(found.message == "the learning rates of 20 steps are not the first of 50")
    let shorter = try diagnostic { try train(text, to: "long", ["train.epochs=1"], resuming: true) }
    #expect(shorter.message == "50 steps are made, more than the 10 asked for")
  }

  @Test func otherConditionsAreWarnedOf() throws {
    try train(Self.rich, to: "a")
    var warnings: [Diagnostic] = []
    try train(Self.rich, to: "a", threads: 2, resuming: true) { warnings.append($0) }
    #expect(warnings.map(\.code) == [.resumedElsewhere])
    #expect(warnings[0].notes == ["1 threads then, 2 now"])
  }

  @Test func aChangedDescriptionIsRefused() throws {
    try train(Self.rich, to: "a")
    let path = "\(folder.path)/a/description.yaml"
    try AtomicFile.write(Array((Self.rich + "\n# edited\n").utf8), to: path)
    let found = try diagnostic { _ = try ResumedRun("\(folder.path)/a") }
    #expect(found.code == .cannotResume)
    #expect(found.message.hasSuffix("is not what the run was begun with"))
    try AtomicFile.write(Array(Self.rich.utf8), to: path)
    let run = try ResumedRun("\(folder.path)/a/")
    try run.check(try experiment(Self.rich).resolvedText, version: "test")
    let other = try experiment(Self.rich, overrides: ["train.seed=4"]).resolvedText
    #expect(try diagnostic { try run.check(other, version: "test") }.code == .cannotResume)
  }

  @Test func onlyTheNewestCheckpointsStay() throws {
    try train(Self.rich, to: "a", ["train.checkpoint.keep=2"])
    #expect(
      Folder.names("\(folder.path)/a/checkpoints") == [
        "last", "step-49.safetensors", "step-50.safetensors",
      ])
    try train(Self.rich, to: "b", ["train.checkpoint=false"])
    #expect(Folder.names("\(folder.path)/b/checkpoints") == [])
    try train(Self.rich, to: "c", ["train.checkpoint=2 epochs"])
    #expect(CheckpointStore.steps(in: RunDirectory(path: "\(folder.path)/c")) == [40, 50])
  }
}
