import Diagnostics
import Lipschitz
import Model
import ReferenceEngine
import Rounding
import Tensors

/// How far each test sample's input may change, in one norm, before its class can.
///
/// What is proved: for the real-valued function that the stored weights define at inference, no
/// change δ with ‖δ‖ < radius, per unit of model input, gives another class than the sample's own a
/// larger or an equal output. It covers these samples and no others; it does not cover the rounding
/// of float32 inference.
public struct CertifiedRadii: Sendable {
  public let norm: Norm
  /// One for each sample, rounded down; 0 where the class is wrong or tied.
  public let radii: [Double]
  /// What the radii divide the margins by; nil where no margin could be bounded.
  public let bounds: PairwiseBounds?

  /// The share of samples that no change below `radius` turns. At radius 0 a sample counts if its
  /// own output is the largest.
  public func accuracy(_ radius: Double) -> Double {
    let count = radius > 0 ? radii.count { $0 >= radius } : radii.count { $0 > 0 }
    return Double(count) / Double(max(radii.count, 1))
  }

  /// The mean of all radii; rounding may have added a few units in the last place to the sum, which
  /// is taken off.
  public var average: Double {
    let count = Double(max(radii.count, 1))
    return max(0, radii.reduce(0, +) / count * (1 - (count + 4) * 0x1p-52))
  }

  /// Certified accuracy on a grid from 0 to the largest radius that a hundredth of the samples has.
  public func curve(points: Int = 41) -> [(radius: Double, accuracy: Double)] {
    let finite = radii.filter(\.isFinite).sorted()
    let end = finite.isEmpty ? 0 : finite[min(finite.count - 1, finite.count * 99 / 100)]
    guard end > 0 else { return [(0, accuracy(0))] }
    return (0..<points).map { point in
      let radius = end * Double(point) / Double(points - 1)
      return (radius, accuracy(radius))
    }
  }

  /// - Parameters:
  ///   - x: the samples as the model reads them, one after the other.
  ///   - isRight: whether float32 inference finds each sample's class; others have radius 0.
  static func proved(
    _ weights: NetworkWeights, reports: [BoundReport], x: [Float], labels: [Int32],
    isRight: [Bool]
  ) throws(DiagnosticError) -> [CertifiedRadii] {
    let size = weights.network.inputShape.elementCount
    let right = isRight.indices.filter { isRight[$0] }
    var rows: [Float] = []
    rows.reserveCapacity(right.count * size)
    for index in right { rows += x[index * size..<(index + 1) * size] }
    // A ball around a sample may leave the domain in which the bound holds: then nothing is proved.
    let margins = weights.network.domain == nil
      ? try DiagnosticError.translating {
        try provedMargins(
          weights, of: rows, labels: right.map { labels[$0] }, engine: ReferenceEngine())
      } : nil
    var result: [CertifiedRadii] = []
    for report in reports {
      var radii = [Double](repeating: 0, count: isRight.count)
      guard let margins else {
        result.append(CertifiedRadii(norm: report.norm, radii: radii, bounds: nil))
        continue
      }
      let bounds = try pairwiseBounds(weights, report)
      for (row, index) in right.enumerated() { radii[index] = margins.radius(of: row, bounds) }
      result.append(CertifiedRadii(norm: report.norm, radii: radii, bounds: bounds))
    }
    return result
  }
}
