import Testing

@testable import Formats

@Suite struct IDXTests {
  let folder = TemporaryFolder()
  static let plain = hex("00000802 00000002 00000003 010203040506")
  /// `python3 -c "gzip.compress(plain, mtime=0)"`
  static let gzipped = hex("1f8b08000000000002036360e0606260600061664626661656360048943ee512000000")

  @Test func readsPlainAndGzippedAlike() throws {
    for bytes in [Self.plain, Self.gzipped] {
      let idx = try IDX.read(folder.file("x", bytes))
      #expect(idx.shape == [2, 3])
      #expect(idx.unsignedBytes == [1, 2, 3, 4, 5, 6])
    }
  }

  @Test(arguments: [
    ("", "does not begin"), ("01000802", "does not begin"),
    ("00000d01 00000001 000000", "needs 4 bytes, 3 follow"), ("00000701 00000001 00", "type is 7"),
    ("00000801 000000", "inside its header"), ("00000800", "has 0 axes"),
    ("00000801 00000003 0102", "shape [3] needs 3 bytes, 2 follow"),
    ("00000801 00000001 0102", "holds 1 bytes more"),
    ("00000804 ffffffff ffffffff ffffffff ffffffff", "impossible shape"),
  ])
  func refusesAMalformedFile(_ bytes: String, _ message: String) {
    let path = folder.file("x", hex(bytes))
    let error = #expect(throws: FormatError.self) { try IDX.read(path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    #expect(error?.path == path)
  }

  @Test(arguments: [
    ("00000901 00000002 ff7f", [-1, 127]), ("00000b01 00000002 ffff 0100", [-1, 256]),
    ("00000c01 00000002 fffffffe 00010000", [-2, 65536]),
    ("00000d01 00000002 40400000 bf800000", [3, -1]),
    ("00000e01 00000002 4008000000000000 c000000000000000", [3, -2]),
  ])
  func everyElementTypeIsRead(_ bytes: String, _ values: [Int]) throws {
    let idx = try IDX.read(folder.file("x", hex(bytes)))
    #expect(idx.integers() == values && idx.floats() == values.map(Float.init))
  }

  @Test func refusesEveryTruncationOfGzip() {
    for count in 2..<Self.gzipped.count {
      let path = folder.file("x", Array(Self.gzipped.prefix(count)))
      let error = #expect(throws: FormatError.self) { try IDX.read(path) }
      #expect(error?.message.contains("cut off") == true, "\(error?.message ?? "")")
    }
  }

  @Test func refusesCorruptGzipAndWhatFollowsIt() {
    var flipped = Self.gzipped
    flipped[flipped.count - 6] ^= 1
    let error = #expect(throws: FormatError.self) { try Gzip.decompress(flipped, path: "f") }
    #expect(error?.message == "is corrupt gzip: incorrect data check")
    #expect(throws: FormatError.self) { try Gzip.decompress(Self.gzipped + [7], path: "f") }
  }

  @Test func readsSeveralMembersAndStopsAtTheLimit() throws {
    #expect(try Gzip.decompress(Self.gzipped + Self.gzipped, path: "f") == Self.plain + Self.plain)
    #expect(throws: FormatError.self) { try Gzip.decompress(Self.gzipped, path: "f", limit: 17) }
    #expect(try Gzip.decompress(Self.gzipped, path: "f", limit: 18) == Self.plain)
  }
}
