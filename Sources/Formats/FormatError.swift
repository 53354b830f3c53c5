import Glibc

/// A file that cannot be read or written, or does not hold what its format says.
///
/// The message states the fact and does not repeat the path.
public struct FormatError: Error, Hashable, CustomStringConvertible {
  public enum Cause: Sendable, Hashable {
    /// There is no such file or directory.
    case missing
    /// The system refused or failed.
    case system
    /// The bytes are not what the format says.
    case malformed
  }
  public let path: String
  public let message: String
  public let cause: Cause
  /// Whether it was being written, and not read.
  public let isWriting: Bool

  public init(
    path: String, message: String, cause: Cause = .malformed, isWriting: Bool = false
  ) {
    self.path = path
    self.message = message
    self.cause = cause
    self.isWriting = isWriting
  }
  public var description: String { "\(path): \(message)" }

  /// What the system said of the last call that failed, after `action`: `cannot open: …`.
  static func system(
    _ path: String, _ action: String, _ code: Int32 = errno, isWriting: Bool = false
  ) -> FormatError {
    FormatError(
      path: path, message: "\(action): \(String(cString: strerror(code)).lowercasedFirst)",
      cause: code == ENOENT ? .missing : .system, isWriting: isWriting)
  }
}

extension String {
  /// The system's messages begin with a capital; ours do not.
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
