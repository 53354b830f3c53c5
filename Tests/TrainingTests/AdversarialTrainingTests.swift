import CPUEngine
import Diagnostics
import Formats
import Foundation
import Glibc
import Lipschitz
import Model
import Tensors
import Testing

@testable import Datasets
@testable import Training

private let description = """
  lgc: 1
  name: points
  data: {type: synthetic, name: eight_gaussians, samples: 512, test_samples: 100}
  models:
    generator:
      input: {noise: normal, shape: [2]}
      layers: [{dense: {units: 16, activation: relu}}, {dense: 2}]
    critic:
      input: [2]
      lipschitz: {norm: l2, bound: 1.5}
      constraint: {type: spectral}
      layers: [{dense: {units: 16, activation: group_sort}}, {dense: 1}]
  loss: {family: LOSS}
  optimizer: {type: adam, lr: 2e-3, betas: [0.5, 0.9]}
  train: {steps: 40, batch: 32, critic_steps: 2, seed: 5, generator_average: 0.9}
  targets:
    - lipschitz: {of: critic, bound: 2.25}
    - lipschitz: {of: generator, report: true}
  """

/// The same with a class that is asked for.
private let conditional = description.replacing("LOSS", with: "wgan")
  .replacing("shape: [2]}", with: "shape: [2], classes: 8}")
  .replacing("{dense: 1}]", with: "{dense: 8}]")

private func run(
  _ loss: String, in folder: String, more: String = ""
) throws -> AdversarialResult {
  let setup = try AdversarialSetup(
    try experiment(description.replacing("LOSS", with: loss) + more), directory: ".")
  return try AdversarialRun(
    setup,
    options: TrainingOptions(
      version: "test", engine: CPUEngine(), threads: 1, output: folder)
  ).run()
}

private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("lgc-adversarial-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

@Suite struct AdversarialTrainingTests {
  @Test(arguments: ["wgan", "relativistic", "wgan_gp"])
  func aRunProvesItsCriticAndRepeatsBitForBit(_ loss: String) throws {
    try withFolder { folder in
      let result = try run(loss, in: folder + "/a")
      #expect(result.steps == 40 && result.exitCode == 0)
      #expect(result.judgements.map(\.isMet) == [true, nil])
      let bound = try #require(result.criticBounds.first { $0.norm == .l2 }?.upper)
      #expect(bound.value <= 2.25)
      let coverage = try #require(result.coverage)
      #expect(coverage.modes == 8)
      let distance = try #require(result.distance)
      #expect(distance.count == 100 && distance.rounds == 1)
      #expect(distance.floor > 0 && distance.generated > distance.floor)
      // No pairing can be cheaper than what a proved critic says.
      let least = try #require(distance.lowerBound)
      #expect(least <= distance.generated)

      let stored = try SafeTensors.read(folder + "/a/weights.safetensors")
      #expect(stored.map(\.name).contains("generator.dense_2.bias"))
      #expect(stored.map(\.name).contains("critic.dense_1.weight"))
      #expect(RunDirectory(path: folder + "/a").isComplete)
      let lines = try String(contentsOfFile: folder + "/a/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n")
      #expect(lines.count == 20)
      let last = try JSON(Array(lines[19].utf8))
      #expect(last["step"] != nil && last["gap"] != nil && last["high_quality"] != nil)

      _ = try run(loss, in: folder + "/b")
      for file in ["weights.safetensors", "bound.json"] {
        let (a, b) = try (
          InputFile.bytes("\(folder)/a/\(file)"), InputFile.bytes("\(folder)/b/\(file)")
        )
        #expect(a == b, "\(file)")
      }
    }
  }

  @Test(arguments: [true, false])
  func aReportComesAsOftenAndAsPicturedAsItIsAsked(_ plots: Bool) throws {
    try withFolder { folder in
      _ = try run(
        "wgan", in: folder + "/a",
        more: "\nreport: {every: 16 steps, plots: \(plots), samples: 4}\n")
      let steps = try String(contentsOfFile: folder + "/a/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").map { try JSON(Array($0.utf8))["step"]?.double }
      #expect(steps == [16, 32, 40])
      let files = FileManager.default
      #expect(files.fileExists(atPath: folder + "/a/report.html") == plots)
      #expect(files.fileExists(atPath: folder + "/a/samples/step-32.png") == plots)
    }
  }

  @Test func storedSamplesAreThoseOfTheAveragedGenerator() throws {
    let setup = try AdversarialSetup(
      try experiment(description.replacing("LOSS", with: "sgan")), directory: ".")
    let runner = try AdversarialRunner(setup, engine: CPUEngine(), threads: 1)
    for _ in 0..<5 { _ = try runner.run() }
    let before = try runner.samples(20)
    let weights = try runner.deployedWeights()[0]
    let deployed = try DeployedNetwork(
      setup.generator,
      weights: Dictionary(uniqueKeysWithValues: weights.map { ($0.name, $0.values) }),
      engine: CPUEngine(), threads: 1, batch: 20)
    var noise = NoiseSource(setup.generator, seed: setup.train.seed)
    let after = try deployed.outputs(of: noise.draw(20))
    #expect(zip(before, after).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  /// Sample i of all classes in turn has the noise of sample i of one class.
  @Test func theNoiseDoesNotDependOnTheClass() throws {
    let text = conditional
    let network = try experiment(text).networks[0]
    var (all, third) = (NoiseSource(network, seed: 4), NoiseSource(network, seed: 4, asked: 3))
    let (a, b) = (all.draw(20), third.draw(20))
    #expect(a.count == 20 * 10)
    for sample in 0..<20 {
      let (x, y) = (a[sample * 10..<sample * 10 + 10], b[sample * 10..<sample * 10 + 10])
      #expect(Array(x.prefix(2)) == Array(y.prefix(2)))
      #expect(Array(x.dropFirst(2)) == (0..<8).map { $0 == sample % 8 ? 1 : 0 })
      #expect(Array(y.dropFirst(2)) == (0..<8).map { $0 == 3 ? 1 : 0 })
    }
  }

  @Test func aRunOfClassesMeasuresWhetherTheyAreAsAsked() throws {
    try withFolder { folder in
      let text = conditional
      let experiment = try experiment(text)
      let setup = try AdversarialSetup(experiment, directory: ".")
      let options = TrainingOptions(
        version: "test", engine: CPUEngine(), threads: 1, output: folder)
      let result = try AdversarialRun(setup, options: options).run()
      let coverage = try #require(result.coverage)
      #expect(try #require(coverage.asAsked) >= 0)
      // A pairing may mix the classes, so the critic of one says nothing of it.
      #expect(try #require(result.distance).lowerBound == nil)
      #expect(result.judgements.map(\.isMet) == [true, nil])
      let generator = try StoredGenerator(
        experiment, weights: "\(folder)/weights.safetensors", engine: CPUEngine(), threads: 1)
      #expect(generator.classes == 8)
      let all = try generator.samples(16, seed: 2)
      let third = try generator.samples(16, seed: 2, asked: 3)
      #expect(all[6..<8] == third[6..<8] && all[22..<24] == third[22..<24])
      #expect(all[0..<2] != third[0..<2])
    }
  }

  @Test(arguments: [
    ("name: eight_gaussians", "name: twenty_five_gaussians", "25 classes"),
    ("name: eight_gaussians", "name: swiss_roll", "one class"),
  ])
  func dataOfOtherClassesAreRefused(_ from: String, _ to: String, _ found: String) throws {
    let error = #expect(throws: DiagnosticError.self) {
      try AdversarialSetup(
        try experiment(conditional.replacing(from, with: to)), directory: ".")
    }
    #expect(error?.diagnostics.map(\.code) == [.dataShape])
    #expect(error?.diagnostics.first?.message.hasSuffix("the samples have \(found)") == true)
  }

  /// Every line of metrics has its picture, in the folder and in the event file.
  @Test func picturesStandBesideTheCurves() throws {
    try withFolder { folder in
      _ = try run("wgan", in: folder)
      let directory = RunDirectory(path: folder)
      let pictures = try FileManager.default.contentsOfDirectory(atPath: directory.samples)
      #expect(pictures.count == 20)
      let events = try InputFile.bytes(try #require(directory.eventFiles.first))
      let picture = try InputFile.bytes("\(directory.samples)/step-40.png")
      func occurrences(_ part: [UInt8]) -> Int {
        var count = 0
        var start = events.startIndex
        while let found = events[start...].firstRange(of: part) {
          count += 1
          start = found.upperBound
        }
        return count
      }
      #expect(occurrences(picture) == 1)
      #expect(occurrences(Array("samples".utf8)) == 20)
    }
  }

  @Test func aLossThatIsNotFiniteEndsTheRunAndIsRecorded() throws {
    try withFolder { folder in
      let text = description.replacing("LOSS", with: "wgan")
        .replacing("      constraint: {type: spectral}\n", with: "")
        .replacing("{type: adam, lr: 2e-3, betas: [0.5, 0.9]}", with: "{type: sgd, lr: 1e30}")
      let setup = try AdversarialSetup(try experiment(text), directory: ".")
      let options = TrainingOptions(
        version: "test", engine: CPUEngine(), threads: 1, output: folder)
      let error = #expect(throws: DiagnosticError.self) {
        try AdversarialRun(setup, options: options).run()
      }
      let found = try #require(error?.diagnostics.first)
      #expect(found.code == .diverged)
      #expect(found.message.contains(" at step "))
      #expect(found.notes.first?.contains("not finite") == true)
      let record = try JSON(InputFile.bytes("\(folder)/run.json"))
      #expect(record["failure"]?.string == found.message)
      #expect(!RunDirectory(path: folder).isComplete)
    }
  }

  @Test func aLimitOfMemoryIsHeldBeforeTheFirstStep() throws {
    let setup = try AdversarialSetup(
      try experiment(description.replacing("LOSS", with: "wgan")), directory: ".")
    let error = #expect(throws: DiagnosticError.self) {
      try AdversarialRunner(setup, engine: CPUEngine(), threads: 1, memoryLimit: 10_000)
    }
    #expect(error?.diagnostics.map(\.code) == [.tooMuchMemory])
    _ = try AdversarialRunner(setup, engine: CPUEngine(), threads: 1, memoryLimit: 100_000_000)
  }

  @Test func aSectionThatIsMissingIsNamed() throws {
    let bare = """
      lgc: 1
      name: t
      models:
        generator: {input: {shape: [2]}, layers: [{dense: 2}]}
        critic: {input: [2], layers: [{dense: 1}]}
      """
    let error = #expect(throws: DiagnosticError.self) {
      try AdversarialSetup(try experiment(bare), directory: ".")
    }
    #expect(error?.diagnostics.map(\.code) == [.missingSection, .missingSection])
  }
}

@Suite struct SampleQualityTests {
  /// Against all pairings of few points, tried one by one.
  @Test(arguments: 1...20)
  func theAssignmentIsTheCheapest(_ seed: Int) {
    var random = PhiloxGenerator(seed: UInt64(seed), stream: "points")
    let n = 1 + seed % 7
    func points() -> [Float] { (0..<2 * n).map { _ in Float(random.normal()) } }
    let (a, b) = (points(), points())
    func cost(_ i: Int, _ j: Int) -> Double {
      let x = Double(a[2 * i]) - Double(b[2 * j])
      let y = Double(a[2 * i + 1]) - Double(b[2 * j + 1])
      return (x * x + y * y).squareRoot()
    }
    func least(_ row: Int, _ free: [Int]) -> Double {
      free.isEmpty
        ? 0
        : free.indices.map { index in
          var rest = free
          let column = rest.remove(at: index)
          return cost(row, column) + least(row + 1, rest)
        }.min()!
    }
    let found = wassersteinDistance(a, b, size: 2)
    #expect(abs(found - least(0, Array(0..<n)) / Double(n)) < 1e-12)
  }

  @Test func aShiftOfAllPointsIsTheDistance() {
    var random = PhiloxGenerator(seed: 1, stream: "points")
    let a = (0..<200).map { _ in Float(random.normal()) }
    let b = a.enumerated().map { $0.offset % 2 == 0 ? $0.element + 3 : $0.element + 4 }
    #expect(abs(wassersteinDistance(a, b, size: 2) - 5) < 1e-5)
    #expect(wassersteinDistance(a, a, size: 2) == 0)
  }

  @Test func coverageCountsModesAndShares() {
    let modes = Modes(centres: [[0, 0], [10, 0]], deviation: 1)
    // Three at the first centre, one just outside three deviations of the second.
    let found = ModeCoverage(of: [0, 0, 1, 1, 0, 2.9, 10, 3.1], modes: modes)
    #expect(found.covered == 1 && found.filled == 1 && found.modes == 2)
    #expect(found.highQuality == 0.75 && found.asAsked == nil)
    // The first and the third were asked to be of mode 0.
    let asked = ModeCoverage(of: [0, 0, 1, 1, 0, 2.9, 10, 3.1], modes: modes, classes: 2)
    #expect(asked.asAsked == 2.0 / 3)
    let both = ModeCoverage(of: [Float](repeating: 0, count: 40) + [10, 0], modes: modes)
    #expect(both.covered == 2 && both.filled == 1)
  }

  @Test(arguments: [
    ("eight_gaussians", 8), ("twenty_five_gaussians", 25), ("swiss_roll", 0), ("circles", 0),
    ("spirals", 0), ("blobs", 3),
  ])
  func planeSetsAreTheirFormulas(_ name: String, _ modes: Int) throws {
    let kind = try #require(Synthetic.Name(rawValue: name))
    let set = PlaneSet(name: kind, noise: kind.deviation)
    let count = 5000
    let samples = set.draw(count: count, seed: 3, split: "train")
    guard case .floats(let points) = samples.storage else { return #expect(Bool(false)) }
    #expect(points.count == 2 * count && samples.labels.count == count)
    #expect(set.modes?.centres.count ?? 0 == modes)
    if let modes = set.modes {
      let coverage = ModeCoverage(of: points, modes: modes)
      #expect(coverage.filled == modes.centres.count)
      // 1 − e^(−4.5) of a normal distribution in the plane is within three deviations.
      #expect(abs(coverage.highQuality - 0.98889) < 0.008)
      for index in 0..<count {
        let centre = modes.centres[Int(samples.labels[index])]
        let x = Double(points[2 * index]) - centre[0]
        let distance = hypot(x, Double(points[2 * index + 1]) - centre[1])
        #expect(distance < 6 * modes.deviation)
      }
    }
    let quiet = PlaneSet(name: kind, noise: 0).draw(count: 400, seed: 3, split: "train")
    guard case .floats(let exact) = quiet.storage else { return #expect(Bool(false)) }
    for index in 0..<400 {
      let (x, y) = (Double(exact[2 * index]), Double(exact[2 * index + 1]))
      let radius = hypot(x, y)
      switch kind {
      case .eightGaussians: #expect(abs(radius - 2 / 1.414) < 1e-6)
      case .blobs:
        let angle = 2 * Double.pi / 3 * Double(quiet.labels[index])
        #expect(hypot(x - cos(angle), y - sin(angle)) < 1e-6)
      case .circles: #expect(abs(radius - (quiet.labels[index] == 0 ? 1 : 0.5)) < 1e-6)
      case .swissRoll:
        // The angle is the radius: t·(cos t, sin t).
        let t = radius * 7.5
        let error = hypot(cos(t) * t - 7.5 * x, sin(t) * t - 7.5 * y)
        #expect(error < 1e-4)
        let turns = t / Double.pi
        #expect(turns >= 1.49999 && turns <= 4.50001)
      case .spirals:
        let t = radius * 3 * Double.pi
        let sign: Double = quiet.labels[index] == 0 ? 1 : -1
        let error = hypot(sign * radius * cos(t) - x, sign * radius * sin(t) - y)
        #expect(error < 1e-4)
      case .twentyFiveGaussians:
        let scaled = x * 1.414
        #expect(abs(scaled.rounded() - scaled) < 1e-5)
      case .twoMoons, .noise: break
      }
    }
  }

  @Test func theArrayFileIsNumPys() {
    let bytes = NPY.bytes([1, -2, 0.5], shape: [3])
    #expect(bytes.count == 128 + 12)
    #expect(Array(bytes.prefix(8)) == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
    let header = String(decoding: bytes[10..<128], as: UTF8.self)
    #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"))
    #expect(header.hasSuffix("\n"))
    #expect(Array(bytes.suffix(4)) == [0, 0, 0, 0x3F])
  }

  @Test func picturesShowWherePointsAre() throws {
    let text = try #require(SamplePicture.text([0, 0, 1, 1, 1, 1], shape: [2]))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
    #expect(lines[0][63] == "@" && lines[31][0] != " ")
    #expect(lines[15].allSatisfy { $0 == " " })
    #expect(SamplePicture.text([0], shape: [1]) == nil)
  }
}
