import Diagnostics
import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Tensors

/// Looks for changes of samples that turn their class, by projected gradient descent within the
/// same open ball that certificates speak of (the data's range does not limit it).
///
/// A failed attack proves nothing; a successful one does. So the share that withstands it bounds
/// the robust accuracy from above, as the certified share does from below.
final class Attack {
  /// How it is carried out.
  struct Plan {
    var steps = 20
    /// The first from the sample itself, each further one from a random place with half the steps.
    var starts = 2
  }

  private let weights: NetworkWeights
  private let norm: Norm
  private let plan: Plan
  private let batch: Int
  private let executable: any Executable
  private let inputs: Int

  init(
    _ weights: NetworkWeights, values: [String: [Float]], norm: Norm, plan: Plan,
    engine: any Engine, threads: Int?, batch: Int
  ) throws(DiagnosticError) {
    self.weights = weights
    self.norm = norm
    self.plan = plan
    self.batch = batch
    inputs = weights.network.inputShape.elementCount
    let programs = AttackProgram(weights.network, norm: norm, batch: batch).programs
    executable = try DiagnosticError.translating {
      let executable = try engine.compile(programs, options: EngineOptions(threads: threads))
      for name in executable.states.keys {
        if let values = values[name] { try executable.writeState(name, values) }
      }
      return executable
    }
  }

  /// A change that was found, and the margin that float32 inference gives the class there.
  struct Finding {
    let sample: Int
    let x: [Float]
    let margin: Float
  }

  /// Those of `samples` whose class inference gets wrong somewhere within `radius`.
  ///
  /// - Parameters:
  ///   - x: all samples, one after the other.
  func turned(
    _ samples: [Int], of x: [Float], labels: [Int32], radius: Double
  ) throws(DiagnosticError) -> [Finding] {
    var findings: [Finding] = []
    for first in stride(from: 0, to: samples.count, by: batch) {
      let group = Array(samples[first..<min(first + batch, samples.count)])
      findings += try DiagnosticError.translating {
        try turned(group, x, labels, radius, number: first / batch)
      }
    }
    return findings
  }

  private func turned(
    _ group: [Int], _ x: [Float], _ labels: [Int32], _ radius: Double, number: Int
  ) throws(EngineError) -> [Finding] {
    let missing = batch - group.count
    var rows: [Float] = []
    rows.reserveCapacity(batch * inputs)
    for sample in group { rows += x[sample * inputs..<(sample + 1) * inputs] }
    rows += [Float](repeating: 0, count: missing * inputs)
    // A little less than the radius: the changes are rounded.
    let reach = Float(radius * (1 - 0x1p-14))
    let radii = [Float](repeating: reach, count: group.count)
      + [Float](repeating: 0, count: missing)
    let classes = group.map { Float(labels[$0]) } + [Float](repeating: 0, count: missing)
    try executable.writeInput("x", of: AttackProgram.step, rows)
    try executable.writeInput("labels", of: AttackProgram.step, classes)
    try executable.writeInput("radius", of: AttackProgram.step, radii)
    try executable.writeInput("radius", of: AttackProgram.start, radii)
    var found: [Int: Finding] = [:]
    for start in 0..<plan.starts where found.count < group.count {
      try executable.writeInput(
        "counter", of: AttackProgram.start, [Float(start * 100_000 + number)])
      try executable.run(AttackProgram.start)
      if start == 0 {
        try executable.writeState(
          AttackProgram.change, [Float](repeating: 0, count: batch * inputs))
      }
      // A second start seldom finds what the first did not.
      let steps = start == 0 ? plan.steps : (plan.steps + 1) / 2
      for step in 0...steps {
        // Of L1 the classical rates; else steps that can cross the ball and come to rest.
        let rate = norm == .l1
          ? 2 / Float(step + 2) : 2.5 / Float(steps) * (step < steps * 3 / 4 ? 1 : 0.3)
        try executable.writeInput("rate", of: AttackProgram.step, [rate])
        try executable.run(AttackProgram.step)
      }
      let margins = try executable.readState(AttackProgram.margin, count: batch)
      guard group.indices.contains(where: { found[$0] == nil && margins[$0] < 0 }) else {
        continue
      }
      let changes = try executable.readState(AttackProgram.best, count: batch * inputs)
      for (row, sample) in group.enumerated() where found[row] == nil && margins[row] < 0 {
        let place = row * inputs..<(row + 1) * inputs
        let turned = zip(rows[place], changes[place]).map { $0 + $1 }
        guard isInside(turned, rows[place], radius) else { continue }
        found[row] = Finding(sample: sample, x: turned, margin: margins[row])
      }
    }
    return found.keys.sorted().map { found[$0]! }
  }

  /// Whether ‖b − a‖ < radius for the float32 numbers as they are, all rounding counted.
  private func isInside(_ b: [Float], _ a: ArraySlice<Float>, _ radius: Double) -> Bool {
    let sizes = zip(b, a).map { UpperBound(proved: abs(Double($0) - Double($1)).nextUp) }
    let length = switch norm {
    case .l1: sizes.reduce(.zero, +)
    case .l2: sizes.reduce(UpperBound.zero) { $0 + $1 * $1 }.squareRoot()
    case .linf: sizes.max() ?? .zero
    }
    return length.value < radius
  }

  /// Of findings at samples that are certified at their radius: those where the real-valued
  /// function is proved to prefer another class, too. There must be none.
  func confirmed(
    _ findings: [Finding], labels: [Int32]
  ) throws(DiagnosticError) -> [Finding] {
    if findings.isEmpty { return [] }
    let margins = try DiagnosticError.translating {
      try provedMargins(
        weights, of: findings.flatMap(\.x), labels: findings.map { labels[$0.sample] },
        engine: ReferenceEngine())
    }
    guard let margins else { return [] }
    return findings.indices.filter { index in
      margins.rivals(of: index).contains { margins.upper(index, $0) <= 0 }
    }.map { findings[$0] }
  }
}
