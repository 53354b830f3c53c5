import Diagnostics
import Formats
import Model
import Testing

@testable import Datasets

@Suite struct NPYDataTests {
  let files = DataFiles()

  private func npy(_ type: String, _ shape: String, _ data: [UInt8]) -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
      + data
  }

  @Test func bytesStayBytesAndFloatsFloats() throws {
    try files.write("x.npy", npy("|u1", "(2, 1, 1, 3)", [0, 128, 255, 1, 2, 3]))
    try files.write("f.npy", NPY.bytes([0.5, -1, 2, 4], shape: [2, 2]))
    try files.write("y.npy", npy("<i4", "(2,)", [4, 0, 0, 0, 1, 0, 0, 0]))
    let bytes = try files.load("{type: npy, x: x.npy, y: y.npy}")
    #expect(bytes.train.bytes == [0, 128, 255, 1, 2, 3] && bytes.train.shape == [1, 1, 3])
    #expect(bytes.train.labels == [4, 1] && bytes.train.classCount == 5 && bytes.test == nil)
    let floats = try files.load(
      "{type: npy, x: f.npy, y: y.npy, test_x: f.npy, test_y: y.npy, classes: 7}")
    #expect(floats.train.floats == [0.5, -1, 2, 4] && floats.test?.labels == [4, 1])
    #expect(floats.train.classCount == 7)
  }

  @Test func targetsKeepTheirShape() throws {
    try files.write("x.npy", NPY.bytes([1, 2], shape: [2, 1]))
    try files.write("t.npy", NPY.bytes([1, 2, 3, 4, 5, 6], shape: [2, 3, 1]))
    try files.write("s.npy", NPY.bytes([7, 8], shape: [2]))
    let data = try files.load("{type: npy, x: x.npy, targets: t.npy}")
    #expect(data.train.targets == [1, 2, 3, 4, 5, 6] && data.train.targetShape == [3, 1])
    let scalars = try files.load(
      "{type: npy, x: x.npy, targets: s.npy, test_x: x.npy, test_targets: s.npy}")
    #expect(scalars.train.targetShape == [1] && scalars.test?.targets == [7, 8])
    let found = try diagnostic {
      _ = try files.load(
        "{type: npy, x: x.npy, targets: s.npy, test_x: x.npy, test_targets: t.npy}")
    }
    #expect(found.message == "test targets are [3, 1], training targets [1]")
  }

  @Test(arguments: [
    ("y.npy", "|u1", "(3,)", "000102", "holds 2 samples"),
    ("y.npy", "|u1", "(2, 1)", "0001", "is [2, 1], not one number for each sample"),
    ("y.npy", "<f4", "(2,)", "0000803f0000c03f", "sample 1 of"),
    ("y.npy", "|i1", "(2,)", "00ff", "has the label -1; labels run from 0"),
    ("x.npy", "<f4", "(2, 2)", "0000803f0000803f0000c07f0000803f", "sample 1 of"),
    ("x.npy", "<f8", "(2, 1)", "000000000000f03f000000000000f07f", "has inf at element 0"),
    ("x.npy", "|u1", "(2,)", "0001", "is [2]; samples are [N, …]"),
    ("x.npy", "|u1", "(2, 0)", "", "holds no samples"),
    ("x.npy", "|u1", "(2, 2)", "000102", "is cut off: shape [2, 2] needs 4 bytes, 3 follow"),
  ])
  func faultsNameTheFileAndTheSample(
    _ name: String, _ type: String, _ shape: String, _ data: String, _ message: String
  ) throws {
    try files.write("x.npy", npy("|u1", "(2, 1)", [1, 2]))
    try files.write("y.npy", npy("|u1", "(2,)", [1, 2]))
    let digits = Array(data).map { UInt8($0.hexDigitValue!) }
    let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    try files.write(name, npy(type, shape, bytes))
    let found = try diagnostic { _ = try files.load("{type: npy, x: x.npy, y: y.npy}") }
    #expect(found.message.contains(message), "\(found.message)")
    #expect(found.message.contains(name), "\(found.message)")
  }

  @Test func aLabelBeyondTheStatedClassesIsRefused() throws {
    try files.write("x.npy", npy("|u1", "(2, 1)", [1, 2]))
    try files.write("y.npy", npy("|u1", "(2,)", [1, 2]))
    let found = try diagnostic {
      _ = try files.load("{type: npy, x: x.npy, y: y.npy, classes: 2}")
    }
    #expect(found.code == .dataLabels)
    #expect(found.message.contains("sample 1 of"))
    #expect(found.message.hasSuffix("has the label 2; labels run from 0 to 1"))
  }

  @Test func arraysOfAnArchiveAreFoundByName() throws {
    // `np.savez(f, x=np.array([[1, 2], [3, 4]], dtype="u1"), y=np.array([1, 0]))`, put together
    // here from stored members.
    let archive = StoredZip([
      ("x.npy", npy("|u1", "(2, 2)", [1, 2, 3, 4])), ("y.npy", npy("|u1", "(2,)", [1, 0])),
    ])
    try files.write("a.npz", archive.bytes)
    let data = try files.load("{type: npy, file: a.npz, x: x, y: y}")
    #expect(data.train.bytes == [1, 2, 3, 4] && data.train.labels == [1, 0])
    let missing = try diagnostic { _ = try files.load("{type: npy, file: a.npz, x: X, y: y}") }
    #expect(missing.message.hasSuffix("has no array `X`"))
    #expect(missing.notes == ["its arrays: `x`, `y`"])
    try files.write("b.npz", Array(archive.bytes.dropLast(5)))
    let cut = try diagnostic { _ = try files.load("{type: npy, file: b.npz, x: x, y: y}") }
    #expect(cut.code == .dataFormat && cut.message.contains("is cut off: its end is missing"))
  }
}

/// A ZIP archive of stored members.
private struct StoredZip {
  private(set) var bytes: [UInt8] = []

  init(_ members: [(name: String, content: [UInt8])]) {
    var directory: [UInt8] = []
    for (name, content) in members {
      let checksum = Int(Self.checksum(content))
      let size = content.count
      var common: [UInt8] = []
      for (value, width) in [
        (20, 2), (0, 2), (0, 2), (0, 4), (checksum, 4), (size, 4), (size, 4),
        (name.utf8.count, 2), (0, 2),
      ] {
        common += Self.word(value, width)
      }
      directory += [0x50, 0x4B, 1, 2, 20, 0]
      directory += common
      directory += Self.word(0, 10)
      directory += Self.word(bytes.count, 4)
      directory += Array(name.utf8)
      bytes += [0x50, 0x4B, 3, 4]
      bytes += common
      bytes += Array(name.utf8)
      bytes += content
    }
    let start = bytes.count
    bytes += directory
    bytes += [0x50, 0x4B, 5, 6]
    for (value, width) in [
      (0, 4), (members.count, 2), (members.count, 2), (directory.count, 4), (start, 4), (0, 2),
    ] {
      bytes += Self.word(value, width)
    }
  }

  private static func word(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }

  /// CRC-32, bit by bit.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var sum = ~UInt32(0)
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 {
        let isOdd = sum & 1 == 1
        sum >>= 1
        if isOdd { sum ^= 0xEDB8_8320 }
      }
    }
    return ~sum
  }
}
