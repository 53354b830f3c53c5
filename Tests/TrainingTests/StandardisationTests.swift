import CPUEngine
import Diagnostics
import Lipschitz
import Model
import Rounding
import Tensors
import Testing

@testable import Training

@Suite struct StandardisationTests {
  private func section(_ data: String) throws -> DataSection {
    let text = "lgc: 1\nname: t\ndata: \(data)\nmodel: {input: [2], layers: [dense: 2]}\n"
    return try #require(try experiment(text).data)
  }

  private func samples(_ shape: Shape, _ storage: Samples.Storage, count: Int) -> Samples {
    Samples(
      shape: shape, count: count, storage: storage, labels: .init(repeating: 0, count: count),
      classCount: 1)
  }

  /// After it every channel of the training samples has mean 0 and deviation 1.
  @Test(arguments: [
    "{type: synthetic, standardize: data}", "{type: synthetic, range: [-3, 7], standardize: data}",
  ])
  func standardisedChannelsHaveMeanZeroAndDeviationOne(_ data: String) throws {
    let isBytes = data.contains("range")
    let (count, size) = (50, 6)
    // 0 … 240, the second channel half of it.
    let values = (0..<count * 3 * size).map { (index: Int) -> Int in
      let value = index * 7919 % 241
      return index / size % 3 == 1 ? value / 2 : value
    }
    let train = samples(
      [3, 2, 3],
      isBytes
        ? .bytes(values.map { UInt8($0) }) : .floats(values.map { Float($0) * 0.37 - 12 }),
      count: count)
    let section = try section(data).measured(on: train)
    let scaled = try InputScaling(section, samples: train).scaled(train, at: 0..<count)
    for channel in 0..<3 {
      let own = scaled.flatMap { $0[channel * size..<(channel + 1) * size] }.map(Double.init)
      let mean: Double = own.reduce(0, +) / Double(own.count)
      let square: Double = own.map { $0 * $0 }.reduce(0, +) / Double(own.count)
      #expect(abs(mean) < 1e-6 && abs(square - 1) < 1e-6, "\(channel): \(mean), \(square)")
    }
    // A unit of the file is that of the channel that varies least.
    let least = try #require(section.standardize?.deviation.min())
    let width = isBytes ? 10.0 / 255 : 1
    #expect(abs(section.unitFactor.value - width / least) < 1e-12 * width / least)
    #expect(section.unitFactor.value >= width / least * (1 - 1e-15))
  }

  /// 10⁸ + (0, 1, 2): the size of numbers does not cost the deviation its digits.
  @Test func largeNumbersKeepTheirDeviation() throws {
    let train = samples([1], .floats([16_777_208, 16_777_210, 16_777_212]), count: 3)
    let section = try section("{type: synthetic, standardize: data}").measured(on: train)
    #expect(abs(section.standardize!.deviation[0] - (8.0 / 3).squareRoot()) < 1e-12)
    #expect(section.standardize!.mean == [16_777_210])
  }

  @Test(arguments: [
    (Samples.Storage.bytes([1, 7, 2, 7, 3, 7]), "channel 1 of every sample is 7"),
    (.floats([1, 7, 2, 7, 3, 7]), "channel 1 of every sample is 7"),
    (.floats([0.5, 7, 0.5, 7, 0.5, 7]), "channel 0 of every sample is 0.5, and 1 more of the 2"),
  ])
  func aConstantChannelIsAnError(_ storage: Samples.Storage, _ part: String) throws {
    let section = try section("{type: synthetic, standardize: data}")
    let error = #expect(throws: DiagnosticError.self) {
      try section.measured(on: samples([2], storage, count: 3))
    }
    let diagnostic = try #require(error?.diagnostics.first)
    #expect(diagnostic.code == .dataFormat && diagnostic.span != nil)
    #expect(diagnostic.message.contains(part), "\(diagnostic.message)")
  }

  /// A run stores the numbers, its certificates are in their units, and evaluation of the
  /// description finds the same again.
  @Test func aRunKeepsWhatItMeasured() throws {
    let text = """
      lgc: 1
      name: standard
      data: {type: synthetic, name: two_moons, samples: 200, test_samples: 50, noise: 0.2,
        standardize: data, validation: 0.25}
      model: {input: [2], lipschitz: 1, constraint: spectral, layers: [dense: 8, relu, dense: 2]}
      loss: cross_entropy
      train: {steps: 20, batch: 50}
      """
    let described = try experiment(text)
    let setup = try TrainingSetup(described, directory: ".")
    let measured = try #require(setup.experiment.data?.standardize)
    #expect(measured.mean.count == 2 && setup.data.train.count == 150)
    let again = try experiment(setup.experiment.storedText)
    #expect(again.data?.standardize?.mean == measured.mean)
    #expect(again.data?.standardize?.deviation == measured.deviation)
    let subject = try EvaluationSubject(described, directory: ".", count: nil)
    #expect(subject.section.standardize?.mean == measured.mean)
    #expect(described.data?.unitFactor == .unknown)
  }
}
