import Diagnostics
import Formats
import Model
import Testing

@testable import Datasets

@Suite struct ImageFolderTests {
  let files = DataFiles()

  private func png(_ width: Int, _ height: Int, _ channels: Int, _ pixels: [UInt8]) -> [UInt8] {
    PNG.encode(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test func foldersAreClassesInTheOrderOfTheirBytes() throws {
    try files.write("p/b/2.png", png(2, 1, 1, [20, 21]))
    try files.write("p/b/10.PNG", png(2, 1, 1, [10, 11]))
    try files.write("p/Z/deep/1.png", png(2, 1, 1, [30, 31]))
    try files.write("p/Z/notes.txt", "no picture")
    try files.write("p/.git/x.png", "no picture")
    let data = try files.load("{type: image_folder, path: p, channels: 1}")
    #expect(data.classNames == ["Z", "b"])
    #expect(data.train.shape == [1, 1, 2] && data.train.labels == [0, 1, 1])
    #expect(data.train.bytes == [30, 31, 10, 11, 20, 21])
  }

  @Test func channelsAreTakenApartOrMadeGrey() throws {
    let pixels: [UInt8] = [255, 255, 255, 10, 200, 30, 0, 0, 1]
    try files.write("p/a/1.png", png(3, 1, 3, pixels))
    let colours = try files.load("{type: image_folder, path: p}")
    #expect(colours.train.shape == [3, 1, 3])
    #expect(colours.train.bytes == [255, 10, 0, 255, 200, 0, 255, 30, 1])
    // Pillow's convert("L").
    let grey = try files.load("{type: image_folder, path: p, channels: 1}")
    #expect(grey.train.bytes == [0xFF, 0x7C, 0x00])
    try files.write("p/a/1.png", png(3, 1, 1, [1, 2, 3]))
    let widened = try files.load("{type: image_folder, path: p}")
    #expect(widened.train.bytes == [1, 2, 3, 1, 2, 3, 1, 2, 3])
  }

  /// What Pillow's `resize(size, Image.BILINEAR)` makes of a random picture of 7 × 5; it rounds to
  /// bytes between the two passes, so the last bit may differ.
  @Test(arguments: [
    (3, 2, "819861637455"),
    (
      10, 9,
      """
      829f8d16a0c77a3332506a95a25ea2b7903f3e604185c4d6a59bb454527a2264addea68b937e716b063f87cba67e\
      62ad9251173b79d48d5c4f5641252c3d6dcc75464921100d535b6a82615d796e59446b6d6855556b959d8565
      """
    ),
    (7, 3, "63ba6fbe9c25641877db7a6e7a4a4d5d914c715b3b"), (1, 1, "74"),
  ])
  func resamplingIsPillows(_ width: Int, _ height: Int, _ expected: String) throws {
    func bytes(_ text: String) -> [UInt8] {
      let digits = text.map { UInt8($0.hexDigitValue!) }
      return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
    let pixels = bytes("82b70eee7f1a5039bef07ec2347f066ed08f5dc7512447e3404300026b6e545594a065")
    try files.write("p/a/1.png", png(7, 5, 1, pixels))
    let data = try files.load(
      "{type: image_folder, path: p, channels: 1, size: [\(height), \(width)]}")
    let found = try #require(data.train.bytes)
    #expect(data.train.shape == [1, height, width])
    let differences = zip(found, bytes(expected)).map { abs(Int($0) - Int($1)) }
    #expect(differences.count == width * height && differences.max()! <= 1)
    #expect(differences.count { $0 == 1 } <= width * height / 4)
  }

  @Test func aTestFolderHasTheClassesOfTheTrainingFolder() throws {
    try files.write("p/a/1.png", png(1, 1, 1, [1]))
    try files.write("p/b/1.png", png(1, 1, 1, [2]))
    try files.write("q/b/1.png", png(1, 1, 1, [3]))
    let data = try files.load("{type: image_folder, path: p, test_path: q, channels: 1}")
    #expect(data.test?.labels == [1] && data.test?.classCount == 2)
    try files.write("q/c/1.png", png(1, 1, 1, [3]))
    let found = try diagnostic {
      _ = try files.load("{type: image_folder, path: p, test_path: q, channels: 1}")
    }
    #expect(found.message.hasSuffix("q/c` is the folder of a class without training pictures"))
  }

  @Test func picturesWithoutFoldersAreOneClass() throws {
    try files.write("p/1.png", png(1, 1, 1, [1]))
    let data = try files.load("{type: image_folder, path: p, channels: 1}")
    #expect(data.train.classCount == 1 && data.train.labels == [0])
  }

  @Test func faultsNameTheFile() throws {
    func fault(_ keys: String = "") throws -> String {
      try diagnostic { _ = try files.load("{type: image_folder, path: p\(keys)}") }.message
    }
    #expect(try fault().hasSuffix("p` cannot be read: no such file or directory"))
    try files.write("p/a/x.txt", "x")
    #expect(try fault().hasSuffix("p/a` holds no PNG or JPEG file"))
    let good = png(2, 1, 1, [1, 2])
    try files.write("p/a/1.png", good)
    try files.write("p/a/2.png", Array(good.dropLast(20)))
    let cut = try fault()
    #expect(cut.contains("p/a/2.png` is not a sound PNG file"), "\(cut)")
    try files.write("p/a/2.png", png(1, 2, 1, [1, 2]))
    let sizes = try fault()
    #expect(sizes.contains("p/a/2.png` is 1 × 2 pixels, "), "\(sizes)")
    #expect(try files.load("{type: image_folder, path: p, size: 2}").train.shape == [3, 2, 2])
    try files.write("p/a/2.png", "GIF89a")
    #expect(try fault().hasSuffix("p/a/2.png` is neither a PNG nor a JPEG file"))
    try files.write("p/stray.png", good)
    #expect(try fault().hasSuffix("p/stray.png` lies beside the folders of the classes"))
  }
}
