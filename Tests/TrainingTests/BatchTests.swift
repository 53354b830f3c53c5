import Diagnostics
import Model
import Testing

@testable import Training

@Suite struct BatchTests {
  /// Sample i is the one number i, its label i mod 3.
  private func numbered(_ count: Int) -> Samples {
    Samples(
      shape: [1], count: count, storage: .floats((0..<count).map(Float.init)),
      labels: (0..<count).map { Int32($0 % 3) }, classCount: 3)
  }

  private func section(_ data: String) throws -> DataSection {
    let text = "lgc: 1\nname: x\ndata: \(data)\nmodel: {input: [2], layers: [dense: 2]}\n"
    return try #require(try experiment(text).data)
  }

  private func plain(_ samples: Samples) throws -> InputScaling {
    try InputScaling(try section("{type: synthetic}"), samples: samples)
  }

  private func all(_ pipeline: BatchPipeline) -> [(x: [Float], labels: [Float], count: Int)] {
    var batches: [(x: [Float], labels: [Float], count: Int)] = []
    while let batch = pipeline.withNext({ (Array($0.x), Array($0.labels), $0.count) }) {
      batches.append(batch)
    }
    return batches
  }

  @Test func anEpochHasEverySampleOnceButTheRemainder() throws {
    let samples = numbered(103)
    let pipeline = BatchPipeline.training(
      samples, try plain(samples), batch: 10, order: .shuffled(seed: 4), total: 30)
    let batches = all(pipeline)
    #expect(batches.count == 30)
    for epoch in 0..<3 {
      let seen = batches[epoch * 10..<(epoch + 1) * 10].flatMap(\.x)
      #expect(Set(seen).count == 100)
      #expect(seen != seen.sorted())
    }
    for batch in batches {
      #expect(batch.labels == batch.x.map { Float(Int($0) % 3) })
      #expect(batch.count == 10)
    }
    #expect(batches[0].x != batches[10].x)
  }

  @Test func targetsFollowTheirSamples() throws {
    let samples = Samples(
      shape: [1], count: 7, storage: .floats((0..<7).map(Float.init)), labels: [], classCount: 0,
      targets: (0..<7).flatMap { [Float($0) * 2, Float($0) * 3] }, targetShape: [2])
    for batch in all(
      .training(samples, try plain(samples), batch: 3, order: .shuffled(seed: 1), total: 4))
    {
      #expect(batch.labels == batch.x.flatMap { [$0 * 2, $0 * 3] })
    }
    let last = try #require(
      all(.evaluation(samples, try plain(samples), batch: 4)).last)
    #expect(last.labels == [8, 12, 10, 15, 12, 18, 0, 0] && last.count == 3)
  }

  @Test(arguments: [0, 1, 7, 8, 13, 29, 30])
  func batchesFromAStepOnAreThoseOfTheWholeRun(first: Int) throws {
    let samples = numbered(67)
    func batches(from first: Int) throws -> [[Float]] {
      let pipeline = BatchPipeline.training(
        samples, try plain(samples), batch: 8, order: .shuffled(seed: 5), from: first, total: 30)
      return all(pipeline).map(\.x)
    }
    #expect(try batches(from: first) == Array(batches(from: 0)[first...]))
  }

  @Test func theOrderIsAFunctionOfSeedAndEpoch() throws {
    let samples = numbered(40)
    func order(_ seed: UInt64) throws -> [[Float]] {
      let pipeline = BatchPipeline.training(
        samples, try plain(samples), batch: 8, order: .shuffled(seed: seed), total: 12)
      return all(pipeline).map(\.x)
    }
    #expect(try order(1) == order(1))
    #expect(try order(1) != order(2))
  }

  @Test func storedOrderRepeats() throws {
    let samples = numbered(7)
    let pipeline = BatchPipeline.training(
      samples, try plain(samples), batch: 3, order: .asStored, total: 5)
    #expect(all(pipeline).map(\.x) == [[0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5], [0, 1, 2]])
  }

  @Test func evaluationSeesEverySampleAndPadsWithZeros() throws {
    let samples = numbered(7)
    let batches = all(.evaluation(samples, try plain(samples), batch: 3))
    #expect(batches.map(\.x) == [[0, 1, 2], [3, 4, 5], [6, 0, 0]])
    #expect(batches.map(\.count) == [3, 3, 1])
    #expect(batches[2].labels == [0, 0, 0])
  }

  @Test func aPipelineThatIsNotUsedUpEnds() throws {
    let samples = numbered(1000)
    for used in 0..<20 {
      let pipeline = BatchPipeline.training(
        samples, try plain(samples), batch: 10, order: .shuffled(seed: 1), total: .max)
      for _ in 0..<used { #expect(pipeline.withNext { $0.count } == 10) }
    }
  }

  @Test func aBodyThatThrowsGivesItsBatchBack() throws {
    struct Stop: Error {}
    let samples = numbered(6)
    let pipeline = BatchPipeline.training(
      samples, try plain(samples), batch: 2, order: .asStored, total: 3)
    #expect(throws: Stop.self) { try pipeline.withNext { _ in throw Stop() } }
    #expect(pipeline.withNext { Array($0.x) } == [2, 3])
  }

  @Test func bytesAreMappedLikeADivisionBy255() throws {
    let bytes = Samples(
      shape: [1, 16, 16], count: 1, storage: .bytes((0...255).map { UInt8($0) }), labels: [0],
      classCount: 1)
    func scaled(_ data: String) throws -> [Float] {
      all(.evaluation(bytes, try InputScaling(try section(data), samples: bytes), batch: 1))[0].x
    }
    let unit = try scaled("{type: fashion_mnist, range: [0, 1]}")
    #expect(unit == (0...255).map { Float($0) / 255 })
    let symmetric = try scaled("{type: fashion_mnist, range: [-1, 1]}")
    #expect(symmetric[0] == -1 && symmetric[255] == 1)
    #expect(try scaled("{type: fashion_mnist}") == (0...255).map(Float.init))
    let standardized = try scaled(
      "{type: fashion_mnist, range: [0, 1], standardize: {mean: 0.5, deviation: 0.25}}")
    #expect(standardized[0] == -2 && standardized[255] == 2)
  }

  @Test func everyChannelHasItsOwnMean() throws {
    let bytes = Samples(
      shape: [2, 1, 2], count: 1, storage: .bytes([0, 10, 20, 30]), labels: [0], classCount: 1)
    let section = try section(
      "{type: fashion_mnist, standardize: {mean: [0, 20], deviation: [1, 10]}}")
    let scaling = try InputScaling(section, samples: bytes)
    #expect(all(.evaluation(bytes, scaling, batch: 1))[0].x == [0, 10, 0, 1])
  }

  @Test func scalingThatCannotBeIsAnError() throws {
    let three = Samples(
      shape: [3, 1, 1], count: 1, storage: .bytes([0, 0, 0]), labels: [0], classCount: 1)
    let twoMeans = try section(
      "{type: fashion_mnist, standardize: {mean: [0, 1], deviation: [1, 1]}}")
    let channels = try diagnostic { _ = try InputScaling(twoMeans, samples: three) }
    #expect(channels.code == .dataShape)
    let range = try section("{type: synthetic, range: [0, 1]}")
    let floats = try diagnostic { _ = try InputScaling(range, samples: numbered(3)) }
    #expect(floats.code == .dataFormat)
  }
}
