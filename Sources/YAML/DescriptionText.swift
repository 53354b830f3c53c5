import Diagnostics
import Glibc

/// Reads a text of at most the size that a description may have; `-` is standard input. Reading
/// stops just past the limit, so that an endless pipe is refused and not read.
public func readDescription(_ path: String) throws(DiagnosticError) -> SourceFile {
  let isInput = path == "-"
  let descriptor = isInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw DiagnosticError(.cannotRead(path, errno)) }
  defer { if !isInput { close(descriptor) } }
  let limit = Limits.standard.bytes + 1
  var bytes: [UInt8] = []
  var information = stat()
  if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG {
    bytes.reserveCapacity(min(Int(information.st_size), limit))
  }
  let chunk = 1 << 16
  while bytes.count < limit {
    let size = min(chunk, limit - bytes.count)
    var problem: Int32?
    let more = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      var result: Int
      repeat {
        result = Glibc.read(descriptor, buffer.baseAddress, size)
      } while result < 0 && errno == EINTR
      if result < 0 { problem = errno }
      count = max(0, result)
    }
    if let problem { throw DiagnosticError(.cannotRead(path, problem)) }
    if more.isEmpty { break }
    bytes += more
  }
  return SourceFile(path: isInput ? "<stdin>" : path, bytes: bytes)
}

extension Diagnostic {
  fileprivate static func cannotRead(_ path: String, _ code: Int32) -> Diagnostic {
    let reason = String(cString: strerror(code))
    let name = path == "-" ? "standard input" : "`\(path)`"
    return Diagnostic(
      .cannotRead, "cannot read \(name): \(reason.prefix(1).lowercased() + reason.dropFirst())",
      at: nil)
  }
}
