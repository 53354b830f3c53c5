import CPUEngine
import Diagnostics
import Formats
import Model
import ReferenceEngine
import Tensors
import Testing

@testable import Training

@Suite struct ProfileTests {
  let folder = Folder()

  private func train(
    _ name: String, _ profile: TrainingProfile? = nil
  ) throws -> TrainingResult {
    let setup = try TrainingSetup(
      try experiment(moons, overrides: ["train.epochs=2"]), directory: ".")
    let options = TrainingOptions(
      version: "test", engine: profile?.engine ?? CPUEngine(), threads: 1,
      output: "\(folder.path)/\(name)")
    func run() throws -> TrainingResult { try TrainingRun(setup, options: options).run() }
    return try profile?.record(run) ?? run()
  }

  @Test func aProfiledRunGivesTheSameBits() throws {
    _ = try train("plain")
    _ = try train("profiled", try TrainingProfile(CPUEngine(), threads: 1))
    for file in ["weights.safetensors", "bound.json"] {
      let pair = try ["plain", "profiled"].map {
        try InputFile.bytes("\(folder.path)/\($0)/\(file)")
      }
      #expect(pair[0] == pair[1], "\(file)")
    }
  }

  @Test func theTableAddsUp() throws {
    let profile = try TrainingProfile(CPUEngine(), threads: 1)
    let result = try train("a", profile)
    let report = profile.report
    #expect(report.peak.operations > 1e8 && report.peak.bytes > 1e8)
    #expect(report.uses.reduce(0) { $0 + $1.nanoseconds } == report.total)
    #expect(report.uses.allSatisfy { $0.nanoseconds >= 0 })

    let step = try #require(report.programs.first { $0.name == "train" })
    #expect(step.runs == result.steps)
    #expect(abs(step.steps.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    #expect(abs(step.steps.reduce(0) { $0 + $1.nanoseconds } - step.total) < 1e-6)
    #expect(Set(step.steps.map(\.layer)).isSuperset(of: ["fc1", "fc2", "logits", "optimizer"]))
    // y = x·Wᵀ of fc2 with a batch of 50: 2·50·32·32 operations.
    #expect(step.steps.contains { $0.layer == "fc2" && $0.operations == 2 * 50 * 32 * 32 })

    let program = try #require(
      report.uses.first { $0.section == "training" && $0.name == "program train" })
    #expect(program.count == result.steps)
    #expect(report.uses.contains { $0.section == "evaluation" && $0.name == "program evaluate" })
    #expect(report.beside.first { $0.name == "batch prepared" }?.count ?? 0 >= result.steps)
    for line in ["program train: 40 runs", "all steps", "time of the run", "total"] {
      #expect(report.text.contains(line), "\(line)\n\(report.text)")
    }
  }

  @Test func theTraceParsesAndItsSpansNest() throws {
    let profile = try TrainingProfile(CPUEngine(), threads: 1)
    let result = try train("a", profile)
    try profile.writeTrace(to: result.directory.trace)
    let trace = try JSON(InputFile.bytes(result.directory.trace))
    let events = try #require(trace["traceEvents"]?.array)
    let spans = events.filter { $0["ph"]?.string == "X" }
    let names = Set(spans.compactMap { $0["name"]?.string })
    #expect(
      names.isSuperset(of: [
        "preparation", "training", "evaluation", "proof", "files written", "step 1", "step 40",
        "program train", "batch prepared",
      ]))
    #expect(names.contains { $0.hasPrefix("fc1: product") })

    var isNested = true
    for (_, spans) in Dictionary(grouping: spans, by: { $0["tid"]?.integer ?? -1 }) {
      let intervals = try spans.map { span -> (start: Int, end: Int) in
        // Microseconds with three decimals: whole nanoseconds again.
        let start = try #require(span["ts"]?.double) * 1000
        let length = try #require(span["dur"]?.double) * 1000
        return (Int(start.rounded()), Int(start.rounded()) + Int(length.rounded()))
      }
      var open: [Int] = []
      for (start, end) in intervals.sorted(by: { ($0.start, -$0.end) < ($1.start, -$1.end) }) {
        while let last = open.last, last <= start { open.removeLast() }
        isNested = isNested && end <= open.last ?? .max
        open.append(end)
      }
    }
    #expect(isNested)
    #expect(Folder.names(result.directory.path).allSatisfy { !$0.hasSuffix(".tmp") })
  }

  @Test func anEngineWithoutClocksIsRefused() throws {
    let found = try diagnostic { _ = try TrainingProfile(ReferenceEngine(), threads: nil) }
    #expect(found.message == "the engine `reference` does not time its steps")
  }

  @Test func spansBeyondTheRoomAreCountedNotKept() throws {
    let recorder = SpanRecorder()
    recorder.record("all") {
      for number in 0..<SpanRecorder.mostSpans + 10 {
        SpanRecorder.section("part") { SpanRecorder.span("work", number: number) {} }
      }
    }
    #expect(recorder.dropped > 0)
    #expect(recorder.spans.contains { $0.name == "all" })
    let accounts = recorder.accounts
    #expect(
      accounts.first { $0.account.name == "work" }?.entry.count == SpanRecorder.mostSpans + 10)
    let outermost = try #require(recorder.spans.first { $0.name == "all" })
    #expect(accounts.reduce(0) { $0 + $1.entry.nanoseconds } == outermost.end - outermost.start)
  }
}
