import Glibc

/// The progress of training on a stream: one line that changes at a terminal, else one line for
/// every line of metrics.
public final class Progress: TrainingObserver {
  private let write: (String) -> Void
  private let isTerminal: Bool
  private let stepsPerEpoch: Int
  private var shown = 0.0
  private var loss = 0.0
  /// Of the last line; a resumed run does not begin at 0.
  private var lastStep: Int?

  public init(isTerminal: Bool, stepsPerEpoch: Int, write: @escaping (String) -> Void) {
    self.isTerminal = isTerminal
    self.stepsPerEpoch = stepsPerEpoch
    self.write = write
  }

  public func didStep(_ step: Int, of total: Int, loss: Float, seconds: Double) {
    // A running mean: single batches jump about.
    defer { if lastStep == nil { lastStep = step - 1 } }
    self.loss = lastStep == nil ? Double(loss) : 0.98 * self.loss + 0.02 * Double(loss)
    guard isTerminal, seconds - shown > 0.1 else { return }
    shown = seconds
    let left = seconds / Double(step) * Double(total - step)
    show(
      "epoch \((step - 1) / stepsPerEpoch + 1)/\(epochs(total))  step \(step)/\(total)  "
        + "loss \(decimal(self.loss, 4))  \(decimal(seconds / Double(step) * 1000, 2)) ms/step  "
        + "\(Self.clock(left)) left")
  }

  public func didMeasure(_ metrics: Metrics, of total: Int) {
    let steps = metrics.step - (lastStep ?? 0)
    lastStep = metrics.step
    var line = "epoch \(epoch(metrics.epoch))/\(epochs(total))  loss \(decimal(metrics.loss, 4))"
    if let penalty = metrics.penalty { line += "  penalty \(decimal(penalty, 4))" }
    if let accuracy = metrics.trainAccuracy {
      line += "  train \(fixed(accuracy * 100, 2)) %"
      if let held = metrics.validationAccuracy { line += "  validation \(fixed(held * 100, 2)) %" }
      if let test = metrics.testAccuracy { line += "  test \(fixed(test * 100, 2)) %" }
    } else if let loss = metrics.validationLoss {
      line += "  validation loss \(decimal(loss, 4))"
    } else if let loss = metrics.testLoss {
      line += "  test loss \(decimal(loss, 4))"
    }
    line += "  lr \(scientific(metrics.learningRate))"
    line += "  \(steps) steps, \(Self.clock(metrics.seconds))"
    write(isTerminal ? "\r\u{1B}[K\(line)\n" : "\(line)\n")
  }

  private func show(_ line: String) { write("\r\u{1B}[K\(line)") }

  private func epochs(_ total: Int) -> String {
    epoch(Double(total) / Double(stepsPerEpoch))
  }

  private func epoch(_ number: Double) -> String {
    number == number.rounded() ? String(Int(number)) : decimal(number, 2)
  }

  /// `0:07`, `12:03`, `1:02:03`
  static func clock(_ seconds: Double) -> String {
    let total = Int(min(max(seconds, 0), 1e9).rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    let (hours, rest) = total.quotientAndRemainder(dividingBy: 3600)
    let minutes = rest / 60
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(rest % 60))" : "\(minutes):\(two(rest % 60))"
  }
}

/// A number rounded to nearest with `digits` decimals.
public func decimal(_ value: Double, _ digits: Int) -> String {
  formatted(value, "%.\(digits)f")
}

/// `8.3e-04`
func scientific(_ value: Double) -> String { formatted(value, "%.1e") }

func formatted(_ value: Double, _ format: String) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
  return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
