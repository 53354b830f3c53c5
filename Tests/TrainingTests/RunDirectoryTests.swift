import Formats
import Glibc
import Testing

@testable import Training

@Suite struct RunDirectoryTests {
  let folder = Folder()

  private func make(_ name: String = "a b/ç") throws -> RunDirectory {
    try .make(in: folder.path + "/runs", date: "2026-11-21", name: name, hash: "3f9c2ab0")
  }

  private func complete(_ run: RunDirectory, end: String) throws {
    try AtomicFile.write([1], to: run.weights)
    try AtomicFile.write(Array("{\"end\": \"\(end)\"}".utf8), to: run.record)
  }

  @Test func theNameIsDateNameAndHash() throws {
    #expect(try make().path == folder.path + "/runs/2026-11-21-a-b---3f9c2a")
  }

  @Test func aTakenNameGetsANumber() throws {
    let paths = try (0..<3).map { _ in try make("x").path }
    #expect(paths.map { $0.suffix(2) } == ["2a", "-2", "-3"])
  }

  @Test func onlyCompleteRunsAreNewest() throws {
    #expect(RunDirectory.newest(in: folder.path + "/runs") == nil)
    let first = try make("first")
    #expect(RunDirectory.newest(in: folder.path + "/runs") == nil)
    try complete(first, end: "2026-11-21T10:00:00.000Z")
    let second = try make("second")
    try AtomicFile.write(Array("{\"start\": \"2026\"}".utf8), to: second.record)
    try AtomicFile.write([1], to: second.weights)
    #expect(RunDirectory.newest(in: folder.path + "/runs")?.path == first.path)
    try complete(second, end: "2026-11-21T09:00:00.000Z")
    #expect(RunDirectory.newest(in: folder.path + "/runs")?.path == first.path)
    try complete(second, end: "2026-11-21T11:00:00.000Z")
    #expect(RunDirectory.newest(in: folder.path + "/runs")?.path == second.path)
    unlink(second.weights)
    #expect(RunDirectory.newest(in: folder.path + "/runs")?.path == first.path)
  }

  @Test func aRecordThatIsNotJSONIsNotComplete() throws {
    let run = try make()
    try complete(run, end: "x")
    try AtomicFile.write(Array("{\"end\": \"2026".utf8), to: run.record)
    #expect(!run.isComplete)
  }

  @Test func aNamedFolderMayExistOnlyIfItIsEmpty() throws {
    let path = folder.path + "/deep/er"
    #expect(try RunDirectory.make(at: path).path == path)
    #expect(try RunDirectory.make(at: path).path == path)
    try AtomicFile.write([1], to: path + "/x")
    #expect(throws: FormatError.self) { try RunDirectory.make(at: path) }
    #expect(throws: FormatError.self) { try RunDirectory.make(at: path + "/x") }
  }

  @Test func timestampsSortAsTextAndHaveTheirForm() {
    let first = Clock.timestamp
    var second = first
    while second == first { second = Clock.timestamp }
    #expect(first < second)
    #expect(first.count == 24 && first.hasSuffix("Z"))
    #expect(Clock.date.count == 10)
  }
}
