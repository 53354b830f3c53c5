import CKernels
import Foundation
import Tensors
import Testing

@testable import CPUEngine

extension CPUEngineTests {
  /// What does not fit is refused before anything is allocated.
  @Suite struct MemoryTests {
    /// 4 GB of state and 8 GB of values: more than any test may take.
    private func huge() -> Program {
      let g = GraphBuilder()
      g.origin = Origin(name: "wide")
      let x = g.state("x", [1 << 15, 1 << 15])
      let y = g.unary(.exp, g.transpose(g.unary(.tanh, x), [1, 0]))
      let total = g.sum(y)
      return Program(name: "p", graph: g.graph, outputs: [.init("y", total)])
    }

    @Test func whatIsTooLargeIsRefusedWithTheNumbers() throws {
      let before = lgc_heap_bytes()
      let options = EngineOptions(threads: 1, memoryLimit: 1_000_000_000, otherBytes: 5_000_000)
      let error = #expect(throws: EngineError.self) {
        try CPUEngine().compile([huge()], options: options)
      }
      let needed = try CPUEngine().plan([huge()], options: options)
      #expect(error?.cause == .memory)
      #expect(
        error?.message.hasPrefix(
          "\(needed.stateBytes + needed.workingBytes + 5_000_000) bytes of memory are needed")
          == true, "\(error?.message ?? "")")
      #expect(error?.message.hasSuffix("5.0 MB of batches), 1000000000 are available") == true)
      #expect(error?.help?.contains("`x` with 4295.0 MB") == true, "\(error?.help ?? "")")
      #expect(error?.help?.contains("of layer `wide` with 4295.0 MB") == true)
      #expect(error?.origin?.name == "wide")
      #expect(lgc_heap_bytes() - before < 100_000_000)
    }

    @Test func whatFitsExactlyIsNot() throws {
      let g = GraphBuilder()
      let y = g.sum(g.square(g.state("x", [100, 100])))
      let program = Program(name: "p", graph: g.graph, outputs: [.init("y", y)])
      let planned = try CPUEngine().plan([program], options: EngineOptions(threads: 1))
      let bytes = planned.stateBytes + planned.workingBytes + 100
      func compile(_ limit: Int) throws {
        _ = try CPUEngine().compile(
          [program], options: EngineOptions(threads: 1, memoryLimit: limit, otherBytes: 100))
      }
      try compile(bytes)
      #expect(throws: EngineError.self) { try compile(bytes - 1) }
    }

    @Test func theMachineSaysWhatItCanGive() {
      let bytes = lgc_available_bytes("/proc", "/sys/fs/cgroup")
      #expect(bytes > 1 << 20 && bytes < 1 << 50)
      #expect(lgc_available_bytes("/nowhere", "/nowhere") == -1)
    }

    @Test func theTightestControlGroupCounts() throws {
      let root = FileManager.default.temporaryDirectory
        .appendingPathComponent("lgc-groups-\(getpid())").path
      defer { try? FileManager.default.removeItem(atPath: root) }
      func write(_ path: String, _ text: String) throws {
        let file = root + "/" + path
        let folder = file.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(
          atPath: "/" + folder, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: false, encoding: .utf8)
      }
      func available() -> Int64 { lgc_available_bytes(root + "/proc", root + "/groups") }
      try write("proc/meminfo", "MemTotal: 99 kB\nMemAvailable:   9000 kB\n")
      #expect(available() == 9000 * 1024)
      try write("proc/self/cgroup", "0::/a/b\n")
      try write("groups/a/b/memory.max", "max\n")
      try write("groups/a/b/memory.current", "500\n")
      #expect(available() == 9000 * 1024)
      try write("groups/a/memory.max", "10000\n")
      try write("groups/a/memory.current", "8000\n")
      #expect(available() == 2000)
      // Cached files can be given up, shared memory cannot.
      try write("groups/a/memory.stat", "anon 5000\nfile 3000\nshmem 1000\n")
      #expect(available() == 4000)
      try write("groups/memory.max", "1000\n")
      try write("groups/memory.current", "3000\n")
      #expect(available() == 0)
    }
  }
}
