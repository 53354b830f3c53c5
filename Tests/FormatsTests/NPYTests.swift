import Testing

@testable import Formats

@Suite struct NPYTests {
  let folder = TemporaryFolder()

  /// A file of format version 1 with any header.
  private func npy(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = header.utf8.count
    let size = version == 1 ? [UInt8(length & 255), UInt8(length >> 8)]
      : [UInt8(length & 255), UInt8(length >> 8), 0, 0]
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + data
  }

  private func header(_ type: String, _ shape: String, fortran: Bool = false) -> String {
    "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
  }

  @Test func filesOfNumPyAreRead() throws {
    let fortran = try NPY.parse(NumPyFiles.fortran, path: "f")
    #expect(fortran.shape == [2, 3] && fortran.type == .float32)
    #expect(fortran.floats() == [0, 0.25, 0.5, 0.75, 1, 1.25])
    let bigEndian = try NPY.parse(NumPyFiles.bigEndian, path: "f")
    #expect(bigEndian.integers() == [1, -2, 70000] && bigEndian.floats() == [1, -2, 70000])
    let halves = try NPY.parse(NumPyFiles.halves, path: "f")
    #expect(halves.floats() == [0.5, -65504] && halves.shape == [2, 1])
    #expect(halves.integers() == [nil, -65504])
  }

  @Test func whatLGCWritesItReads() throws {
    let values: [Float] = [1, -2.5, .infinity, 1e-40, 3, 0]
    let array = try NPY.parse(NPY.bytes(values, shape: [3, 2]), path: "f")
    #expect(array.shape == [3, 2] && array.floats() == values)
  }

  @Test(arguments: [
    ("|b1", "00 01 02", [0, 1, 1]), ("|i1", "ff 7f 80", [-1, 127, -128]),
    ("|u1", "ff 00 01", [255, 0, 1]),
    ("<i2", "ffff 0100 0080", [-1, 1, -32768]), (">u2", "ffff 0001 8000", [65535, 1, 32768]),
    ("<u4", "ffffffff 00000000 01000000", [4_294_967_295, 0, 1]),
    ("<i8", "ffffffffffffffff 0000000001000000 0100000000000000", [-1, 1 << 32, 1]),
    ("<u8", "ffffffffffffffff 0000000000000000 0100000000000000", [nil, 0, 1]),
    ("<f4", "00004040 0000c0bf 0000807f", [3, nil, nil]),
    (">f8", "4008000000000000 3ff8000000000000 c000000000000000", [3, nil, -2]),
  ] as [(String, String, [Int?])])
  func everyElementTypeHasItsValues(_ type: String, _ data: String, _ expected: [Int?]) throws {
    for version: UInt8 in [1, 2, 3] {
      let array = try NPY.parse(npy(header(type, "(3,)"), hex(data), version: version), path: "f")
      #expect(array.integers() == expected)
      for (float, whole) in zip(array.floats(), expected) {
        if let whole { #expect(float == Float(whole)) }
      }
    }
  }

  @Test func threeAxesInFortranOrderAreTransposed() throws {
    let data = (0..<24).map { UInt8($0) }
    let array = try NPY.parse(npy(header("|u1", "(2, 3, 4)", fortran: true), data), path: "f")
    var expected: [UInt8] = []
    for i in 0..<2 {
      for j in 0..<3 {
        for k in 0..<4 { expected.append(UInt8(i + 2 * j + 6 * k)) }
      }
    }
    #expect(array.unsignedBytes == expected)
  }

  @Test(arguments: [
    ("", "does not begin"), ("{", "header that cannot be read"),
    ("{'descr': '<f4', 'fortran_order': False}\n", "header that cannot be read"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "header that cannot be read"),
    ("{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,)}", "header that cannot be read"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "header that cannot be read"),
    ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "header that cannot"),
    ("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "neither numbers nor booleans"),
    ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "neither numbers nor booleans"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "needs 8 bytes, 4 follow"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", ""),
    ("{'descr': '<f2', 'fortran_order': False, 'shape': (1,)}", "holds 2 bytes more"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999)}", "impossible"),
  ])
  func malformedHeadersAreRefused(_ header: String, _ message: String) throws {
    let bytes = header.isEmpty ? [1, 2, 3] : npy(header, [0, 0, 128, 63])
    if message.isEmpty {
      // A single number is no error here: it has no axes.
      #expect(try NPY.parse(bytes, path: "f").shape == [])
      return
    }
    let error = #expect(throws: FormatError.self) { try NPY.parse(bytes, path: "f") }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test func everyTruncationIsRefused() {
    for count in 0..<NumPyFiles.fortran.count {
      #expect(throws: FormatError.self) {
        try NPY.parse(Array(NumPyFiles.fortran.prefix(count)), path: "f")
      }
    }
  }

  // MARK: archives

  @Test func archivesOfNumPyAreRead() throws {
    let stored = try ZipArchive(folder.file("a.npz", NumPyFiles.stored))
    #expect(stored.members.map(\.name) == ["x.npy", "y.npy"])
    let x = try NPY.parse(try stored.content(of: try #require(stored["x.npy"])), path: "x")
    #expect(x.shape == [2, 2] && x.unsignedBytes == [1, 2, 3, 4])
    let deflated = try ZipArchive(folder.file("b.npz", NumPyFiles.deflated))
    let y = try NPY.parse(try deflated.content(of: try #require(deflated["y.npy"])), path: "y")
    #expect(y.integers() == [2, 0, 1])
    let zeros = try NPY.parse(try deflated.content(of: try #require(deflated["x.npy"])), path: "x")
    #expect(zeros.floats() == .init(repeating: 0, count: 150))
    #expect(deflated["z.npy"] == nil)
  }

  @Test(arguments: [NumPyFiles.stored, NumPyFiles.deflated])
  func truncatedArchivesAreRefused(_ bytes: [UInt8]) {
    for count in 0..<bytes.count {
      let path = folder.file("a.npz", Array(bytes.prefix(count)))
      #expect(throws: FormatError.self) { try ZipArchive(path) }
    }
  }

  /// No flipped bit crashes; none in the members' data goes unseen.
  @Test(arguments: [NumPyFiles.stored, NumPyFiles.deflated])
  func flippedBitsAreSeen(_ bytes: [UInt8]) throws {
    let whole = try ZipArchive(folder.file("a.npz", bytes))
    let contents = try whole.members.map { try whole.content(of: $0) }
    for place in bytes.indices {
      for bit in 0..<8 {
        var broken = bytes
        broken[place] ^= 1 << UInt8(bit)
        guard let archive = try? ZipArchive(folder.file("b.npz", broken)) else { continue }
        for member in archive.members {
          guard let content = try? archive.content(of: member) else { continue }
          #expect(contents.contains(content), "byte \(place), bit \(bit)")
        }
      }
    }
  }
}
