import Glibc
import Model
import Testing

@testable import Training

@Suite struct ScheduleTests {
  @Test func constantStays() {
    for step in [0, 5, 10] {
      #expect(OptimizerSection.Schedule.constant.factor(step: step, of: 10) == 1)
    }
  }

  @Test func cosineIsHalfwayInTheMiddleAndZeroAtTheEnd() {
    let cosine = OptimizerSection.Schedule.cosine
    #expect(cosine.factor(step: 0, of: 8) == 1)
    #expect(abs(cosine.factor(step: 4, of: 8) - 0.5) < 1e-15)
    #expect(abs(cosine.factor(step: 2, of: 8) - (1 + 0.5.squareRoot()) / 2) < 1e-15)
    #expect(cosine.factor(step: 8, of: 8) == 0)
  }

  @Test func linearFallsEvenlyAndNeverBelowZero() {
    let linear = OptimizerSection.Schedule.linear
    #expect((0...4).map { linear.factor(step: $0, of: 4) } == [1, 0.75, 0.5, 0.25, 0])
    #expect(linear.factor(step: 9, of: 4) == 0)
  }

  @Test func theLearningRateFollowsTheDescription() throws {
    let section = try #require(try experiment(moons).optimizer)
    #expect(section.learningRate(step: 0, of: 600) == 0.01)
    #expect(abs(section.learningRate(step: 300, of: 600) - 0.005) < 1e-15)
  }
}
