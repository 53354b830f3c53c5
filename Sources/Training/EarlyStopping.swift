import Model

/// The lines of metrics as early stopping sees them.
struct EarlyStopping {
  private let section: StoppingSection
  /// The best line so far: its step and its metric.
  private(set) var best: (step: Int, value: Double)?
  /// Lines since the best one.
  private var lines = 0

  /// - Parameter numbers: as a checkpoint kept them; empty at the beginning.
  init(_ section: StoppingSection, numbers: [String: Double]) {
    self.section = section
    if let step = numbers["best_step"], let value = numbers["best"] {
      best = (Int(step), value)
    }
    lines = Int(numbers["lines_since_best"] ?? 0)
  }

  var numbers: [String: Double] {
    var numbers = ["lines_since_best": Double(lines)]
    if let best {
      numbers["best_step"] = Double(best.step)
      numbers["best"] = best.value
    }
    return numbers
  }

  /// Whether `patience` lines were not better.
  var isOver: Bool { lines >= section.patience }

  /// Whether the line is the best so far.
  mutating func add(_ line: some MetricsLine, step: Int) -> Bool {
    guard let value = line.value(of: section.metric) else { return false }
    if let best {
      let gain = section.metric.isBetterHigh ? value - best.value : best.value - value
      guard gain > section.minimumDelta else {
        lines += 1
        return false
      }
    }
    best = (step, value)
    lines = 0
    return true
  }
}
