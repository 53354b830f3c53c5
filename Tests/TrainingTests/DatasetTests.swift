import Diagnostics
import Formats
import Glibc
import Model
import Testing

@testable import Datasets

@Suite struct DatasetTests {
  static let installed = "/usr/share/datasets/fashion-mnist"
  static let files = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
  ]

  private func load(_ data: String, seed: UInt64 = 0) throws -> LoadedData {
    let text = "lgc: 1\nname: x\ndata: \(data)\nmodel: {input: [2], layers: [dense: 2]}\n"
    let section = try #require(try experiment(text).data)
    return try section.dataset.load(section.arguments, directory: ".", seed: seed)
  }

  /// An IDX file of bytes.
  private func idx(_ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
    let extents = shape.flatMap { extent in
      [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: extent >> $0) }
    }
    return [0, 0, 8, UInt8(shape.count)] + extents + bytes
  }

  /// A folder with four small files of Fashion-MNIST's names, after `change`.
  private func folder(_ change: (Folder) throws -> Void = { _ in }) throws -> Folder {
    let folder = Folder()
    for (split, count) in [("train", 4), ("t10k", 2)] {
      let pixels = [UInt8](repeating: 7, count: count * 28 * 28)
      let labels = (0..<count).map { UInt8($0) }
      try AtomicFile.write(
        idx([count, 28, 28], pixels), to: "\(folder.path)/\(split)-images-idx3-ubyte")
      try AtomicFile.write(idx([count], labels), to: "\(folder.path)/\(split)-labels-idx1-ubyte")
    }
    try change(folder)
    return folder
  }

  @Test func theInstalledFashionMNISTIsComplete() throws {
    let data = try load("{type: fashion_mnist}")
    #expect(data.train.count == 60_000 && data.test?.count == 10_000)
    #expect(data.train.shape == [1, 28, 28] && data.train.classCount == 10)
    for digit in 0..<10 {
      #expect(data.train.labels.count { $0 == digit } == 6000)
      #expect(data.test?.labels.count { $0 == digit } == 1000)
    }
    guard case .bytes(let bytes) = data.train.storage else { return #expect(Bool(false)) }
    #expect(bytes.count == 60_000 * 784)
    // The mean that is known of this data set: 0.2860.
    let mean = Double(bytes.reduce(0) { $0 + Int($1) }) / Double(bytes.count) / 255
    #expect(abs(mean - 0.2860) < 1e-4)
    #expect(data.classNames?.count == 10)
  }

  @Test func plainFilesAreReadToo() throws {
    let folder = try folder()
    let data = try load("{type: fashion_mnist, path: \(folder.path)}")
    #expect(data.train.labels == [0, 1, 2, 3] && data.test?.count == 2)
  }

  @Test(arguments: files) func aMissingFileNamesThePackage(_ name: String) throws {
    let folder = try folder { unlink("\($0.path)/\(name)") }
    let found = try diagnostic { _ = try load("{type: fashion_mnist, path: \(folder.path)}") }
    #expect(found.code == .dataFile)
    #expect(found.message.contains("\(folder.path)/\(name)"))
    #expect(found.help?.contains("apt-get install dataset-fashion-mnist") == true)
  }

  @Test(arguments: files) func aBrokenCopyOfARealFileNamesTheFile(_ name: String) throws {
    let bytes = try InputFile.bytes("\(Self.installed)/\(name).gz")
    let folder = Folder()
    for other in Self.files {
      symlink("\(Self.installed)/\(other).gz", "\(folder.path)/\(other).gz")
    }
    unlink("\(folder.path)/\(name).gz")
    try AtomicFile.write(Array(bytes.prefix(bytes.count / 2)), to: "\(folder.path)/\(name).gz")
    let found = try diagnostic { _ = try load("{type: fashion_mnist, path: \(folder.path)}") }
    #expect(found.code == .dataFormat)
    #expect(found.message.contains("\(folder.path)/\(name).gz` is cut off"), "\(found.message)")
  }

  @Test func aLabelOutOfRangeNamesTheSample() throws {
    let folder = try folder {
      try AtomicFile.write(
        idx([4], [0, 9, 10, 1]), to: "\($0.path)/train-labels-idx1-ubyte")
    }
    let found = try diagnostic { _ = try load("{type: fashion_mnist, path: \(folder.path)}") }
    #expect(found.code == .dataLabels)
    #expect(found.message.contains("sample 2 of"))
    #expect(found.message.contains("has the label 10"))
  }

  @Test func countsThatDifferNameBothFiles() throws {
    let folder = try folder {
      try AtomicFile.write(idx([3], [0, 1, 2]), to: "\($0.path)/train-labels-idx1-ubyte")
    }
    let found = try diagnostic { _ = try load("{type: fashion_mnist, path: \(folder.path)}") }
    #expect(found.code == .dataFormat)
    #expect(found.message.contains("holds 4 images"))
    #expect(found.message.contains("holds 3 labels"))
  }

  @Test func idxReadsItsFourFilesAndCountsClasses() throws {
    let folder = try folder()
    let path = "\(folder.path)/"
    let train = "images: \(path)train-images-idx3-ubyte, labels: \(path)train-labels-idx1-ubyte"
    let test =
      "test_images: \(path)t10k-images-idx3-ubyte, test_labels: \(path)t10k-labels-idx1-ubyte"
    let data = try load("{type: idx, \(train), \(test)}")
    #expect(data.train.classCount == 4 && data.test?.classCount == 4)
    #expect(try load("{type: idx, \(train)}").test == nil)
    #expect(try load("{type: idx, \(train), classes: 9}").train.classCount == 9)
    let tooFew = try diagnostic { _ = try load("{type: idx, \(train), classes: 3}") }
    #expect(tooFew.code == .dataLabels)
    let missing = try diagnostic { _ = try load("{type: idx, images: /none, labels: /none}") }
    #expect(missing.code == .dataFile)
    #expect(missing.message == "`/none` cannot be read: no such file or directory")
    #expect(missing.span?.text == "/none")
  }

  @Test func pathsStartAtTheDescriptionsFolder() {
    #expect(resolved("a/b", in: "models") == "models/a/b")
    #expect(resolved("/a/b", in: "models") == "/a/b")
    #expect(resolved("a", in: ".") == "a")
  }

  @Test func noiseIsUniformInBytesAndLabels() {
    let samples = Synthetic.noise(count: 3000, shape: [3, 5], classes: 7, seed: 4, split: "train")
    guard case .bytes(let bytes) = samples.storage else {
      Issue.record("noise is stored as bytes")
      return
    }
    #expect(bytes.count == 3000 * 15 && samples.labels.count == 3000)
    // 45 000 bytes in 256 bins: 176 a bin, deviation 13; 3000 labels in 7: 429, deviation 19.
    var counts = [Int](repeating: 0, count: 256)
    for byte in bytes { counts[Int(byte)] += 1 }
    #expect(counts.allSatisfy { (176 - 80...176 + 80).contains($0) })
    for label in 0..<7 {
      let count = samples.labels.count { $0 == label }
      #expect((429 - 110...429 + 110).contains(count))
    }
    let test = Synthetic.noise(count: 3000, shape: [3, 5], classes: 7, seed: 4, split: "test")
    #expect(test.labels != samples.labels)
  }

  @Test func twoMoonsLieOnTheirHalfCircles() throws {
    let data = try load("{type: synthetic, samples: 101, test_samples: 0, noise: 0}")
    #expect(data.test == nil)
    #expect(data.train.labels.count { $0 == 0 } == 50 && data.train.labels.count == 101)
    guard case .floats(let points) = data.train.storage else { return #expect(Bool(false)) }
    for (index, label) in data.train.labels.enumerated() {
      let (x, y) = (Double(points[2 * index]), Double(points[2 * index + 1]))
      if label == 0 {
        #expect(abs(x * x + y * y - 1) < 1e-6 && y >= -1e-6)
      } else {
        #expect(abs((x - 1) * (x - 1) + (y - 0.5) * (y - 0.5) - 1) < 1e-6 && y <= 0.5 + 1e-6)
      }
    }
    // In a random order, not class after class.
    #expect(Set(data.train.labels.prefix(30)).count == 2)
  }

  @Test func theSeedAloneDeterminesTheMoons() throws {
    func points(_ seed: UInt64) throws -> [Float] {
      let data = try load("{type: synthetic, samples: 500, noise: 0.2}", seed: seed)
      guard case .floats(let points) = data.train.storage else { return [] }
      return points
    }
    #expect(try points(1) == points(1))
    #expect(try points(1) != points(2))
  }

  @Test func theNoiseHasItsDeviation() {
    let exact = Synthetic.twoMoons(count: 20_000, noise: 0, seed: 5, split: "train")
    let noisy = Synthetic.twoMoons(count: 20_000, noise: 0.3, seed: 5, split: "train")
    guard case .floats(let a) = exact.storage, case .floats(let b) = noisy.storage else {
      return #expect(Bool(false))
    }
    let squares = zip(a, b).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    #expect(abs((squares / Double(a.count)).squareRoot() - 0.3) < 0.005)
  }

  @Test func blobsLieAboutPointsOfTheUnitCircle() throws {
    let data = try load(
      "{type: synthetic, name: blobs, classes: 4, samples: 4000, noise: 0.1, test_samples: 0}")
    guard case .floats(let points) = data.train.storage else { return #expect(Bool(false)) }
    #expect(data.train.classCount == 4 && data.modes?.centres.count == 4)
    for label in 0..<4 {
      let members = data.train.labels.indices.filter { data.train.labels[$0] == Int32(label) }
      #expect(members.count == 1000)
      let x = members.reduce(0.0) { $0 + Double(points[2 * $1]) } / 1000
      let y = members.reduce(0.0) { $0 + Double(points[2 * $1 + 1]) } / 1000
      // The deviation of a mean is 0.1/√1000 = 0.003.
      let angle = Double(label) * Double.pi / 2
      #expect(abs(x - cos(angle)) < 0.02 && abs(y - sin(angle)) < 0.02)
    }
  }

  @Test func idxOfFloatsAreNumbers() throws {
    let folder = Folder()
    let values: [UInt8] = [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0]
    try AtomicFile.write([0, 0, 0x0D, 2, 0, 0, 0, 2, 0, 0, 0, 1] + values, to: "\(folder.path)/x")
    try AtomicFile.write(idx([2], [1, 0]), to: "\(folder.path)/y")
    let section = "{type: idx, images: \(folder.path)/x, labels: \(folder.path)/y}"
    let data = try load(section)
    guard case .floats(let floats) = data.train.storage else { return #expect(Bool(false)) }
    #expect(floats == [1, -2] && data.train.shape == [1] && data.train.labels == [1, 0])
    let broken: [UInt8] = [0x3F, 0x80, 0, 0, 0x7F, 0xC0, 0, 0]
    try AtomicFile.write([0, 0, 0x0D, 2, 0, 0, 0, 2, 0, 0, 0, 1] + broken, to: "\(folder.path)/x")
    let found = try diagnostic { _ = try load(section) }
    #expect(found.message.hasSuffix("has nan at element 0, not a finite float32 number"))
    #expect(found.message.hasPrefix("sample 1 of"))
  }
}
