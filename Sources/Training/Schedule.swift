import Glibc
import Model

extension OptimizerSection.Schedule {
  /// The factor on the base learning rate at step `step` (from 0) of `total`:
  /// constant 1; cosine (1 + cos(πt/T))/2; linear 1 − t/T; from the last step on as at T.
  public func factor(step: Int, of total: Int) -> Double {
    let progress = total > 0 ? min(1, Double(step) / Double(total)) : 0
    return switch self {
    case .constant: 1
    case .cosine: (1 + cos(Double.pi * progress)) / 2
    case .linear: 1 - progress
    }
  }
}

extension OptimizerSection {
  /// The learning rate of step `step` of `total`.
  public func learningRate(step: Int, of total: Int) -> Double {
    optimizer.learningRate * schedule.factor(step: step, of: total)
  }
}
