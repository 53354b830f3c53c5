import CPUEngine
import Diagnostics
import Formats
import Foundation
import Glibc
import Model
import Tensors
import Testing

@testable import Training

@Suite struct FrechetTests {
  private func moments(_ mean: [Double], _ covariance: [Double]) -> FeatureMoments {
    FeatureMoments(mean: mean, covariance: covariance, count: 1000)
  }

  @Test func normalDistributionsOnALineGiveTheFormula() throws {
    // (m − m')² + (s − s')²
    let found = frechetDistance(moments([1], [4]), moments([-2], [0.25]))
    #expect(abs(try #require(found) - (9 + 2.25)) < 1e-12)
  }

  @Test func covariancesThatCommuteGiveTheDistanceOfTheirRoots() throws {
    // Both are turned by the same angle; roots (3, 1) and (1, 2): 4 + 1, and means at 5.
    let (c, s) = (cos(0.7), sin(0.7))
    func turned(_ a: Double, _ b: Double) -> [Double] {
      [c * c * a + s * s * b, c * s * (a - b), c * s * (a - b), s * s * a + c * c * b]
    }
    let found = frechetDistance(moments([0, 0], turned(9, 1)), moments([3, 4], turned(1, 4)))
    #expect(abs(try #require(found) - 30) < 1e-10)
  }

  /// tr (√A·B·√A)^½ of two by two matrices is √(tr AB + 2√(det A · det B)).
  @Test(arguments: 1...20)
  func covariancesThatDoNotCommuteGiveTheClosedForm(_ seed: Int) throws {
    var random = PhiloxGenerator(seed: UInt64(seed), stream: "covariance")
    func covariance() -> [Double] {
      let (a, b, d) = (random.normal(), random.normal(), random.normal())
      return [a * a, a * b, a * b, b * b + d * d]
    }
    let (x, y) = (covariance(), covariance())
    let product = x[0] * y[0] + 2 * x[1] * y[1] + x[3] * y[3]
    let determinants = (x[0] * x[3] - x[1] * x[1]) * (y[0] * y[3] - y[1] * y[1])
    let root = (product + 2 * max(determinants, 0).squareRoot()).squareRoot()
    let expected = x[0] + x[3] + y[0] + y[3] - 2 * root
    let found = try #require(frechetDistance(moments([0, 0], x), moments([0, 0], y)))
    let other = try #require(frechetDistance(moments([0, 0], y), moments([0, 0], x)))
    #expect(abs(found - expected) < 1e-9 * max(1, expected))
    #expect(abs(found - other) < 1e-9 * max(1, expected))
  }

  @Test func singularCovariancesHaveADistance() throws {
    // Both on a line through the origin, 60° apart: 2 − 2·cos 60°.
    let direction = [0.5, 3.0.squareRoot() / 2]
    let line = [1.0, 0, 0, 0]
    let other = [0, 1].flatMap { i in [0, 1].map { direction[i] * direction[$0] } }
    let found = try #require(frechetDistance(moments([0, 0], line), moments([0, 0], other)))
    #expect(abs(found - 1) < 1e-7)
    let zero = moments([0, 0], [0, 0, 0, 0])
    #expect(frechetDistance(zero, moments([0, 0], line)) == 1)
    #expect(frechetDistance(zero, zero) == 0)
  }

  @Test func momentsAreThoseOfTheRows() {
    let found = FeatureMoments(of: [1, 10, 2, 10, 3, 10, 6, 10], size: 2)
    #expect(found.mean == [3, 10] && found.count == 4)
    #expect(abs(found.covariance[0] - 14.0 / 3) < 1e-12)
    #expect(found.covariance[1...] == [0, 0, 0])
  }

  @Test func whatIsNotFiniteHasNone() {
    #expect(frechetDistance(moments([0], [.nan]), moments([0], [1])) == nil)
  }
}

private let classifying = """
  lgc: 1
  name: judge
  data: {type: synthetic, name: two_moons, samples: 400, test_samples: 100}
  model:
    input: [2]
    layers: [{dense: {name: a, units: 8, activation: relu}}, {dense: {name: b, units: 2}}]
  loss: {family: cross_entropy}
  optimizer: {type: adam, lr: 2e-2}
  train: {epochs: 10, batch: 50, seed: 1}
  """

@Suite struct FeatureClassifierTests {
  private func trained(_ body: (Experiment, TrainingSetup, FeatureClassifier) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lgc-features-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let experiment = try experiment(classifying)
    let setup = try TrainingSetup(experiment, directory: ".")
    let options = TrainingOptions(
      version: "test", engine: CPUEngine(), threads: 1, output: folder)
    let result = try TrainingRun(setup, options: options).run()
    let classifier = try FeatureClassifier(
      experiment, run: result.directory, engine: CPUEngine(), threads: 1)
    try body(experiment, setup, classifier)
  }

  @Test func featuresAreWhatTheLastWeightsRead() throws {
    try trained { experiment, setup, classifier in
      #expect(classifier.featureCount == 8 && classifier.layer == "b")
      let tensors = try SafeTensors.read(classifier.path + "/weights.safetensors")
      func values(_ name: String) -> [Float] { tensors.first { $0.name == name }!.floats }
      let points: [Float] = [0.3, -0.4, 1.5, 0.2, -1, 0.9]
      let (features, classes) = try classifier.measure(points)
      #expect(features.count == 24)
      let (a, bias) = (values("a.weight"), values("a.bias"))
      var expected: [Int] = []
      for point in 0..<3 {
        var scores = values("b.bias")
        for unit in 0..<8 {
          let value = max(
            0, a[2 * unit] * points[2 * point] + a[2 * unit + 1] * points[2 * point + 1]
              + bias[unit])
          #expect(abs(features[point * 8 + unit] - value) < 1e-5)
          for k in 0..<2 { scores[k] += values("b.weight")[k * 8 + unit] * value }
        }
        expected.append(scores[0] >= scores[1] ? 0 : 1)
      }
      #expect(classes == expected)
    }
  }

  @Test func trainingSamplesAreNearAndOneClassAloneIsFar() throws {
    try trained { experiment, setup, classifier in
      let measure = try ImageMeasure(
        classifier, setup.data, try #require(experiment.data), setup.scaling)
      #expect(measure.count == 100)
      let own = setup.scaling.scaled(setup.data.train, at: 0..<100).flatMap(\.self)
      let near = try #require(try measure.quality(of: own))
      #expect(near.distance == near.floor && near.count == 100)
      #expect(abs(near.shares.reduce(0, +) - 1) < 1e-12)
      let first = setup.data.train.labels.indices.filter { setup.data.train.labels[$0] == 0 }
      let half = first.flatMap { setup.scaling.scaled(setup.data.train, at: $0..<$0 + 1)[0] }
      let far = try #require(try measure.quality(of: half))
      #expect(far.distance > 10 * near.distance)
      #expect(far.entropy < near.entropy && near.entropy <= log(2) + 1e-12)
      #expect(near.asAsked == nil)
    }
  }

  @Test func samplesOfTheClassesInTurnAreAsAskedAndTheOthersWayRoundNot() throws {
    try trained { experiment, setup, classifier in
      let measure = try ImageMeasure(
        classifier, setup.data, try #require(experiment.data), setup.scaling)
      let labels = setup.data.train.labels
      let zeros = labels.indices.filter { labels[$0] == 0 }
      let ones = labels.indices.filter { labels[$0] == 1 }
      func asAsked(_ first: [Int], _ second: [Int]) throws -> Double {
        let rows = zip(first, second).flatMap { [$0, $1] }
        let samples = rows.flatMap { setup.scaling.scaled(setup.data.train, at: $0..<$0 + 1)[0] }
        let quality = try measure.quality(of: samples, classes: 2)
        return try #require(quality?.asAsked)
      }
      let right = try asAsked(zeros, ones)
      #expect(right > 0.7)
      #expect(abs(right + (try asAsked(ones, zeros)) - 1) < 1e-12)
    }
  }
}

@Suite struct PictureTests {
  @Test func aGridHoldsEveryImageInItsPlace() throws {
    // Two 1×32×32 images, black and white, side by side at twice their size.
    let samples = [Float](repeating: -1, count: 1024) + [Float](repeating: 1, count: 1024)
    let grid = try #require(
      ImageGrid(samples, shape: [1, 32, 32], count: 9, columns: 2, range: -1...1))
    #expect(grid.width == 2 * 65 + 1 && grid.height == 66 && grid.channels == 1)
    #expect(grid.pixels[grid.width + 1] == 0 && grid.pixels[grid.width + 66] == 255)
    #expect(grid.pixels[0] == 96 && grid.pixels[grid.width + 65] == 96)
    let back = try PNG.decode(grid.png, path: "grid.png")
    #expect(back.pixels == grid.pixels)
  }

  @Test func coloursStayWithTheirPoints() throws {
    let grid = try #require(ImageGrid([1, 0, 0.5], shape: [3, 1, 1], count: 1, range: 0...1))
    let place = (grid.width + 1) * 3
    #expect(Array(grid.pixels[place..<place + 3]) == [255, 0, 128])
    #expect(ImageGrid([1, 2], shape: [2], count: 1) == nil)
    #expect(ImageGrid([.nan], shape: [1, 1, 1], count: 1) != nil)
  }

  @Test func aPlotShowsPointsAboveTheScores() throws {
    let plot = PlanePlot(generated: [0.5, 0.5], real: [0, 0, 1, 1])
    let file = try plot.png { points in
      stride(from: 0, to: points.count, by: 2).map { points[$0] }
    }
    let picture = try PNG.decode(file, path: "plot.png")
    #expect(picture.width == 512 && picture.height == 512)
    func at(_ x: Int, _ y: Int) -> [UInt8] {
      let place = (y * 512 + x) * 3
      return Array(picture.pixels[place..<place + 3])
    }
    // The middle of the picture is the middle of the real points.
    #expect(at(256, 257)[0] == 230 && at(256, 257)[2] == 0)
    // Real points: (0, 0) below on the left, (1, 1) above on the right.
    let dark = (0..<512 * 512).filter { picture.pixels[$0 * 3] == 60 }
    #expect(dark.contains { $0 % 512 < 256 && $0 / 512 > 256 })
    #expect(dark.contains { $0 % 512 > 256 && $0 / 512 < 256 })
    // The score is x: bluer to the right, and level lines upright.
    #expect(at(1, 5)[0] > at(508, 5)[0])
    let lines = (0..<512).filter { at($0, 5) == [140, 150, 165] }
    #expect(lines.count == PlanePlot.levels)
    #expect(lines.allSatisfy { at($0, 400) == [140, 150, 165] })
  }
}
