import Rounding

/// A linear layer and the layer behind it that multiplies its channels, bounded as one operator.
struct StatedPair {
  let first: Int
  let second: Int
  /// Of diag(a)·W, rounded to float64.
  let scaled: Double
  let evidence: StatedEvidence
  /// Of the two layers together.
  let bound: Double

  init(_ fields: Fields, _ graph: StatedGraph) throws(VerificationError) {
    var nodes: [Int] = []
    for field in try fields.field("nodes").list() {
      let name = try field.string()
      guard let index = graph.nodes.firstIndex(where: { $0.name == name }) else {
        throw field.fault("names no node")
      }
      nodes.append(index)
    }
    guard nodes.count == 2 else { throw fields.fault("is not of two nodes") }
    (first, second) = (nodes[0], nodes[1])
    scaled = try fields.field("scaled").bound()
    evidence = try StatedEvidence(try fields.field("evidence"))
    bound = try fields.field("bound").bound()
  }
}

/// Checks that two layers together have the L2 norm that is stated of them.
///
/// With factors |a| ∈ [l, u] of the channels, the entries ŵ = u·w rounded to nearest are within
/// δ·max(|ŵ|, 2⁻⁴⁰⁰) of |a|·w, δ = max (u − l)/u·(1 + 2⁻²⁰) + 2⁻⁵²: the last two terms are of the
/// product's rounding, and what underflows is far below 2⁻⁴⁰⁰·2⁻⁵². Signs of a change no norm. So
/// ‖diag(a)·W‖ ≤ ‖Ŵ‖ + δ·‖|Ŵ|‖.
struct PairCheck {
  let graph: StatedGraph
  let weights: StoredWeights
  let pair: StatedPair

  func check() throws(VerificationError) {
    let (first, second) = (graph.nodes[pair.first], graph.nodes[pair.second])
    func require(_ holds: Bool, _ reason: String) throws(VerificationError) {
      if !holds { throw .refused(reason, at: second.name) }
    }
    try require(second.inputs == [pair.first], "it does not follow the layer it is paired with")
    try require(pair.scaled.isFinite, "a pair has no finite bound")
    guard let factors = try factors(second), factors.allSatisfy(\.upper.isFinite) else {
      throw .refused("it does not multiply channels", at: second.name)
    }
    var spread = 0.0
    for factor in factors where factor.upper > 0 {
      let width = Directed.sumUp(factor.upper, -factor.lower)
      spread = max(spread, Directed.quotientUp(width, factor.upper))
    }
    let delta = Directed.sumUp(Directed.productUp(spread, 1 + 0x1p-20), 0x1p-52)
    let operators = OperatorCheck(weights: weights, norm: .l2)
    let holds: Bool
    let size: Double
    switch first.operation {
    case .linear(.dense(let weight, let outputs, let inputs)):
      try require(factors.count == outputs, "it has not one factor for each row")
      let values = scaled(try weights.numbers(weight, shape: [outputs, inputs]), factors)
      var squares = ExactSum()
      for value in values {
        let magnitude = max(value.magnitude, 0x1p-400)
        squares.add(Directed.productUp(magnitude, magnitude))
      }
      size = Directed.squareRootUp(squares.upper)
      holds = try operators.dense(values, outputs, inputs, bound: pair.scaled, pair.evidence)
    case .linear(.convolution(let weight, let geometry, isTransposed: false)):
      try require(factors.count == geometry.outputs, "it has not one factor for each channel")
      let values = scaled(try weights.numbers(weight, shape: geometry.weightShape), factors)
      size = ConvolutionCheck(geometry, values.map { max($0.magnitude, 0x1p-400) }).interpolated
      guard let outcome = try ConvolutionCheck(geometry, values)
        .holds(pair.scaled, .l2, isTransposed: false, pair.evidence)
      else {
        throw .refused(
          "this version cannot check the evidence `\(pair.evidence.word)` of it", at: first.name)
      }
      holds = outcome
    default: throw .refused("it is not paired with a matrix or a convolution", at: second.name)
    }
    try require(
      holds, "the l2 bound \(pair.scaled) is not proved of it and the layer before "
        + "(\(pair.evidence.word))")
    try require(
      Directed.sumUp(pair.scaled, Directed.productUp(delta, size)) <= pair.bound,
      "the l2 bound \(pair.bound) of it and the layer before leaves no room for rounding")
  }

  /// |a| of each channel, in intervals; nil for a node that does not multiply channels.
  private func factors(
    _ node: StatedGraph.Node
  ) throws(VerificationError) -> [(lower: Double, upper: Double)]? {
    switch node.operation {
    case .linear(.diagonal(let weight, let count)):
      return try weights.numbers(weight, shape: [count]).map { ($0.magnitude, $0.magnitude) }
    case .linear(.normalisation(let scale, let variance, let epsilon, let channels, _)):
      return try OperatorCheck(weights: weights, norm: .l2)
        .normalisationFactors(scale, variance, epsilon, channels: channels)
    default: return nil
    }
  }

  /// The entries of each row times its factor, rounded to nearest.
  private func scaled(
    _ values: [Double], _ factors: [(lower: Double, upper: Double)]
  ) -> [Double] {
    let size = values.count / factors.count
    return values.indices.map { values[$0] * factors[$0 / size].upper }
  }
}
