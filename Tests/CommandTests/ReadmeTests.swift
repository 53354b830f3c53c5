import Foundation
import Testing

/// The README's `console` blocks are the specification: each `$ ` line is run in a fresh copy of
/// the files it needs, and what it prints must be what stands below it. `…` in an expected line
/// matches any text of that line (times, dates), a line that is only `…` any number of lines.
@Suite(.serialized) struct ReadmeTests {
  struct Step: Sendable, CustomStringConvertible {
    let command: String
    let expected: [String]
    var description: String { command }
  }

  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func steps(of page: String) throws -> [Step] {
    let text = try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
    var steps: [Step] = []
    var command: String?
    var expected: [String] = []
    var inside = false
    func finish() {
      if let command { steps.append(Step(command: command, expected: expected)) }
      command = nil
      expected = []
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("```") {
        finish()
        inside = line == "```console"
      } else if inside, line.hasPrefix("$ ") {
        finish()
        command = String(line.dropFirst(2))
      } else if inside, command != nil {
        expected.append(line)
      }
    }
    return steps
  }

  /// Pages whose console blocks are run, and how many commands they have at least.
  @Test(arguments: [("README.md", 4), ("Documentation/first-errors.md", 20)])
  func everyConsoleBlockPrintsWhatItSays(_ page: String, _ least: Int) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(
      at: Self.root.appendingPathComponent("models"), to: folder.appendingPathComponent("models"))
    let steps = try Self.steps(of: page)
    #expect(steps.count >= least, "\(page) lost its console blocks")
    for step in steps {
      // `make test` is what runs this very test; the benchmark compares with other machines' tools.
      if ["make test", "make bench"].contains(step.command) { continue }
      let printed = try Self.run(Self.runnable(step.command), in: folder)
      #expect(
        Self.matches(printed[...], step.expected[...]),
        "\(step.command)\nprinted:\n\(printed.joined(separator: "\n"))\n\(page):\n\(step.expected.joined(separator: "\n"))")
    }
  }

  @Test func everyDescriptionShownIsAccepted() throws {
    let text = try String(
      contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "```yaml\n").dropFirst()
      .map { $0.components(separatedBy: "```")[0] }
    #expect(!blocks.isEmpty)
    for block in blocks {
      let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("lgc-readme-\(UUID().uuidString).yaml")
      try block.write(to: file, atomically: true, encoding: .utf8)
      defer { try? FileManager.default.removeItem(at: file) }
      let printed = try Self.run(
        "lgc check '\(file.path)' >/dev/null && echo accepted", in: file.deletingLastPathComponent())
      #expect(printed == ["accepted"], "\(printed.joined(separator: "\n"))")
    }
  }

  @Test func theEllipsisMatchesTextAndLines() {
    #expect(Self.matches(["a 12 b"], ["a … b"]))
    #expect(!Self.matches(["a 12 c"], ["a … b"]))
    #expect(Self.matches(["x", "y", "z"], ["x", "…", "z"]))
    #expect(!Self.matches(["x", "y"], ["x"]))
  }

  /// `make demo` without its build: the build folder is locked while tests run.
  static func runnable(_ command: String) -> String {
    guard command == "make demo" else { return command }
    let makefile = root.appendingPathComponent("Makefile").path
    return "make -f '\(makefile)' --no-print-directory run-demo LGC=lgc"
  }

  static func run(_ command: String, in folder: URL) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command + " 2>&1"]
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    let binaries = try LGCBinary.path.deletingLastPathComponent().path
    environment["PATH"] = binaries + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    process.environment = environment
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    var lines = String(decoding: data, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  static func matches(_ printed: ArraySlice<String>, _ expected: ArraySlice<String>) -> Bool {
    guard let first = expected.first else { return printed.isEmpty }
    if first.trimmingCharacters(in: .whitespaces) == "…" {
      let rest = expected.dropFirst()
      return (printed.startIndex...printed.endIndex).contains { matches(printed[$0...], rest) }
    }
    guard let line = printed.first, lineMatches(line, first) else { return false }
    return matches(printed.dropFirst(), expected.dropFirst())
  }

  static func lineMatches(_ line: String, _ pattern: String) -> Bool {
    let parts = pattern.components(separatedBy: "…")
    guard parts.count > 1 else { return line == pattern }
    guard line.hasPrefix(parts[0]) else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() {
      guard let range = rest.range(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts.last!)
  }
}

/// The built executable: `$LGC` (the release build that `make test` makes) or the one beside the
/// test bundle.
enum LGCBinary {
  static var path: URL {
    get throws {
      if let given = ProcessInfo.processInfo.environment["LGC"] { return URL(fileURLWithPath: given) }
      let beside = Bundle.main.bundleURL.deletingLastPathComponent().appendingPathComponent("lgc")
      if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
      let debug = ReadmeTests.root.appendingPathComponent(".build/debug/lgc")
      guard FileManager.default.isExecutableFile(atPath: debug.path) else {
        throw CocoaError(.fileNoSuchFile)
      }
      return debug
    }
  }
}
