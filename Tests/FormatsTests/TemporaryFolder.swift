import Glibc

@testable import Formats

/// A fresh folder, removed with the last reference.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/lgc-formats-XXXXXX".utf8CString)
    path = String(cString: mkdtemp(&template)!)
  }
  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// What the folder holds, sorted.
  var names: [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  func file(_ name: String, _ bytes: [UInt8]) -> String {
    let path = "\(path)/\(name)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    precondition(written == bytes.count)
    close(descriptor)
    return path
  }
}

/// The bytes that a string of hexadecimal digits and spaces spells.
func hex(_ text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
