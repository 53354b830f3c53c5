import CPUEngine
import Diagnostics
import Formats
import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Tensors
import Testing
import Verification

@testable import Training

@Suite struct TrainingRunTests {
  let folder = Folder()

  private func train(
    _ text: String = moons, to name: String, overrides: [String] = [],
    engine: any Engine = CPUEngine(), threads: Int? = 1
  ) throws -> TrainingResult {
    let setup = try TrainingSetup(try experiment(text, overrides: overrides), directory: ".")
    let options = TrainingOptions(
      version: "test", engine: engine, threads: threads, output: "\(folder.path)/\(name)",
      overrides: overrides)
    return try TrainingRun(setup, options: options).run()
  }

  private func bytes(_ name: String, _ file: String = "weights.safetensors") throws -> [UInt8] {
    try InputFile.bytes("\(folder.path)/\(name)/\(file)")
  }

  @Test func twoMoonsAreLearnedAndTheBoundIsProved() throws {
    let result = try train(to: "a")
    #expect(try #require(result.testAccuracy) > 0.95)
    #expect(result.bounds.map(\.norm) == [.l2])
    #expect(result.bounds[0].upper.value <= 1)
    #expect(result.bounds[0].upper.value > 0.99)
    #expect(result.judgements.map(\.isMet) == [true, true])
    #expect(result.exitCode == 0)
    #expect(result.steps == 600)
  }

  @Test func theRunDirectoryHoldsWhatItPromises() throws {
    let result = try train(to: "a", overrides: ["train.epochs=2"])
    let names = Folder.names(folder.path + "/a")
    #expect(names.filter { $0.hasPrefix("events.out.tfevents.") }.count == 1)
    #expect(
      names.filter { !$0.hasPrefix("events.") } == [
        "bound.json", "checkpoints", "description.yaml", "metrics.jsonl", "report.html",
        "resolved.yaml", "run.json", "weights.safetensors",
      ])
    #expect(try bytes("a", "description.yaml") == Array(moons.utf8))

    let record = try JSON(bytes("a", "run.json"))
    #expect(record["lgc"]?.string == "test")
    #expect(record["seed"]?.integer == 3)
    #expect(record["overrides"]?.array?.map(\.string) == ["train.epochs=2"])
    #expect(record["test_accuracy"]?.double == result.testAccuracy)
    #expect(record["exit"]?.integer == Int(result.exitCode))
    #expect(record["description_sha256"]?.string == SHA256.hexadecimal(Array(moons.utf8)))
    #expect(RunDirectory(path: folder.path + "/a").isComplete)

    let lines = try bytes("a", "metrics.jsonl").split(separator: UInt8(ascii: "\n"))
    let metrics = try lines.map { try JSON(Array($0)) }
    #expect(metrics.map { $0["step"]?.integer } == [20, 40])
    #expect(metrics.map { $0["epoch"]?.double } == [1, 2])
    #expect(metrics.allSatisfy { ($0["test_accuracy"]?.double).map { 0...1 ~= $0 } == true })

    // resolved.yaml is the description again, with the overrides in it.
    let resolved = String(decoding: try bytes("a", "resolved.yaml"), as: UTF8.self)
    #expect(try experiment(resolved).resolvedText == resolved)
  }

  @Test func theCertificateIsOfTheStoredWeights() throws {
    _ = try train(to: "a", overrides: ["train.epochs=1"])
    let tensors = try SafeTensors.read("\(folder.path)/a/weights.safetensors")
    #expect(
      Set(tensors.map(\.name)) == [
        "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "logits.weight", "logits.bias",
      ])
    let weights = try NetworkWeights(
      try experiment(moons).networks[0],
      tensors: Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) }))
    let verification = try verify(certificate: try bytes("a", "bound.json"), weights: tensors)
    #expect(verification.claims[0].bound.value <= 1)
    #expect(try certifiedBound(weights, norms: [.l2])[0].upper.value <= 1)
  }

  @Test func theSameRunGivesTheSameBytes() throws {
    for threads in [1, 2] {
      for name in ["a", "b"] {
        _ = try train(to: "\(name)\(threads)", overrides: ["train.epochs=3"], threads: threads)
      }
      #expect(try bytes("a\(threads)") == bytes("b\(threads)"))
      #expect(try bytes("a\(threads)", "bound.json") == bytes("b\(threads)", "bound.json"))
    }
    _ = try train(to: "c", overrides: ["train.epochs=3", "train.seed=4"])
    #expect(try bytes("a1") != bytes("c"))
  }

  @Test func theReferenceEngineTrainsTheSameNetwork() throws {
    let few = ["train={steps: 5, batch: 50, seed: 3}"]
    _ = try train(to: "cpu", overrides: few)
    _ = try train(to: "reference", overrides: few, engine: ReferenceEngine())
    let pairs = zip(
      try SafeTensors.read("\(folder.path)/cpu/weights.safetensors"),
      try SafeTensors.read("\(folder.path)/reference/weights.safetensors"))
    for (a, b) in pairs {
      guard case .float32(let x) = a.values, case .float32(let y) = b.values else {
        return #expect(Bool(false))
      }
      #expect(a.name == b.name)
      #expect(zip(x, y).allSatisfy { abs($0 - $1) < 1e-4 }, "\(a.name)")
    }
  }

  @Test func aTargetThatIsNotMetExitsWithOneAndIsNamed() throws {
    let result = try train(
      to: "a", overrides: ["train.epochs=1", "targets=[{accuracy: {at_least: 1.0}}]"])
    #expect(result.exitCode == 1)
    let found = try #require(result.judgements[0].diagnostic)
    #expect(found.code == .targetNotMet)
    #expect(found.message == "target not met: test accuracy ≥ 1")
    #expect(RunDirectory(path: folder.path + "/a").isComplete)
  }

  @Test func divergenceNamesTheStepAndLeavesNoWeights() throws {
    let text = moons.replacing("type: spectral, iterations: 1", "type: none")
      .replacing("{type: adam, lr: 1e-2, schedule: cosine}", "{type: sgd, lr: 1e30}")
    let found = try diagnostic { _ = try train(text, to: "a") }
    #expect(found.code == .diverged)
    #expect(found.message.contains(" at step "))
    #expect(
      Folder.names(folder.path + "/a") == [
        "description.yaml", "metrics.jsonl", "report.html", "resolved.yaml", "run.json",
      ])
    #expect(!RunDirectory(path: folder.path + "/a").isComplete)
    #expect(try JSON(bytes("a", "run.json"))["failure"]?.string == found.message)
  }

  @Test(arguments: [
    ("input: [2]", "input: [3]", "the samples are [2], the network's input is [3]"),
    ("batch: 50", "batch: 5000", "1000 training samples do not fill one batch of 5000"),
  ])
  func dataThatDoNotFitAreAnError(_ old: String, _ new: String, _ message: String) throws {
    let changed = try experiment(moons.replacing(old, new))
    let found = try diagnostic { _ = try TrainingSetup(changed, directory: ".") }
    #expect(found.code == .dataShape)
    #expect(found.message == message)
  }

  @Test func everyMissingSectionIsNamed() throws {
    let bare = try experiment("lgc: 1\nname: x\nmodel: {input: [2], layers: [dense: 2]}\n")
    let error = #expect(throws: DiagnosticError.self) { try TrainingSetup(bare, directory: ".") }
    #expect(
      error?.diagnostics.map(\.message) == [
        "training needs the section `data`", "training needs the section `loss`",
      ])
  }

  @Test func aBatchSpreadOverStepsNotEpochsEndsWhereItShould() throws {
    let result = try train(to: "a", overrides: ["train={steps: 30, batch: 50, seed: 3}"])
    #expect(result.steps == 30)
    let lines = try bytes("a", "metrics.jsonl").split(separator: UInt8(ascii: "\n"))
    #expect(try lines.map { try JSON(Array($0))["step"]?.integer } == [20, 30])
  }

  @Test func certifiedTargetsAreJudgedByTheProvedRadii() throws {
    let target = "targets=[certified_accuracy: {radius: 0.1, at_least: 0.5}]"
    let result = try train(to: "certified", overrides: [target])
    let judgement = try #require(result.judgements.first)
    #expect(judgement.claim == "certified accuracy at l2 radius 0.1 ≥ 0.5")
    #expect(judgement.isMet == true)
    // The share is that of the evaluation of the stored weights.
    let share = try #require(Double(judgement.outcome))
    #expect(share > 0.5 && share <= result.testAccuracy!)
  }
}

extension String {
  fileprivate func replacing(_ old: String, _ new: String) -> String {
    var result = ""
    var rest = self[...]
    while let range = rest.firstRange(of: old) {
      result += rest[..<range.lowerBound] + new
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
