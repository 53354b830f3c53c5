import Foundation
import Formats
import Lipschitz
import Model
import Testing
import Verification

@testable import Training
@testable import lgc

/// `lgc train` as a process: what stands on the disk whatever happens to it.
@Suite(.serialized) final class TrainProcessTests {
  static let moons = """
    lgc: 1
    name: moons
    data: {type: synthetic, samples: 1000, test_samples: 500, noise: 0.1}
    model:
      input: [2]
      lipschitz: {norm: l2, bound: 1.0}
      constraint: {type: spectral}
      layers:
        - dense: {name: fc1, units: 32, activation: group_sort}
        - dense: {name: logits, units: 2}
    loss: {family: cross_entropy, temperature: 0.05}
    optimizer: {type: adam, lr: 1e-2}
    train: {epochs: 3, batch: 50, seed: 3}
    targets:
      - lipschitz: {norm: l2, bound: 1.0}
    """

  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("lgc-train-\(UUID().uuidString)")
  private var runs: String { folder.path + "/runs" }

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Self.moons.write(
      to: folder.appendingPathComponent("moons.yaml"), atomically: true, encoding: .utf8)
  }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func start(_ arguments: [String] = [], error: Pipe? = nil) throws -> Process {
    let process = Process()
    process.executableURL = try LGCBinary.path
    process.arguments = ["train", "moons.yaml", "--threads", "1"] + arguments
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  private func directories() -> [RunDirectory] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []
    return names.map { RunDirectory(path: "\(runs)/\($0)") }
  }

  /// TFRecord framing: a length of 8 bytes, its checksum, so many bytes, their checksum.
  private func expectWholeRecords(_ path: String) throws {
    var rest = try InputFile.bytes(path)[...]
    while !rest.isEmpty {
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      #expect(rest.count >= length + 16, "\(path)")
      rest = rest.dropFirst(length + 16)
    }
  }

  /// Everything that stands under its final name must be whole, and a run that says it is complete
  /// must have weights that its own certificate holds for.
  private func expectWhole(_ run: RunDirectory) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: run.path) {
      let path = "\(run.path)/\(name)"
      switch name {
      case "description.yaml": #expect(try InputFile.bytes(path) == Array(Self.moons.utf8))
      case "run.json", "bound.json": _ = try JSON(InputFile.bytes(path))
      case "metrics.jsonl":
        for line in try InputFile.bytes(path).split(separator: UInt8(ascii: "\n")) {
          _ = try JSON(Array(line))
        }
      case "weights.safetensors": #expect(try SafeTensors.read(path).count == 4)
      case "checkpoints":
        for step in CheckpointStore.steps(in: run) {
          let path = "\(path)/\(CheckpointStore.name(step))"
          #expect(try Checkpoint(reading: path).step == step)
        }
      case "report.html":
        #expect(String(decoding: try InputFile.bytes(path), as: UTF8.self).hasSuffix("</html>\n"))
      case let name where name.hasPrefix("events.out.tfevents."): try expectWholeRecords(path)
      case "resolved.yaml": #expect(try InputFile(path).size > 100)
      default: #expect(name.hasPrefix(".") && name.hasSuffix(".tmp"), "\(name)")
      }
    }
    guard run.isComplete else { return }
    let (experiment, _) = loadExperiment(
      try DescriptionFile.read(run.resolved), catalogs: DescriptionFile.catalogs,
      directory: run.path)
    let tensors = try SafeTensors.read(run.weights)
    let networks = try #require(experiment).networks
    _ = try verify(
      certificate: try InputFile.bytes(run.bound), weights: tensors,
      descriptions: networks.map(Certificate.description))
  }

  @Test func aKillAtAnyMomentLeavesNothingThatReadsAsWhole() throws {
    let began = Date()
    let whole = try start(["--quiet"])
    whole.waitUntilExit()
    #expect(whole.terminationStatus == 0)
    let duration = Date().timeIntervalSince(began)
    let first = try #require(RunDirectory.newest(in: runs))

    var random = SystemRandomNumberGenerator()
    var killed = 0
    for _ in 0..<30 {
      let process = try start(["--quiet"])
      Thread.sleep(forTimeInterval: .random(in: 0...1.05, using: &random) * duration)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { killed += 1 }
    }
    #expect(killed > 0)
    let directories = directories()
    for run in directories { try expectWhole(run) }
    let complete = directories.filter(\.isComplete)
    #expect(complete.contains { $0.path == first.path })
    #expect(try #require(RunDirectory.newest(in: runs)).isComplete)
    // Equal descriptions and seeds: whatever is complete has the same weights.
    let bytes = try InputFile.bytes(first.weights)
    for run in complete { #expect(try InputFile.bytes(run.weights) == bytes) }
  }

  @Test func controlCFinishesTheStepSavesAndExitsWith130() throws {
    let error = Pipe()
    let process = try start(["--set", "train.epochs=100000"], error: error)
    // The first line of progress: training is under way.
    _ = error.fileHandleForReading.availableData
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 130)
    let run = try #require(RunDirectory.newest(in: runs))
    try expectWhole(run)
    let record = try JSON(InputFile.bytes(run.record))
    #expect(record["interrupted"]?.bool == true)
    #expect(record["exit"]?.integer == 130)
    let steps = try #require(record["steps_done"]?.integer)
    let lines = try InputFile.bytes(run.metrics).split(separator: UInt8(ascii: "\n"))
    #expect(try JSON(Array(try #require(lines.last)))["step"]?.integer == steps)
    #expect(steps < 2_000_000)
  }

  @Test func runsOfOneDayAndDescriptionStandSideBySide() throws {
    let together = try (0..<3).map { _ in try start(["--quiet", "--set", "train.epochs=1"]) }
    for process in together { process.waitUntilExit() }
    #expect(together.allSatisfy { $0.terminationStatus == 0 })
    #expect(directories().count == 3)
    let complete = directories().filter(\.isComplete)
    #expect(complete.count == 3)
  }

  @Test func exitCodesAndStreams() throws {
    let path = folder.path + "/moons.yaml"
    func run(_ arguments: String...) throws -> LGCProcess.Result {
      try LGCProcess.run(["train", path, "--threads", "1", "--out", folder.path + "/out"] + arguments)
    }
    let unmet = "targets=[{accuracy: {at_least: 1.0}}]"
    let result = try run("--quiet", "--set", "train.epochs=1", "--set", unmet)
    #expect(result.code == 1)
    #expect(result.error.hasPrefix("error[L0305]: target not met: test accuracy ≥ 1\n"))
    #expect(result.output.contains("NOT MET"))
    let taken = try run()
    #expect(taken.code == 2)
    #expect(taken.error.contains("exists and is not empty"))
    #expect(taken.output == "")
    #expect(try run("--set", "train.epochs=none").code == 1)
    #expect(try run("--set", "nonsense").code == 64)
    #expect(try run("--threads", "0").code == 64)
    #expect(try run("--set", "data={type: fashion_mnist, path: /nowhere}").code == 2)
    let plan = try run("--dry-run")
    #expect(plan.code == 0 && plan.error == "")
    #expect(plan.output.contains("steps       60, 20 an epoch, batch 50"))
  }

  @Test func measureStepAnswersEveryLine() throws {
    let arguments = ["measure-step", folder.path + "/moons.yaml", "--threads", "1", "--stdin"]
    let result = try LGCProcess.run(arguments, input: "run 2\nrun 30\n")
    #expect(result.code == 0)
    let lines = try result.output.split(separator: "\n").map { try JSON(Array($0.utf8)) }
    #expect(lines.map { $0["milliseconds"]?.array?.count } == [2, 30])
    let losses = lines.flatMap { $0["losses"]?.array ?? [] }.compactMap(\.double)
    #expect(losses.count == 32)
    #expect(losses.suffix(10).reduce(0, +) < losses.prefix(10).reduce(0, +))
    // The second line's steps ran on what the first had taken.
    #expect(lines[1]["blocks"]?.integer == 0)
    // The C library counts what its threads keep for reuse as taken.
    #expect((lines[1]["heap_bytes"]?.integer).map { $0.magnitude < 10_000 } == true)
  }

  @Test func aNetworkTooLargeForTheMemoryIsRefusedBeforeItStarts() throws {
    let out = folder.path + "/refused"
    let path = folder.path + "/wide.yaml"
    try Self.moons.replacing("units: 32", with: "units: 512")
      .write(toFile: path, atomically: true, encoding: .utf8)
    for flag in [["--dry-run"], ["--out", out], ["--dry-run", "--engine", "cpu"]] {
      let result = try LGCProcess.run(
        ["train", path, "--memory-limit", "1", "--set", "train.batch=1000"] + flag)
      #expect(result.code != 0 && result.output == "")
      #expect(result.error.contains("error[L0504]"), "\(result.error)")
      #expect(result.error.contains("bytes of memory are needed"))
      #expect(result.error.contains(", 1000000 are available"))
      #expect(result.error.contains("help: the largest are "))
    }
    #expect(!FileManager.default.fileExists(atPath: out))
  }

  @Test func aPlanShowsItsMemoryItsStepsAndTheirLayers() throws {
    let result = try LGCProcess.run(
      ["lower", folder.path + "/moons.yaml", "--stop-after", "plan", "--threads", "1"])
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("program train: ") && lines[0].hasSuffix(" steps on 1 threads"))
    #expect(lines.contains { $0.hasPrefix("  arrays at their peak ") && $0.contains("are live at") })
    #expect(lines.contains { $0.contains("product NT 32×32×2") || $0.contains("; fc1") })
    #expect(lines.contains { $0.contains(" = adam(") })
    #expect(lines.contains { $0.contains("arena at ") && $0.contains("–") })
    #expect(lines.contains { $0.contains("optimizer.m.fc1.weight") && $0.hasSuffix("always") })
  }

  @Test func everyStageHasItsPrintedForm() throws {
    let path = folder.path + "/moons.yaml"
    for (stage, part) in [
      ("shapes", "fc1           dense       32              96"), ("bounds", "spectral"),
      ("graph", "dot"), ("gradient", "optimizer.m.fc1.weight"), ("plan", "bytes"),
    ] {
      let result = try LGCProcess.run(["lower", path, "--stop-after", stage])
      #expect(result.code == 0 && result.error == "")
      #expect(result.output.contains(part), "\(stage):\n\(result.output.prefix(500))")
    }
  }
}
