import Losses
import Model
import Tensors
import Testing

/// The losses that ask for margins, and the Kantorovich–Rubinstein ones, at worked values.
@Suite struct MarginLossTests {
  private static let logits: [Double] = [2, 1, -1, 0, 0.5, 0.25]

  private func mean(
    _ loss: any SupervisedLoss, _ output: [Double], _ shape: Shape, _ labels: [Double]
  ) throws -> Double {
    try evaluate(loss, output, shape, labels: labels).loss.reduce(0, +) / Double(shape[0])
  }

  @Test func multiMarginDividesByTheNumberOfClasses() throws {
    let value = try mean(MultiMargin(arguments()), Self.logits, [2, 3], [0, 2])
    #expect(abs(value - 1 / 3.0) < 1e-12)
  }

  @Test func hingeIsCrammerAndSingers() throws {
    let value = try mean(Hinge(arguments()), Self.logits, [2, 3], [0, 2])
    #expect(abs(value - 0.625) < 1e-12)
  }

  @Test func hingeOfOneOutputJudgesItsSign() throws {
    let value = try mean(Hinge(arguments()), [0.2, 0.8, -0.1, 0.4], [4, 1], [1, 1, 0, 0])
    #expect(abs(value - 0.825) < 1e-12)
  }

  @Test func kantorovichRubinsteinIsTheDifferenceOfClassMeans() throws {
    let loss = KantorovichRubinstein(arguments())
    #expect(abs(try mean(loss, [0.2, 0.8, -0.1, 0.4], [4, 1], [1, 1, 0, 0]) + 0.35) < 1e-12)
    // Means are over the classes: three against one.
    #expect(abs(try mean(loss, [3, 1, 2, 6], [4, 1], [1, 1, 1, 0]) + (2 - 6)) < 1e-12)
    // An absent class counts as 0.
    #expect(abs(try mean(loss, [3, 1], [2, 1], [1, 1]) + 2) < 1e-12)
    // Columns against the rest, averaged: (2 − 0 + 1 − 0.5 + 0.25 − (−1)) with signs, over 3.
    let columns = try mean(loss, Self.logits, [2, 3], [0, 2])
    #expect(abs(columns + ((2 - 0) + (0 - 0.75) + (0.25 + 1)) / 3) < 1e-12)
  }

  @Test(arguments: [("deel", 10.0, 3.65), ("convex", 0.9, 0.325), ("paper", 10.0, 7.9)])
  func hingeKRHasTheValueOfEachForm(_ name: String, _ alpha: Double, _ expected: Double) throws {
    let form = try #require(HingeKR.Form(rawValue: name))
    let loss = try HingeKR(arguments(["alpha": alpha, "form": form]))
    let value = try mean(loss, [0.2, 0.8, -0.1, 0.4], [4, 1], [1, 1, 0, 0])
    #expect(abs(value - expected) < 1e-12)
  }

  /// The right class's column weighs C − 1 times: m/2 − s·z is (−1.5, 1.5, −0.5; 0.5, 1, 0.25).
  @Test func hingeKRWeighsTheRightColumnByTheOthers() throws {
    let loss = try HingeKR(arguments(["alpha": 1.0, "form": HingeKR.Form.convex]))
    let value = try mean(loss, Self.logits, [2, 3], [0, 2])
    #expect(abs(value - ((1.5 + 0) / 3 + (0.5 + 1 + 2 * 0.25) / 3) / 2) < 1e-12)
  }

  @Test(arguments: catalogs.losses.indices)
  func gradientsOfOneOutputAreCentralDifferences(_ index: Int) throws {
    let loss = try catalogs.losses[index].init(arguments())
    guard loss.refusal(output: [1], labels: .classes) == nil else { return }
    let z = [0.3, -0.2, 1.4, 0.05]
    let labels = [1.0, 0, 0, 1]
    let gradient = try evaluate(loss, z, [4, 1], labels: labels).gradient
    let differences = try z.indices.map { index in
      let ends = try [1e-5, -1e-5].map { offset in
        var moved = z
        moved[index] += offset
        return try evaluate(loss, moved, [4, 1], labels: labels).loss.reduce(0, +)
      }
      return (ends[0] - ends[1]) / 2e-5
    }
    #expect(distance(gradient, differences) < 1e-8)
  }

  @Test func classLossesOfSeveralColumnsRefuseOne() {
    #expect(MultiMargin(arguments()).refusal(output: [1], labels: .classes) != nil)
    #expect(Hinge(arguments()).refusal(output: [1], labels: .classes) == nil)
    #expect(KantorovichRubinstein(arguments()).refusal(output: [2, 2], labels: .classes) != nil)
  }
}
