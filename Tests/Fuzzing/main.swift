import FrontEndTestSupport
import Glibc

// The fuzz target: bytes → YAML → document → network → bounds → messages, with the invariants of
// `violations`. `make fuzz` builds it with libFuzzer's instrumentation, and only it needs that:
// outside of `make fuzz` this target does not exist.

/// libFuzzer's loop, without its `main`.
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// Seconds that this process has computed; what others do on the machine does not count.
private func seconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func stop(_ problem: String) -> Never {
  let line = "fuzzing: \(problem)\n"
  _ = line.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
  abort()
}

private func save(_ text: String, to path: String) {
  guard let file = fopen(path, "w") else { stop("cannot write \(path)") }
  fputs(text, file)
  fclose(file)
}

private func quoted(_ token: String) -> String {
  let hexadecimal = token.utf8.map { byte in
    "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
  return "\"\(hexadecimal.joined())\"\n"
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "prepare" {
  // A dictionary and a first corpus, made of the catalogs.
  let folder = CommandLine.arguments[2]
  mkdir(folder, 0o777)
  mkdir(folder + "/seeds", 0o777)
  save(tokens.map(quoted).joined(), to: folder + "/tokens")
  for (index, seed) in seeds.enumerated() {
    save(seed, to: folder + "/seeds/\(index).yaml")
  }
  exit(0)
}

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  runFuzzer(&count, &arguments) { bytes, count in
    let start = seconds()
    let found = violations(
      of: Array(UnsafeBufferPointer(start: bytes, count: count)), directory: "models")
    if let first = found.first { stop(first) }
    let time = seconds() - start
    if time > 1 { stop("it took \(time) s") }
    return 0
  })
