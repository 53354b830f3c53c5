import Glibc

/// Files that exist whole or not at all.
///
/// The bytes go to a temporary name (`.name.pid-n.tmp`) in the same folder, are flushed to the
/// disk, and take the final name in one step; then the folder is flushed, so that the name
/// survives a power cut too. A process killed at any moment leaves the old file or the new one,
/// and at worst a temporary that nothing reads.
public enum AtomicFile {
  public static func write(_ bytes: [UInt8], to path: String) throws(FormatError) {
    try write(to: path) { (file) throws(FormatError) in try file.append(bytes) }
  }

  /// Writes what `body` appends; nothing is left at `path` if it throws.
  public static func write(
    to path: String, _ body: (borrowing OutputFile) throws(FormatError) -> Void
  ) throws(FormatError) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
    guard !name.isEmpty else { throw FormatError(path: path, message: "is not a file name") }

    let (temporary, descriptor) = try open(in: folder, for: name, path: path)
    do throws(FormatError) {
      try body(OutputFile(path: path, descriptor: descriptor))
      guard fsync(descriptor) == 0 else { throw .system(path, "cannot write", isWriting: true) }
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    guard close(descriptor) == 0, rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw .system(path, "cannot write", code, isWriting: true)
    }
    try flush(folder: folder, path: path)
  }

  /// Makes `path` a symbolic link to `target`, in one step also where it is one already.
  public static func link(_ path: String, to target: String) throws(FormatError) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    for attempt in 0..<10_000 {
      let temporary = "\(path).\(getpid())-\(attempt).tmp"
      if symlink(target, temporary) != 0 {
        if errno == EEXIST { continue }
        throw .system(path, "cannot write", isWriting: true)
      }
      guard rename(temporary, path) == 0 else {
        let code = errno
        unlink(temporary)
        throw .system(path, "cannot write", code, isWriting: true)
      }
      return try flush(folder: folder, path: path)
    }
    throw FormatError(
      path: path, message: "cannot write: too many temporary files", cause: .system,
      isWriting: true)
  }

  private static func open(
    in folder: String, for name: String, path: String
  ) throws(FormatError) -> (String, Int32) {
    for attempt in 0..<10_000 {
      let temporary = "\(folder)/.\(name).\(getpid())-\(attempt).tmp"
      let descriptor = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (temporary, descriptor) }
      if errno != EEXIST { throw .system(path, "cannot write", isWriting: true) }
    }
    throw FormatError(
      path: path, message: "cannot write: too many temporary files", cause: .system,
      isWriting: true)
  }

  private static func flush(folder: String, path: String) throws(FormatError) {
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(path, "cannot flush its folder", isWriting: true) }
    defer { close(descriptor) }
    // Some file systems cannot flush a folder (EINVAL); the rename itself has happened.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw .system(path, "cannot flush its folder", isWriting: true)
    }
  }
}

/// Where `AtomicFile` and `LineFile` put their bytes.
public struct OutputFile: ~Copyable {
  let path: String
  let descriptor: Int32

  public func append(_ bytes: [UInt8]) throws(FormatError) {
    var failure: FormatError?
    bytes.withUnsafeBytes { buffer in
      do throws(FormatError) { try append(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  public func append(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw .system(path, "cannot write", isWriting: true) }
      done += count
    }
  }
}

/// A file of lines or records that only grows. Each is one write, so that a reader (or a process
/// killed in between) sees whole ones, but for the last one after a power cut.
public final class LineFile {
  private let path: String
  private let descriptor: Int32

  public init(_ path: String) throws(FormatError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(path, "cannot write", isWriting: true) }
    self.path = path
  }
  deinit { close(descriptor) }

  public func append(_ line: String) throws(FormatError) {
    try append(Array((line + "\n").utf8))
  }

  // Inlined, it ends the optimiser of Swift 6.3.1 (a typed error of two inlined functions).
  @inline(never)
  public func append(_ record: [UInt8]) throws(FormatError) {
    try OutputFile(path: path, descriptor: descriptor).append(record)
  }

  /// Returns when every line is on the disk.
  public func flush() throws(FormatError) {
    guard fsync(descriptor) == 0 else { throw .system(path, "cannot write", isWriting: true) }
  }
}
