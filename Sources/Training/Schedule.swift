import Glibc
import Model

extension LearningRateSchedule {
  /// The factor on the base learning rate at step `step` (from 0) of `total`; from the last step
  /// on as at the end.
  public func factor(step: Int, of total: Int) -> Double {
    let warm = warmup.step(of: total)
    if step < warm { return Double(step + 1) / Double(warm) }
    let begin = max(warm, start.step(of: total))
    let length = total - begin
    let progress = length > 0 ? min(1, max(0, Double(step - begin) / Double(length))) : 0
    switch decay {
    case .constant: return 1
    case .cosine: return final + (1 - final) * (1 + cos(Double.pi * progress)) / 2
    case .linear: return 1 - (1 - final) * progress
    case .step:
      let passed = milestones.count { $0.step(of: total) <= step }
      return pow(factor, Double(passed))
    }
  }
}

extension OptimizerSection {
  /// The learning rate of step `step` of `total`.
  public func learningRate(step: Int, of total: Int) -> Double {
    optimizer.learningRate * schedule.factor(step: step, of: total)
  }
}
