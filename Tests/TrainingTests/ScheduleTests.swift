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

  @Test func aWarmupRisesEvenlyAndTheDecayBeginsAfterIt() {
    let schedule = LearningRateSchedule(.linear, warmup: .steps(4))
    #expect((0..<4).map { schedule.factor(step: $0, of: 12) } == [0.25, 0.5, 0.75, 1])
    #expect([4, 8, 12].map { schedule.factor(step: $0, of: 12) } == [1, 0.5, 0])
    #expect(LearningRateSchedule(.constant, warmup: .share(0.5)).factor(step: 0, of: 4) == 0.5)
  }

  @Test func halfConstantThenLinearToZero() {
    let schedule = LearningRateSchedule(.linear, start: .share(0.5))
    #expect(
      [0, 25, 50, 75, 100].map { schedule.factor(step: $0, of: 100) } == [1, 1, 1, 0.5, 0])
  }

  @Test func theDecayEndsAtItsFinalFactor() {
    for decay in [LearningRateSchedule.Decay.linear, .cosine] {
      let schedule = LearningRateSchedule(decay, final: 0.25)
      #expect(schedule.factor(step: 0, of: 10) == 1)
      #expect(abs(schedule.factor(step: 5, of: 10) - 0.625) < 1e-15)
      #expect(schedule.factor(step: 10, of: 10) == 0.25)
    }
  }

  @Test func stepsFallAtTheirMilestones() {
    let schedule = LearningRateSchedule(
      .step, milestones: [.share(0.5), .steps(8)], factor: 0.5)
    #expect((3...9).map { schedule.factor(step: $0, of: 10) } == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25])
  }

  @Test(arguments: [
    ("{type: linear, start: 0.5}", "{type: linear, warmup: 0, start: 0.5, final: 0.0}"),
    ("cosine", "{type: cosine, warmup: 0, start: 0, final: 0.0}"),
    ("{warmup: 100}", "{type: constant, warmup: 100}"),
    ("{type: cosine, warmup: 1/20}", "{type: cosine, warmup: 0.05, start: 0.05, final: 0.0}"),
    (
      "{type: step, milestones: [30, 0.75]}",
      "{type: step, warmup: 0, milestones: [30, 0.75], factor: 0.1}"
    ),
  ]) func everyFormIsWrittenOutAndReadsBack(written: String, resolved: String) throws {
    let text = moons.replacing("schedule: cosine", with: "schedule: \(written)")
    let first = try experiment(text)
    #expect(first.resolvedText.contains("schedule: \(resolved)"), "\(first.resolvedText)")
    let again = try experiment(first.resolvedText)
    #expect(again.resolvedText == first.resolvedText)
    #expect(again.optimizer?.schedule == first.optimizer?.schedule)
  }

  @Test func theLearningRateFollowsTheDescription() throws {
    let section = try #require(try experiment(moons).optimizer)
    #expect(section.learningRate(step: 0, of: 600) == 0.01)
    #expect(abs(section.learningRate(step: 300, of: 600) - 0.005) < 1e-15)
  }
}
