import Formats
import Foundation
import Testing

@testable import Training

/// `lgc train --resume` after whatever ended the process.
@Suite(.serialized) final class ResumeProcessTests {
  private static let moons = """
    lgc: 1
    name: moons
    data: {type: synthetic, samples: 1000, test_samples: 200, noise: 0.1}
    model:
      input: [2]
      lipschitz: {norm: l2, bound: 1.0}
      constraint: {type: spectral}
      layers:
        - dense: {name: fc1, units: 64, activation: group_sort}
        - dense: {name: fc2, units: 64, activation: group_sort}
        - dense: {name: logits, units: 2}
    loss: {family: cross_entropy, temperature: 0.05}
    optimizer: {type: adam, lr: 1e-2, schedule: cosine}
    train: {steps: 800, batch: 50, seed: 3, checkpoint: 25 steps}
    """

  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("lgc-resume-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Self.moons.write(
      to: folder.appendingPathComponent("moons.yaml"), atomically: true, encoding: .utf8)
  }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  private func start(_ arguments: [String], error: Pipe? = nil) throws -> Process {
    let process = Process()
    process.executableURL = try LGCBinary.path
    process.arguments = ["train"] + arguments
    process.currentDirectoryURL = folder
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  private func begin(_ name: String, error: Pipe? = nil) throws -> Process {
    try start(["moons.yaml", "--threads", "1", "--out", name], error: error)
  }

  private func resume(_ name: String) throws -> LGCProcess.Result {
    try LGCProcess.run(["train", "--quiet", "--resume", path(name)])
  }

  /// Weights, certificate, and metrics without their times.
  private func result(_ name: String) throws -> [[UInt8]] {
    let lines = try InputFile.bytes(path(name) + "/metrics.jsonl")
      .split(separator: UInt8(ascii: "\n"))
      .map { line -> [UInt8] in
        let text = String(decoding: line, as: UTF8.self)
        return Array(text.prefix(upTo: text.range(of: ", \"seconds\"")!.lowerBound).utf8)
      }
    return [
      try InputFile.bytes(path(name) + "/weights.safetensors"),
      try InputFile.bytes(path(name) + "/bound.json"),
    ] + lines
  }

  private func whole() throws -> (result: [[UInt8]], seconds: Double) {
    let began = Date()
    let process = try begin("whole")
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return (try result("whole"), Date().timeIntervalSince(began))
  }

  @Test func tenRunsKilledAtRandomMomentsEndWithTheSameBytes() throws {
    let (expected, seconds) = try whole()
    var random = SystemRandomNumberGenerator()
    var resumed = 0
    for attempt in 0..<60 where resumed < 10 {
      let name = "run \(attempt)"
      func kill(_ process: Process) -> Bool {
        Thread.sleep(forTimeInterval: .random(in: 0.05...0.9, using: &random) * seconds)
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal
      }
      // A kill before the run has a record leaves nothing to resume.
      guard kill(try begin(name)), let run = try? ResumedRun(path(name)), !run.isFinished
      else { continue }
      if attempt.isMultiple(of: 3) { _ = kill(try start(["--quiet", "--resume", name])) }
      let last = try resume(name)
      #expect(last.code == 0, "\(last.error)")
      #expect(try result(name) == expected, "\(name)")
      resumed += 1
    }
    #expect(resumed == 10)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalSavesACheckpointAndTheRunGoesOn(signal: Int32) throws {
    let (expected, _) = try whole()
    let error = Pipe()
    let process = try begin("a", error: error)
    // The first line of progress: training is under way.
    _ = error.fileHandleForReading.availableData
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let run = try ResumedRun(path("a"))
    #expect(!run.isFinished && run.directory.isComplete)
    let steps = try #require(run.stepsDone)
    #expect(
      CheckpointStore.steps(in: run.directory).last == steps, "the checkpoint is of the last step")
    #expect(try resume("a").code == 0)
    #expect(try result("a") == expected)
    let again = try resume("a")
    #expect(again.code == 0 && again.error == "\(path("a")) is complete after 800 steps\n")
  }

  @Test func aDiskThatIsFullLeavesEarlierCheckpointsAsTheyAre() throws {
    let (expected, _) = try whole()
    let error = Pipe()
    let process = try begin("a", error: error)
    _ = error.fileHandleForReading.availableData
    process.interrupt()
    process.waitUntilExit()
    let run = RunDirectory(path: path("a"))
    let steps = CheckpointStore.steps(in: run)
    func saved() throws -> [[UInt8]] {
      try steps.map { try InputFile.bytes("\(run.checkpoints)/\(CheckpointStore.name($0))") }
    }
    let before = try saved()
    // No file may grow beyond 16 kB, as if the disk were full: a checkpoint has more.
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    let lgc = try LGCBinary.path.path
    shell.arguments = [
      "-c", "trap '' XFSZ; ulimit -f 16; exec '\(lgc)' train --quiet --resume '\(run.path)'",
    ]
    let output = Pipe()
    shell.standardError = output
    try shell.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 2)
    #expect(text.hasPrefix("error[L0602]: `\(run.checkpoints)/step-"), "\(text)")
    #expect(text.contains("cannot write: file too large"))
    #expect(CheckpointStore.steps(in: run) == steps)
    #expect(try saved() == before)
    #expect(!run.isComplete)
    #expect(try resume("a").code == 0)
    #expect(try result("a") == expected)
  }

  @Test func whereNothingCanBeWrittenIsAnError() throws {
    let nowhere = try LGCProcess.run(
      ["train", path("moons.yaml"), "--quiet", "--out", "/proc/lgc"])
    #expect(nowhere.code == 2)
    #expect(nowhere.error.hasPrefix("error[L0602]: `/proc/lgc`: cannot make the folder: "))
    try "a file".write(toFile: path("file"), atomically: true, encoding: .utf8)
    let blocked = try LGCProcess.run(
      ["train", path("moons.yaml"), "--quiet", "--out", path("file/run")])
    #expect(blocked.code == 2)
    #expect(blocked.error.contains("cannot make the folder: not a directory"))
  }

  @Test func onlyLengthAndCheckpointsMayChange() throws {
    _ = try whole()
    func resumed(_ arguments: String...) throws -> LGCProcess.Result {
      try LGCProcess.run(["train", "--quiet", "--resume", path("whole")] + arguments)
    }
    let seed = try resumed("--set", "train.seed=4")
    #expect(seed.code == 2)
    #expect(
      seed.error.hasPrefix("error[L0505]: `train.seed` cannot change in a run that is under way"))
    let longer = try resumed("--set", "train.steps=2000")
    #expect(longer.code == 2)
    #expect(longer.error.contains("the learning rates of 800 steps are not the first of 2000"))
    #expect(longer.error.contains("its schedule depends on the length of the run"))
    #expect(try resumed("--out", "x").code == 64)
    #expect(try resumed("--dry-run").code == 64)
    #expect(try LGCProcess.run(["train"]).code == 64)
    #expect(try LGCProcess.run(["train", "--resume", path("none")]).code == 2)
    // Refusals change nothing.
    #expect(RunDirectory(path: path("whole")).isComplete)
  }
}
