import Testing

@testable import Formats

@Suite struct PictureTests {
  @Test(arguments: PictureFile.png + PictureFile.jpeg)
  func readsWhatOtherProgramsWrite(_ file: PictureFile) throws {
    let picture = try Picture.decode(file.bytes, path: "f")
    #expect(
      [picture.width, picture.height, picture.channels] == [file.width, file.height, file.channels])
    #expect(picture.pixels == file.pixels)
  }

  @Test(arguments: [1, 2, 3, 4]) func writtenPixelsAreReadAgain(_ channels: Int) throws {
    let (width, height) = (31, 17)
    let pixels = (0..<width * height * channels).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
    let bytes = PNG.encode(width: width, height: height, channels: channels, pixels: pixels)
    let picture = try PNG.decode(bytes, path: "f")
    let kept = channels < 3 ? 1 : 3
    #expect([picture.width, picture.height, picture.channels] == [width, height, kept])
    // Transparency is left out.
    let expected = (0..<width * height).flatMap { pixel in
      pixels[pixel * channels..<pixel * channels + kept]
    }
    #expect(picture.pixels == expected)
  }

  @Test(arguments: PictureFile.png + PictureFile.jpeg)
  func everyTruncationIsRefused(_ file: PictureFile) {
    for count in 3..<file.bytes.count {
      #expect(throws: FormatError.self, "\(count) bytes") {
        try Picture.decode(Array(file.bytes.prefix(count)), path: "f")
      }
    }
  }

  /// Whatever a flipped bit does, reading ends, with a picture of the stated size or an error.
  @Test(arguments: PictureFile.png + PictureFile.jpeg)
  func everyFlippedBitIsSurvived(_ file: PictureFile) {
    for place in file.bytes.indices {
      for bit in 0..<8 {
        var bytes = file.bytes
        bytes[place] ^= 1 << UInt8(bit)
        guard let picture = try? Picture.decode(bytes, path: "f") else { continue }
        #expect(picture.pixels.count == picture.width * picture.height * picture.channels)
      }
    }
  }

  @Test func corruptPixelsOfAPNGAreFound() {
    let file = PictureFile.png[0]
    // The check sum of the chunk with the pixels is its last four bytes, before the 12 of the end.
    for place in file.bytes.count - 16..<file.bytes.count - 12 {
      var bytes = file.bytes
      bytes[place] ^= 1
      let error = #expect(throws: FormatError.self) { try Picture.decode(bytes, path: "a.png") }
      #expect(error?.path == "a.png")
      #expect(error?.message.hasPrefix("is not a sound PNG file: ") == true)
    }
  }

  @Test func aPictureOfTooManyPixelsIsRefusedBeforeItIsRead() throws {
    let grey = [UInt8](repeating: 0, count: 1200)
    let bytes = PNG.encode(width: 40, height: 30, channels: 1, pixels: grey)
    let error = #expect(throws: FormatError.self) { try PNG.decode(bytes, path: "f", limit: 1199) }
    #expect(error?.message == "is 40 × 30 pixels; at most 1199 are read")
    #expect(try PNG.decode(bytes, path: "f", limit: 1200).pixels.count == 1200)
    let jpeg = PictureFile.jpeg[0]
    #expect(throws: FormatError.self) { try JPEG.decode(jpeg.bytes, path: "f", limit: 14) }
  }

  @Test func coloursForPrintingAreRefused() {
    let error = #expect(throws: FormatError.self) {
      try Picture.decode(PictureFile.cmyk, path: "f")
    }
    #expect(error?.message.contains("CMYK") == true, "\(error?.message ?? "")")
  }

  @Test func otherFilesAreNoPictures() {
    for bytes in [[], Array("GIF89a".utf8), [0x89, 0x50]] as [[UInt8]] {
      let error = #expect(throws: FormatError.self) { try Picture.decode(bytes, path: "f") }
      #expect(error?.message == "is neither a PNG nor a JPEG file")
    }
  }
}
