import Model
import Rounding

/// A linear layer and the numbers per channel that follow it (batch normalisation at inference, a
/// scale), bounded as the one operator that they are: ‖diag(a)·W‖ ≤ max |a| · ‖W‖, and often far
/// below it.
public struct FusedBound: Sendable {
  /// The linear layer and the layer that scales its channels, by node index.
  public let nodes: [Int]
  public let entry: NetworkValue
  /// Of diag(a)·W, rounded to float64, with its evidence.
  public let scaled: OperatorBound
  /// Of the two layers together.
  public let upper: UpperBound
}

extension NetworkWeights {
  /// Every fused pair of the network, in L2.
  ///
  /// The fused weight is rounded: |ŵ − a·w| ≤ δ·max(|ŵ|, 2⁻⁴⁰⁰) with δ from the interval of a and
  /// one product, which may underflow, so δ·‖|Ŵ|‖ is added to the norm proved of Ŵ.
  func fusedBounds() throws(ProofError) -> [FusedBound] {
    var fused: [FusedBound] = []
    for (index, node) in network.nodes.enumerated() {
      guard node.inputs.count == 1, case .node(let first) = node.inputs[0],
        let factors = try channelFactors(index),
        case .linear(let linear) = network.nodes[first].operation,
        let bound = try fusedBound(linear, of: first, factors)
      else { continue }
      fused.append(
        FusedBound(
          nodes: [first, index], entry: network.nodes[first].inputs[0], scaled: bound.scaled,
          upper: bound.upper))
    }
    return fused
  }

  /// |a| per channel of a layer that multiplies channels, in intervals; nil for other layers.
  private func channelFactors(
    _ index: Int
  ) throws(ProofError) -> [(upper: UpperBound, lower: LowerBound)]? {
    let node = network.nodes[index]
    switch node.operation {
    case .linear(.normalisation(let scale, let variance, let epsilon, _, _)):
      do throws(ProofError) {
        return try normalisationFactors(
          scale: scale.map { doubles($0, of: index) }, variance: doubles(variance, of: index),
          epsilon: epsilon)
      } catch { throw error.naming(node.tensorName(variance)) }
    case .linear(.diagonal(let weight, _)):
      return doubles(weight, of: index).map {
        (UpperBound(proved: $0.magnitude), LowerBound(proved: $0.magnitude))
      }
    default: return nil
    }
  }

  private func fusedBound(
    _ linear: LinearOperator, of index: Int, _ factors: [(upper: UpperBound, lower: LowerBound)]
  ) throws(ProofError) -> (scaled: OperatorBound, upper: UpperBound)? {
    // Signs of a do not change the norm.
    let spread = factors.reduce(0.0) { worst, factor in
      factor.upper.value == 0 ? worst
        : max(worst, (factor.upper.value - factor.lower.value) / factor.upper.value)
    }
    // A checker rounds every step up; it stays below this.
    let delta = (spread + 0x1p-52) * (1 + 0x1p-10)
    guard delta < 0x1p-40, factors.allSatisfy(\.upper.isFinite) else { return nil }
    switch linear {
    case .dense(let weight, let outputs, let inputs):
      guard factors.count == outputs else { return nil }
      let values = scaled(doubles(weight, of: index), rows: outputs, by: factors)
      let square = values.reduce(0) {
        let size = max($1.magnitude, 0x1p-400)
        return $0 + size * size
      } * (1 + Double(values.count) * 0x1p-52)
      return try widened(
        { () throws(ProofError) in
          try denseBound(values, rows: outputs, columns: inputs, norm: .l2)
        }, by: UpperBound(proved: square).squareRoot() * UpperBound(proved: delta))
    case .convolution(let weight, let geometry):
      guard factors.count == geometry.outputs else { return nil }
      let values = scaled(doubles(weight, of: index), rows: geometry.outputs, by: factors)
      let size = ConvolutionMap(geometry).absoluteNorm {
        max(values[$0].magnitude, 0x1p-400)
      }
      return try widened(
        { () throws(ProofError) in try convolutionBound(values, geometry, norm: .l2) },
        by: size * UpperBound(proved: delta))
    default: return nil
    }
  }

  private func scaled(
    _ values: [Double], rows: Int, by factors: [(upper: UpperBound, lower: LowerBound)]
  ) -> [Double] {
    let size = values.count / rows
    return values.indices.map { values[$0] * factors[$0 / size].upper.value }
  }

  /// nil where a product overflowed.
  private func widened(
    _ prove: () throws(ProofError) -> OperatorBound, by error: UpperBound
  ) throws(ProofError) -> (scaled: OperatorBound, upper: UpperBound)? {
    let bound: OperatorBound
    do throws(ProofError) { bound = try prove() } catch {
      if case .notFinite = error { return nil }
      throw error
    }
    return (bound, bound.upper + error)
  }
}
