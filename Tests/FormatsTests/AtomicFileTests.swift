import Glibc
import Testing

@testable import Formats

@Suite struct AtomicFileTests {
  let folder = TemporaryFolder()

  @Test func replacesAFileAndLeavesNoTemporary() throws {
    let path = folder.file("a", [1])
    try AtomicFile.write([2, 3], to: path)
    #expect(try InputFile.bytes(path) == [2, 3])
    #expect(folder.names == ["a"])
  }

  @Test func aFailureKeepsTheOldFileAndRemovesTheTemporary() throws {
    let path = folder.file("a", [1])
    let failure = FormatError(path: path, message: "interrupted")
    #expect(throws: failure) {
      try AtomicFile.write(to: path) { (file) throws(FormatError) in
        try file.append([9, 9, 9])
        throw failure
      }
    }
    #expect(try InputFile.bytes(path) == [1])
    #expect(folder.names == ["a"])
  }

  @Test func theFinalNameDoesNotExistWhileTheBytesAreWritten() throws {
    let path = folder.path + "/b"
    try AtomicFile.write(to: path) { (file) throws(FormatError) in
      try file.append([1])
      #expect(!folder.names.contains("b"))
    }
    #expect(folder.names == ["b"])
  }

  @Test func errorsNameTheFileAndTheReason() {
    let path = folder.path + "/no/such"
    let error = #expect(throws: FormatError.self) { try AtomicFile.write([1], to: path) }
    #expect(error?.path == path)
    #expect(error?.message == "cannot write: no such file or directory")
    #expect(error?.cause == .missing)
  }

  @Test func readingAFolderIsAnError() {
    let error = #expect(throws: FormatError.self) { try InputFile(folder.path) }
    #expect(error?.message == "is a directory")
  }

  @Test func linesAreAppended() throws {
    let path = folder.path + "/lines"
    try LineFile(path).append("a")
    try LineFile(path).append("b")
    #expect(try InputFile.bytes(path) == Array("a\nb\n".utf8))
  }
}
