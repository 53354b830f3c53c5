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
  /// ‖f(a) − f(b)‖ ≤ upper·‖a − b‖ for all a, b, per unit of model input.
  public let upper: UpperBound
  public let method: Method
  /// The composition of the layers' norms over the graph; what `upper` is compared with where
  /// another method is tighter.
  public let product: UpperBound
  /// One per node of the network, in execution order.
  public let layers: [LayerBound]
  public let residualBlocks: [ResidualBound]

  public enum Method: String, Sendable {
    /// Layer norms composed over the graph.
    case product
    /// Absolute values of the matrices carried through the graph (L1, L∞).
    case absoluteValues = "absolute values"
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
      for norm in norms { reports.append(try report(weights, norm: norm)) }
      return reports
    }
  } catch {
    throw DiagnosticError(error.diagnostic)
  }
}

private func report(_ weights: NetworkWeights, norm: Norm) throws(ProofError) -> BoundReport {
  let network = weights.network
  var layers: [BoundReport.LayerBound] = []
  for (index, node) in network.nodes.enumerated() {
    let bound = try weights.operatorBound(index, norm: norm)
    layers.append(.init(name: node.name, kind: node.kind, bound: bound))
  }
  let product = compose(network, norm: norm) { layers[$0].bound.upper }.total
  let other = absoluteValueBound(weights, norm: norm)
  // Equal up to rounding is not tighter: the simpler method then has the word.
  let isTighter = other.map { $0.value < product.value * (1 - 1e-12) } ?? false
  return BoundReport(
    norm: norm, upper: isTighter ? other! : product,
    method: isTighter ? .absoluteValues : .product, product: product, layers: layers,
    residualBlocks: network.blocks.map { block in
      let (body, whole) = block.bounds(in: network, norm: norm) { layers[$0].bound.upper }
      return .init(
        name: block.name, mode: block.mode, weight: block.weight, body: body, whole: whole)
    })
}

extension DataSection {
  /// How much one unit of the file moves the model's input at most: x = a·raw + b per channel, max
  /// |a|, rounded up. `range` maps the bytes 0…255 onto itself, `standardize` divides.
  public var unitFactor: UpperBound {
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
