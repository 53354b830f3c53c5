import Formats
import Rounding

/// Checks the stated bound of one operator in one norm.
struct OperatorCheck {
  let weights: StoredWeights
  let norm: Norm

  /// Throws where ‖operator‖ ≤ bound does not follow from the evidence.
  func check(
    _ node: StatedGraph.Node, bound: Double, evidence: StatedEvidence
  ) throws(VerificationError) {
    // Nothing is claimed.
    if bound == .infinity { return }
    let holds: Bool
    switch node.operation {
    case .unbounded: throw refused(node, "it has no finite constant, and a bound is stated")
    case .elementwise(let lower, let upper):
      holds = max(lower.magnitude, upper.magnitude) <= bound
    case .known(let constants): holds = constants[norm]! <= bound
    case .weightedSum(let coefficients): holds = sideBySide(coefficients) <= bound
    case .stored(let steps):
      guard case .stored(let norms) = evidence else {
        throw refused(node, "this version cannot check the evidence `\(evidence.word)` of it")
      }
      holds = try steps[norm]!.value(norms, weights) <= bound
    case .linear(let linear):
      holds = try check(linear, node, bound: bound, evidence)
    }
    guard holds else {
      throw refused(
        node, "the \(norm.rawValue) bound \(bound) is not proved (\(evidence.word))")
    }
  }

  private func refused(_ node: StatedGraph.Node, _ reason: String) -> VerificationError {
    .refused(reason, at: node.name)
  }

  /// The constant of Σ cᵢxᵢ with respect to all operands side by side.
  private func sideBySide(_ coefficients: [Double]) -> Double {
    let sizes = coefficients.map(\.magnitude)
    switch norm {
    case .l1: return sizes.max() ?? 0
    case .l2: return lengthUp(sizes)
    case .linf: return sizes.reduce(0, Directed.sumUp)
    }
  }

  private func check(
    _ linear: StatedOperator, _ node: StatedGraph.Node, bound: Double, _ evidence: StatedEvidence
  ) throws(VerificationError) -> Bool {
    switch (linear, evidence) {
    case (.scaling(let factor), _): return factor.magnitude <= bound
    case (.diagonal(let weight, let count), _):
      return try largestEntry(weight, shape: [count]) <= bound
    case (.dense(let weight, let outputs, let inputs), .zero),
      (.dense(let weight, let outputs, let inputs), .frobenius),
      (.dense(let weight, let outputs, let inputs), .gram),
      (.dense(let weight, let outputs, let inputs), .sums):
      switch try weights.tensor(weight, shape: [outputs, inputs]).values {
      case .float32(let values):
        return try dense(values, outputs, inputs, bound: bound, evidence)
      case .float64(let values):
        return try dense(values, outputs, inputs, bound: bound, evidence)
      }
    case (.convolution(let weight, let geometry, let isTransposed), _):
      let numbers = try weights.numbers(weight, shape: geometry.weightShape)
      if let holds = try ConvolutionCheck(geometry, numbers)
        .holds(bound, norm, isTransposed: isTransposed, evidence)
      {
        return holds
      }
      throw refused(node, "this version cannot check the evidence `\(evidence.word)` of it")
    case (.separable(_, let axes), _):
      return try SeparableCheck(axes: axes).holds(bound, norm)
    case (.normalisation(let scale, let variance, let epsilon, let channels, _), _):
      let factors = try normalisationFactors(scale, variance, epsilon, channels: channels)
      return (factors.map(\.upper).max() ?? 0) <= bound
    default:
      throw refused(node, "this version cannot check the evidence `\(evidence.word)` of it")
    }
  }

  /// Whether the norm of rows of a stored matrix is at most `bound`.
  func rows(
    _ rows: Range<Int>, ofMatrix weight: String, _ height: Int, _ columns: Int, bound: Double,
    _ evidence: StatedEvidence
  ) throws(VerificationError) -> Bool {
    let range = rows.lowerBound * columns..<rows.upperBound * columns
    switch try weights.matrix(weight, height, columns).values {
    case .float32(let values):
      return try dense(Array(values[range]), rows.count, columns, bound: bound, evidence)
    case .float64(let values):
      return try dense(Array(values[range]), rows.count, columns, bound: bound, evidence)
    }
  }

  func dense<Number: StoredNumber>(
    _ values: [Number], _ rows: Int, _ columns: Int, bound: Double, _ evidence: StatedEvidence
  ) throws(VerificationError) -> Bool {
    try withValues(values) { (buffer) throws(VerificationError) in
      let check = SpectralCheck(values: buffer, rows: rows, columns: columns)
      switch (evidence, norm) {
      case (.zero, _): return check.largest == 0
      case (.sums, .l1), (.sums, .linf):
        return largestSum(buffer, rows: rows, columns: columns, norm: norm) <= bound
      case (.frobenius, .l2): return check.frobenius(bound)
      case (.gram, .l2): return try check.gram(bound)
      default: return false
      }
    }
  }

  /// |scale| / √(variance + ε) of each channel, in an interval.
  func normalisationFactors(
    _ scale: String?, _ variance: String, _ epsilon: Double, channels: Int
  ) throws(VerificationError) -> [(lower: Double, upper: Double)] {
    let variances = try weights.numbers(variance, shape: [channels])
    var scales = [Double](repeating: 1, count: channels)
    if let scale { scales = try weights.numbers(scale, shape: [channels]) }
    var factors: [(lower: Double, upper: Double)] = []
    let name = variance
    for (scale, variance) in zip(scales, variances) {
      let least = Directed.sumDown(variance, epsilon)
      guard variance >= 0, least > 0 else {
        throw .refused("it holds a variance that is not positive", at: name)
      }
      let most = Directed.sumUp(variance, epsilon)
      factors.append((
        Directed.quotientDown(scale.magnitude, Directed.squareRootUp(most)),
        scale == 0 ? 0 : Directed.quotientUp(scale.magnitude, Directed.squareRootDown(least))
      ))
    }
    return factors
  }

  private func largestEntry(_ name: String, shape: [Int]) throws(VerificationError) -> Double {
    try weights.numbers(name, shape: shape).reduce(0) { max($0, $1.magnitude) }
  }
}

/// ‖x‖₂ rounded up, for a few numbers ≥ 0.
func lengthUp(_ x: [Double]) -> Double {
  if x.count == 1 { return x[0] }
  return Directed.squareRootUp(
    x.reduce(0) { Directed.sumUp($0, Directed.productUp($1, $1)) })
}

/// `withUnsafeBufferPointer` with a typed error.
func withValues<Number, Result>(
  _ values: [Number],
  _ body: (UnsafeBufferPointer<Number>) throws(VerificationError) -> Result
) throws(VerificationError) -> Result {
  let outcome = values.withUnsafeBufferPointer { buffer -> Swift.Result<Result, VerificationError> in
    do throws(VerificationError) {
      return .success(try body(buffer))
    } catch {
      return .failure(error)
    }
  }
  return try outcome.get()
}
