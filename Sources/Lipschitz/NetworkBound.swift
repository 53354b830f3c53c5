import Diagnostics
import Formats
import Model
import Rounding

/// What is proved of one network with its stored weights in one norm.
///
/// It is about the real-valued function that the stored weights define at inference; the rounding
/// of floating-point inference is not in it.
public struct BoundReport: Sendable {
  public let norm: Norm
  /// ‖f(a) − f(b)‖ ≤ upper·‖a − b‖ for all a, b with elements in `domain`, per unit of model input.
  public let upper: UpperBound
  /// nil: everywhere.
  public let domain: ClosedRange<Double>?
  public let method: Method
  /// The composition of the layers' norms over the graph; what `upper` is compared with where
  /// another method is tighter.
  public let product: UpperBound
  /// Everything that was tried for the whole network, each a proof of its own, `product` first.
  public let methods: [MethodBound]
  /// The stretches that `upper` rests on where `method` is `joint` or `fast`; else empty.
  public let stretches: [JointEvidence]
  /// Pairs of layers that are bounded as one operator (L2); `method` fused, fast and joint rest on
  /// them.
  public let fused: [FusedBound]
  /// One per node of the network, in execution order.
  public let layers: [LayerBound]
  public let residualBlocks: [ResidualBound]

  public enum Method: String, Sendable {
    /// Layer norms composed over the graph.
    case product
    /// Absolute values of the matrices carried through the graph (L1, L∞).
    case absoluteValues = "absolute values"
    /// Layer norms composed, with layers that scale channels fused into the one before.
    case fused
    /// Multipliers in closed form for stretches of linear layers and activations, composed, with
    /// the pairs of `fused`.
    case fast
    /// Multipliers found by search for the same stretches.
    case joint
  }

  /// The whole network by one method.
  public struct MethodBound: Sendable {
    public let method: Method
    public let upper: UpperBound
    /// Time of search and proof beyond the methods it builds on.
    public let seconds: Double
  }

  public struct LayerBound: Sendable {
    public let name: String
    public let kind: String
    public let bound: OperatorBound
  }

  public struct ResidualBound: Sendable {
    public let name: String
    public let mode: ResidualBlock.Mode
    public let weight: Double
    /// Of f in x + w·f(x).
    public let body: UpperBound
    /// Of the whole block.
    public let whole: UpperBound
  }
}

/// Proves a bound of `network` with the stored `weights` in each of `norms`.
///
/// - Throws: diagnostics (`bad-weights`) for tensors that are missing, unexpected, misshapen or
///   not finite, and where the proof's tools cannot be used.
public func certifiedBound(
  network: Network, weights: [String: NamedTensor], norms: [Norm]
) throws(DiagnosticError) -> [BoundReport] {
  try certifiedBound(NetworkWeights(network, tensors: weights), norms: norms)
}

public func certifiedBound(
  _ weights: NetworkWeights, norms: [Norm]
) throws(DiagnosticError) -> [BoundReport] {
  do throws(ProofError) {
    return try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
      var reports: [BoundReport] = []
      for norm in norms { reports.append(try networkReport(weights, norm: norm)) }
      return reports
    }
  } catch {
    throw DiagnosticError(error.diagnostic)
  }
}

/// - Parameter known: the bounds of all layers in this norm, where they are proved already.
func networkReport(
  _ weights: NetworkWeights, norm: Norm, layers known: [BoundReport.LayerBound] = []
) throws(ProofError) -> BoundReport {
  let network = weights.network
  var start = ContinuousClock.now
  var layers = known
  for (index, node) in network.nodes.enumerated() where known.isEmpty {
    // Layers that share weights have the same shapes, and so the same operator, unless the constant
    // rests on what stands before them.
    let bound: OperatorBound
    if let source = node.weightSource, !node.isRangeBound {
      bound = layers[source.node].bound
    } else {
      bound = try weights.operatorBound(index, norm: norm)
    }
    layers.append(.init(name: node.name, kind: node.kind, bound: bound))
  }
  let product = compose(network, norm: norm) { layers[$0].bound.upper }.total
  var methods: [BoundReport.MethodBound] = [
    .init(method: .product, upper: product, seconds: start.elapsed)
  ]
  start = .now
  if let other = absoluteValueBound(weights, norm: norm) {
    methods.append(.init(method: .absoluteValues, upper: other, seconds: start.elapsed))
  }
  start = .now
  let fused = norm == .l2 ? try weights.fusedBounds() : []
  if !fused.isEmpty {
    let total = compose(network, fused: fused) { layers[$0].bound.upper }.total
    methods.append(.init(method: .fused, upper: total, seconds: start.elapsed))
  }
  let stretches = norm == .l2 ? try jointStretches(weights) : []
  for (method, part) in [(BoundReport.Method.fast, \JointPair.fast), (.joint, \.best)] {
    let evidence = stretches.compactMap { $0[keyPath: part] }
    if evidence.isEmpty { continue }
    let total = compose(network, stretches: evidence, fused: fused) {
      layers[$0].bound.upper
    }.total
    let seconds = stretches.reduce(0) { $0 + (method == .fast ? $1.fastSeconds : $1.seconds) }
    methods.append(.init(method: method, upper: total, seconds: seconds))
  }
  // Equal up to rounding is not tighter: the simpler method then has the word.
  var best = methods[0]
  for other in methods.dropFirst() where other.upper.value < best.upper.value * (1 - 1e-12) {
    best = other
  }
  return BoundReport(
    norm: norm, upper: best.upper, domain: network.domain, method: best.method, product: product, methods: methods,
    stretches: evidence(best.method, stretches), fused: fused, layers: layers,
    residualBlocks: network.blocks.map { block in
      let bounds = block.bounds(in: network, norm: norm) { layers[$0].bound.upper }
      return .init(
        name: block.name, mode: block.mode, weight: block.weight, body: bounds.body,
        whole: bounds.sum)
    })
}

/// What is proved of one stretch.
private struct JointPair {
  var fast: JointEvidence?
  var fastSeconds = 0.0
  var joint: JointEvidence?
  var seconds = 0.0
  /// The tighter of the two.
  var best: JointEvidence? {
    guard let fast, let joint else { return fast ?? joint }
    return joint.square < fast.square ? joint : fast
  }
}

private func jointStretches(_ weights: NetworkWeights) throws(ProofError) -> [JointPair] {
  var pairs: [JointPair] = []
  for stretch in weights.network.jointStretches() {
    // The matrices of wider stretches take minutes and gigabytes.
    let width = weights.network.shape(stretch.entry).reduce(1, *)
    guard width <= 16_384 else { continue }
    var start = ContinuousClock.now
    guard var bound = try JointBound(weights, stretch), let fast = bound.fast() else { continue }
    var pair = JointPair(fast: fast.evidence, fastSeconds: start.elapsed)
    start = .now
    pair.joint = bound.improved(from: fast.multipliers)
    pair.seconds = start.elapsed
    pairs.append(pair)
  }
  return pairs
}

private func evidence(_ method: BoundReport.Method, _ pairs: [JointPair]) -> [JointEvidence] {
  switch method {
  case .product, .absoluteValues, .fused: []
  case .fast: pairs.compactMap(\.fast)
  case .joint: pairs.compactMap(\.best)
  }
}

extension ContinuousClock.Instant {
  /// Seconds since then.
  fileprivate var elapsed: Double {
    let parts = duration(to: .now).components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}

extension DataSection {
  /// How much one unit of the file moves the model's input at most: x = a·raw + b per channel, max
  /// |a|, rounded up. `range` maps the bytes 0…255 onto itself, `standardize` divides. `unknown` where
  /// it divides by what was not measured yet.
  public var unitFactor: UpperBound {
    if standardizesByData, standardize == nil { return .unknown }
    var factor = UpperBound.one
    if let range {
      let width = Directed.sumUp(range.upperBound, -range.lowerBound)
      factor = UpperBound(proved: width) / LowerBound(proved: 255)
    }
    if let least = standardize?.deviation.map(\.magnitude).min() {
      factor = factor / LowerBound(proved: least)
    }
    return factor
  }
}
