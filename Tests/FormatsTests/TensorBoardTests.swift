import Glibc
import Testing

@testable import Formats

/// Golden bytes were written by tensorboard 2.20's `RecordWriter` from `event_pb2.Event` messages
/// with the same contents.
struct TensorBoardTests {
  @Test func checkSumsAreThoseOfTheStandard() {
    // RFC 3720, B.4.
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
  }

  private static let image = (0..<200).map { byte in
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()

  private static let golden: [(event: TensorBoardEvent, bytes: String)] = [
    (
      TensorBoardEvent(time: 1_763_720_000.25, step: 0, .fileVersion),
      "1800000000000000a37f4b2209000010d00e48da411a0d627261696e2e4576656e743a328f75596a"
    ),
    (
      TensorBoardEvent(time: 1_763_720_001.5, step: 300, .start),
      "100000000000000095fbfe1809000060d00e48da4110ac023a0208012e9e1a87"
    ),
    (
      TensorBoardEvent(
        time: 1_763_720_002.75, step: 469,
        .scalars([("loss/train", 0.53125), ("größe", -1.5e-7)])),
      "31000000000000009d8383e9090000b0d00e48da4110d5032a230a110a0a6c6f73732f747261696e15"
        + "0000083f0a0e0a076772c3b6c39f6515b00f21b408233388"
    ),
    (
      TensorBoardEvent(time: 1_763_720_003, step: 0, .scalars([("a", 0)])),
      "1500000000000000d6ab6b2b090000c0d00e48da412a0a0a080a0161150000000087daaec5"
    ),
    (
      TensorBoardEvent(
        time: 1_763_720_004, step: 70000,
        .image(
          tag: "samples",
          .init(width: 300, height: 2, channels: 1, bytes: Array(UInt8(0)..<200)))),
      "f1000000000000009faf2fa009000000d10e48da4110f0a2042ae1010ade010a0773616d706c657322d2"
        + "01080210ac02180122c801" + image + "b791fa36"
    ),
    (
      TensorBoardEvent(time: 1_763_720_005, step: 1, .text(tag: "description", "# lgc")),
      "3500000000000000d6c55de609000040d10e48da4110012a280a260a0b6465736372697074696f6e420b"
        + "08071200420523206c67634a0a0a060a04746578742002814b10f0"
    ),
  ]

  @Test(arguments: golden.indices) func recordsAreThoseOfTheReferenceTool(index: Int) {
    #expect(Self.golden[index].event.record == hex(Self.golden[index].bytes))
  }

  @Test func aNewFileBeginsWithItsVersionAndGrowsByWholeRecords() throws {
    let folder = TemporaryFolder()
    let log = try TensorBoardLog(in: folder.path, time: 1_763_720_000.25)
    let event = TensorBoardEvent(time: 1_763_720_003, step: 0, .scalars([("a", 0)]))
    try log.append(event)
    let version = TensorBoardEvent(time: 1_763_720_000.25, step: 0, .fileVersion)
    #expect(try InputFile.bytes(log.path) == version.record + event.record)
    #expect(folder.names[0].hasPrefix("events.out.tfevents.1763720000."))
  }

  @Test func aResumedRunHasItsOwnFileThatSortsBehindAndTakesBackLaterSteps() throws {
    let folder = TemporaryFolder()
    let first = try TensorBoardLog(in: folder.path, time: 1_763_720_000)
    let second = try TensorBoardLog(in: folder.path, time: 1_763_720_000, resumed: 300)
    let third = try TensorBoardLog(in: folder.path, time: 1_763_720_001.5, resumed: 300)
    let paths = [first.path, second.path, third.path]
    #expect(paths == paths.sorted())
    #expect(Set(paths).count == 3)
    let start = TensorBoardEvent(time: 1_763_720_001.5, step: 300, .start)
    #expect(try InputFile.bytes(third.path).suffix(start.record.count) == start.record[...])
  }
}
