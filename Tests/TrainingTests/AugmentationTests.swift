import Diagnostics
import Model
import Tensors
import Testing

@testable import Training

@Suite struct AugmentationTests {
  /// Sample i of an image shape: its number in thousands plus the place of the element, from 1 on.
  private func images(_ count: Int, _ shape: Shape = [2, 4, 5]) -> Samples {
    let size = shape.elementCount
    let values = (0..<count * size).map { Float($0 / size * 1000 + $0 % size + 1) }
    return Samples(
      shape: shape, count: count, storage: .floats(values),
      labels: .init(repeating: 0, count: count), classCount: 1)
  }

  private func section(_ augment: String, _ shape: Shape) throws -> DataSection {
    let text = """
      lgc: 1
      name: x
      data: {type: synthetic, augment: [\(augment)]}
      model: {input: \(shape), layers: [relu]}
      """
    return try #require(try experiment(text).data)
  }

  private func batches(
    _ augment: String, _ samples: Samples, batch: Int, steps: Int, from first: Int = 0,
    seed: UInt64 = 3
  ) throws -> [[Float]] {
    let section = try section(augment, samples.shape)
    let scaling = try InputScaling(section, samples: samples)
    let changes = try BatchAugmentation(section, samples: samples, scaling, seed: seed)
    let pipeline = BatchPipeline.training(
      samples, scaling, changes, batch: batch, order: .asStored, from: first, total: steps)
    var batches: [[Float]] = []
    while let batch = pipeline.withNext({ Array($0.x) }) { batches.append(batch) }
    return batches
  }

  private func mirrored(_ x: [Float], _ shape: Shape, vertically: Bool) -> [Float] {
    let (height, width) = (shape[1], shape[2])
    return x.indices.map { index in
      let (line, column) = index.quotientAndRemainder(dividingBy: width)
      let (channel, row) = line.quotientAndRemainder(dividingBy: height)
      let from = vertically ? (height - 1 - row, column) : (row, width - 1 - column)
      return x[(channel * height + from.0) * width + from.1]
    }
  }

  private func rows(_ x: [Float], _ size: Int) -> [[Float]] {
    stride(from: 0, to: x.count, by: size).map { Array(x[$0..<$0 + size]) }
  }

  @Test(arguments: [false, true]) func aFlippedSampleIsItsMirrorImage(_ vertically: Bool) throws {
    let samples = images(40)
    let flip = "flip: \(vertically ? "vertical" : "horizontal")"
    let plain = try batches("", samples, batch: 40, steps: 1)[0]
    let flipped = try batches(flip, samples, batch: 40, steps: 50)
    var count = 0
    for batch in flipped {
      for (a, b) in zip(rows(batch, 40), rows(plain, 40)) where a != b {
        #expect(a == mirrored(b, samples.shape, vertically: vertically))
        count += 1
      }
    }
    // 2000 throws of a coin: deviation 22.
    #expect(abs(count - 1000) < 120)
    let always = try batches("flip: {probability: 1}", samples, batch: 40, steps: 1)[0]
    #expect(rows(always, 40) == rows(plain, 40).map { mirrored($0, [2, 4, 5], vertically: false) })
    #expect(try batches("flip: {probability: 0}", samples, batch: 40, steps: 1)[0] == plain)
  }

  @Test(arguments: ["zeros", "reflect"]) func aCropIsAShiftWithItsPadding(_ mode: String) throws {
    let samples = images(30)
    let (height, width) = (4, 5)
    let plain = rows(try batches("", samples, batch: 30, steps: 1)[0], 40)
    var seen: Set<[Int]> = []
    for batch in try batches("crop: {padding: 2, mode: \(mode)}", samples, batch: 30, steps: 20) {
      for (a, b) in zip(rows(batch, 40), plain) {
        func shifted(_ down: Int, _ right: Int) -> [Float] {
          func place(_ index: Int, _ size: Int) -> Int? {
            if (0..<size).contains(index) { return index }
            return mode == "zeros" ? nil : index < 0 ? -index : 2 * size - 2 - index
          }
          return (0..<40).map { index in
            let (row, column) = (index / width % height, index % width)
            guard let i = place(row + down, height), let j = place(column + right, width) else {
              return 0
            }
            return b[(index / (width * height) * height + i) * width + j]
          }
        }
        let shifts = (-2...2).flatMap { down in (-2...2).map { [down, $0] } }
        let matching = shifts.first { shifted($0[0], $0[1]) == a }
        #expect(matching != nil)
        if let matching { seen.insert(matching) }
      }
    }
    // Each of the 25 places is drawn 24 times on average.
    #expect(seen.count == 25)
  }

  @Test func paddingIsWhatTheFilesZeroHasBecome() throws {
    let samples = Samples(
      shape: [2, 3, 3], count: 1, storage: .bytes(.init(repeating: 255, count: 18)), labels: [0],
      classCount: 1)
    let text = """
      lgc: 1
      name: x
      data: {type: fashion_mnist, range: [-1, 1], standardize: {mean: [0, 1], deviation: [1, 2]},
        augment: [{cutout: 64}]}
      model: {input: [2, 3, 3], layers: [relu]}
      """
    let section = try #require(try experiment(text).data)
    let scaling = try InputScaling(section, samples: samples)
    let changes = try BatchAugmentation(section, samples: samples, scaling, seed: 0)
    let pipeline = BatchPipeline.training(
      samples, scaling, changes, batch: 1, order: .asStored, total: 1)
    let x = pipeline.withNext { Array($0.x) }
    #expect(x == .init(repeating: -1, count: 9) + .init(repeating: -1, count: 9))
    #expect(scaling.zeros == [-1, -1])
  }

  @Test func aCutoutIsOneSquareOfEveryChannel() throws {
    let shape = [2, 8, 9]
    let samples = images(50, shape)
    let plain = rows(try batches("", samples, batch: 50, steps: 1)[0], 144)
    var areas: Set<Int> = []
    for (a, b) in zip(rows(try batches("cutout: 4", samples, batch: 50, steps: 1)[0], 144), plain) {
      let cut = a.indices.filter { a[$0] != b[$0] }
      #expect(cut.allSatisfy { a[$0] == 0 })
      let first = cut.filter { $0 < 72 }
      #expect(cut == first + first.map { $0 + 72 })
      let (rows, columns) = (Set(first.map { $0 / 9 }), Set(first.map { $0 % 9 }))
      #expect(first.count == rows.count * columns.count)
      #expect((2...4).contains(rows.count) && (2...4).contains(columns.count))
      areas.insert(first.count)
    }
    #expect(areas.contains(16) && areas.count > 2)
  }

  @Test func noiseHasItsMomentsAndIsIndependent() throws {
    let samples = Samples(
      shape: [1003], count: 20, storage: .floats(.init(repeating: 0, count: 20_060)),
      labels: .init(repeating: 0, count: 20), classCount: 1)
    let x = try batches("noise: 0.5", samples, batch: 20, steps: 5).flatMap { $0 }.map(Double.init)
    func mean(_ value: (Int) -> Double) -> Double {
      x.indices.reduce(0) { $0 + value($1) } / Double(x.count)
    }
    // 100 300 numbers: the deviation of a mean of squares is 0.25·√2/317, of the others like it.
    #expect(abs(mean { x[$0] }) < 0.01)
    #expect(abs(mean { x[$0] * x[$0] } - 0.25) < 0.006)
    #expect(abs(mean { x[$0] * x[$0] * x[$0] * x[$0] } - 3 * 0.0625) < 0.02)
    for lag in [1, 2, 3, 1003, 20_060] {
      let products = (lag..<x.count).map { x[$0] * x[$0 - lag] }
      #expect(abs(products.reduce(0, +) / Double(products.count)) < 0.006, "lag \(lag)")
    }
  }

  @Test func aResumedRunSeesTheSameBatches() throws {
    let samples = images(12)
    let all = "flip, {crop: 1}, {cutout: 2}, {noise: 0.1}"
    let whole = try batches(all, samples, batch: 5, steps: 9)
    #expect(try batches(all, samples, batch: 5, steps: 9, from: 4) == Array(whole[4...]))
    #expect(try batches(all, samples, batch: 5, steps: 9) == whole)
    #expect(try batches(all, samples, batch: 5, steps: 9, seed: 4) != whole)
    // The same samples are changed otherwise in another epoch.
    #expect(whole[0] != whole[2])
  }

  @Test func evaluationIsNotAugmented() throws {
    let samples = images(4)
    let section = try section("{noise: 3}", samples.shape)
    let scaling = try InputScaling(section, samples: samples)
    let x = BatchPipeline.evaluation(samples, scaling, batch: 4).withNext { Array($0.x) }
    #expect(x == (try batches("", samples, batch: 4, steps: 1)[0]))
  }

  @Test func theResolvedTextNamesEveryAugmentation() throws {
    let text = """
      lgc: 1
      name: x
      data: {type: synthetic, augment: [flip, {crop: 3}, {noise: 0.5}]}
      model: {input: [1, 6, 6], layers: [relu]}
      """
    let resolved = try experiment(text).resolvedText
    #expect(resolved.contains("- flip: {axis: horizontal, probability: 0.5}"))
    #expect(resolved.contains("- crop: {padding: 3, mode: zeros}"))
    #expect(try experiment(resolved).data?.augmentations.count == 3)
  }
}
