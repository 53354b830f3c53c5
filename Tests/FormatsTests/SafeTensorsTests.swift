import Testing

@testable import Formats

/// The golden bytes are what Python's safetensors 0.8.0 `numpy.save` writes.
@Suite struct SafeTensorsTests {
  let folder = TemporaryFolder()

  static let small = hex(
    """
    8000000000000000 7b226663312e62696173223a7b226474797065223a22463332222c227368617065223a5b325d
    2c22646174615f6f666673657473223a5b302c385d7d2c226663312e776569676874223a7b226474797065223a
    22463332222c227368617065223a5b322c325d2c22646174615f6f666673657473223a5b382c32345d7d7d2020
    0000003f00000080 0000803f000000400000404000008040
    """)

  @Test func writesTheBytesOfTheReferenceImplementation() throws {
    let path = folder.path + "/a.safetensors"
    try SafeTensors.write(
      [
        NamedTensor(name: "fc1.weight", shape: [2, 2], values: .float32([1, 2, 3, 4])),
        NamedTensor(name: "fc1.bias", shape: [2], values: .float32([0.5, -0.0])),
      ], to: path)
    #expect(try InputFile.bytes(path) == Self.small)
    #expect(folder.names == ["a.safetensors"])
  }

  @Test func writesWiderElementsFirstAndScalarsAndEmptyTensorsLikeTheReference() throws {
    let path = folder.path + "/b.safetensors"
    try SafeTensors.write(
      [
        NamedTensor(name: "s", shape: [], values: .float32([7])),
        NamedTensor(name: "fc1.weight", shape: [2, 2], values: .float32([1, 2, 3, 4])),
        NamedTensor(name: "e", shape: [0, 3], values: .float32([])),
        NamedTensor(name: "a.d", shape: [1], values: .float64([0.1])),
      ], metadata: ["format": "pt"], to: path)
    let golden = hex(
      """
      08010000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c22612e64
      223a7b226474797065223a22463634222c227368617065223a5b315d2c22646174615f6f666673657473223a
      5b302c385d7d2c2265223a7b226474797065223a22463332222c227368617065223a5b302c335d2c22646174
      615f6f666673657473223a5b382c385d7d2c226663312e776569676874223a7b226474797065223a22463332
      222c227368617065223a5b322c325d2c22646174615f6f666673657473223a5b382c32345d7d2c2273223a7b
      226474797065223a22463332222c227368617065223a5b5d2c22646174615f6f666673657473223a5b32342c
      32385d7d7d2020209a9999999999b93f0000803f0000004000004040000080400000e040
      """)
    #expect(try InputFile.bytes(path) == golden)
  }

  @Test func escapesMetadataLikeTheReference() {
    let header = SafeTensors.headerBytes([], ["lgc": "a\"é\\\n\u{1}"])
    let text = String(decoding: header.dropFirst(8), as: UTF8.self)
    #expect(text.hasPrefix(#"{"__metadata__":{"lgc":"a\"é\\\n\u0001"}}"#))
    #expect(header.count % 8 == 0)
  }

  @Test func readsWhatTheReferenceWrote() throws {
    let tensors = try SafeTensors.read(folder.file("a", Self.small))
    #expect(tensors.map(\.name) == ["fc1.bias", "fc1.weight"])
    #expect(tensors[1].shape == [2, 2])
    guard case .float32(let bias) = tensors[0].values else { return #expect(Bool(false)) }
    #expect(bias.map(\.bitPattern) == [Float(0.5), Float(-0.0)].map(\.bitPattern))
    #expect(tensors[1].values == .float32([1, 2, 3, 4]))
  }

  @Test func widensHalfPrecisionExactly() throws {
    let golden = hex(
      """
      3800000000000000 7b2268223a7b226474797065223a22463136222c227368617065223a5b345d2c2264617461
      5f6f666673657473223a5b302c385d7d7d2020 003e00c0ff7b0100
      """)
    let tensors = try SafeTensors.read(folder.file("h", golden))
    #expect(tensors[0].values == .float32([1.5, -2, 65504, 0x1p-24]))
    #expect(SafeTensors.widenedHalf(0x7C00) == .infinity)
    #expect(SafeTensors.widenedHalf(0xFC00) == -.infinity)
    #expect(SafeTensors.widenedHalf(0x7E00).isNaN)
    #expect(SafeTensors.widenedHalf(0x8000).bitPattern == Float(-0.0).bitPattern)
    #expect(SafeTensors.widenedHalf(0x0400) == 0x1p-14)
    let brain = file(#"{"b":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#, [0xC0, 0x3F])
    #expect(try SafeTensors.read(brain)[0].values == .float32([1.5]))
  }

  @Test func leavesOutIntegerTensorsButChecksThem() throws {
    let counter = #"{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#
    #expect(try SafeTensors.read(file(counter, [UInt8](repeating: 1, count: 8))).isEmpty)
    #expect(throws: FormatError.self) { try SafeTensors.read(file(counter, [1, 2])) }
  }

  @Test func roundTripKeepsEveryBit() throws {
    let path = folder.path + "/bits"
    let patterns: [UInt32] = [0, 0x8000_0000, 1, 0x7F80_0000, 0x7FC0_1234, 0x7F7F_FFFF]
    let values = patterns.map { Float(bitPattern: $0) }
    try SafeTensors.write(
      [NamedTensor(name: "t", shape: [3, 2], values: .float32(values))], metadata: ["k": "v"],
      to: path)
    let (tensors, metadata) = try SafeTensors.contents(path)
    guard case .float32(let read) = tensors[0].values else { return #expect(Bool(false)) }
    #expect(read.map(\.bitPattern) == patterns)
    #expect(metadata == ["k": "v"])
  }

  @Test(arguments: [
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "tensor `t`: shape [2] of F32"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "tensor `t`: its data ends"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 9, "5 bytes after the last"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "tensor `t`: bytes 0..<4"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""t":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12,
      "tensor `t`: its data overlaps"
    ),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "are not a range"),
    (#"{"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "tensor `t`: the shape"),
    (#"{"t":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "tensor `t`: the shape"),
    (
      #"{"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4,
      "tensor `t`: the shape [4294967296, 4294967296] overflows"
    ),
    (#"{"t":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, 8, "tensor `t`: dtype `C64`"),
    (#"{"t":{"dtype":"F32","shape":[1]}}"#, 4, "tensor `t`: `data_offsets`"),
    (#"{"t":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, "tensor `t`: no `shape`"),
    (#"{"t":{"shape":[1],"data_offsets":[0,4]}}"#, 4, "tensor `t`: no `dtype`"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "unknown key `x`"),
    (#"{"t":3}"#, 0, "tensor `t`: its entry"),
    (#"{"__metadata__":{"a":1}}"#, 0, "`__metadata__` entry `a`"),
    (#"{"t":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"t":1}"#, 0, "`t` occurs twice"),
    (#"[]"#, 0, "the header is not a JSON object"),
    (#"{"t":"#, 0, "the header is not JSON"),
    ("", 0, "the header is not JSON"),
  ])
  func refusesAMalformedFileNamingTheTensor(_ header: String, _ size: Int, _ message: String) {
    let path = file(header, [UInt8](repeating: 0, count: size))
    let error = #expect(throws: FormatError.self) { try SafeTensors.read(path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    #expect(error?.path == path)
  }

  @Test(arguments: [
    ("", "are too few"), ("0102", "are too few"),
    ("ffffffffffffffff 7b7d", "18446744073709551615 bytes"),
    ("00e1f50500000000 7b7d", "is cut off"), ("01e1f50500000000 7b7d", "at most 100000000"),
    ("0900000000000000 7b7d", "is cut off"),
  ])
  func refusesAnImpossibleHeaderLength(_ bytes: String, _ message: String) {
    let path = folder.file("x", hex(bytes))
    let error = #expect(throws: FormatError.self) { try SafeTensors.read(path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test func refusesToWriteAContradiction() {
    let bad = NamedTensor(name: "t", shape: [3], values: .float32([1]))
    let good = NamedTensor(name: "t", shape: [1], values: .float32([1]))
    #expect(throws: FormatError.self) { try SafeTensors.write([bad], to: folder.path + "/x") }
    #expect(throws: FormatError.self) {
      try SafeTensors.write([good, good], to: folder.path + "/x")
    }
    #expect(folder.names.isEmpty)
  }

  private func file(_ header: String, _ data: [UInt8]) -> String {
    let text = Array(header.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return folder.file("case", length + text + data)
  }
}
