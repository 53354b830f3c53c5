import Foundation

/// The built `lgc` run as a process.
enum LGCProcess {
  struct Result {
    var output: String
    var error: String
    var code: Int32
    var value: Any? { try? JSONSerialization.jsonObject(with: Data(output.utf8)) }
  }

  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> Result {
    let process = Process()
    process.executableURL = try LGCBinary.path
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "FORCE_COLOR"] { variables[name] = nil }
    process.environment = variables.merging(environment) { $1 }
    let streams = (input: Pipe(), output: Pipe(), error: Pipe())
    process.standardInput = streams.input
    process.standardOutput = streams.output
    process.standardError = streams.error
    try process.run()
    try? streams.input.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try? streams.input.fileHandleForWriting.close()
    // Each stream is far smaller than a pipe's buffer, so one after the other cannot block.
    let output = streams.output.fileHandleForReading.readDataToEndOfFile()
    let error = streams.error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      output: String(decoding: output, as: UTF8.self),
      error: String(decoding: error, as: UTF8.self), code: process.terminationStatus)
  }
}
