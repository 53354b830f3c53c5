import Glibc

/// An open regular file, read by position; closed with the last reference.
///
/// Read, not mapped: a mapped file that another process truncates kills the reader.
public final class InputFile {
  public let path: String
  public let size: Int
  private let descriptor: Int32

  public init(_ path: String) throws(FormatError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(path, "cannot open") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(path, "cannot open", code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let what = status.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is not a regular file"
      throw FormatError(path: path, message: what, cause: .system)
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes from `offset` on; a file that ends earlier is an error.
  public func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FormatError) {
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw .system(path, "cannot read") }
      if count == 0 { throw FormatError(path: path, message: "ends at byte \(offset + done)") }
      done += count
    }
  }

  /// `count` numbers of a fixed-size type from `offset` on, in the file's (little-endian) order.
  public func array<Element: BitwiseCopyable>(
    of type: Element.Type, at offset: Int, count: Int
  ) throws(FormatError) -> [Element] {
    var failure: FormatError?
    let result = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(FormatError) {
        let bytes = UnsafeMutableRawBufferPointer(
          start: buffer.baseAddress, count: count * MemoryLayout<Element>.stride)
        try read(at: offset, into: bytes)
        initialized = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }

  /// The whole file.
  public func bytes() throws(FormatError) -> [UInt8] {
    try array(of: UInt8.self, at: 0, count: size)
  }

  /// The whole file at `path`.
  public static func bytes(_ path: String) throws(FormatError) -> [UInt8] {
    try InputFile(path).bytes()
  }
}
