import ArgumentParser
import Diagnostics
import Glibc

/// `--color`
enum ColorChoice: String, CaseIterable, ExpressibleByArgument {
  case auto, always, never

  /// Whether to colour what goes to a file descriptor. In `auto` the variables NO_COLOR and
  /// FORCE_COLOR (set and not empty) decide, the first before the second; else it is coloured at a
  /// terminal that is not `dumb`.
  func usesColor(on descriptor: Int32) -> Bool {
    switch self {
    case .always: return true
    case .never: return false
    case .auto:
      if isSet("NO_COLOR") { return false }
      if isSet("FORCE_COLOR") { return true }
      return isatty(descriptor) == 1 && environment("TERM") != "dumb"
    }
  }

  private func isSet(_ name: String) -> Bool { environment(name).map { !$0.isEmpty } ?? false }

  private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// The two streams of a command: results to stdout, everything else to stderr.
enum Console {
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else {
          // Nobody reads any more.
          if errno == EPIPE || descriptor != STDOUT_FILENO { return }
          // A full disk: the result is lost, so the command has failed.
          let reason = String(cString: strerror(errno))
          write(
            "error[\(DiagnosticCode.cannotWrite.id)]: cannot write the result: "
              + "\(reason.prefix(1).lowercased() + reason.dropFirst())\n", to: STDERR_FILENO)
          exit(2)
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
    }
  }

  /// `2 errors, 1 warning`; nil where there is neither.
  static func summary(_ diagnostics: [Diagnostic]) -> String? {
    func count(_ severity: Diagnostic.Severity) -> String? {
      let count = diagnostics.reduce(0) { $0 + ($1.severity == severity ? 1 : 0) }
      return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }
    let parts = [count(.error), count(.warning)].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}
