/// Who is told how training goes.
public protocol TrainingObserver: AnyObject {
  /// After every step.
  func didStep(_ step: Int, of total: Int, loss: Float, seconds: Double)
  /// After every line of metrics.
  func didMeasure(_ metrics: Metrics, of total: Int)
}
