import Rounding

/// The factor |scale| / √(variance + ε) of each channel, in an interval.
///
/// - Throws: `ProofError.notPositive` with the channel where variance < 0 or variance + ε ≤ 0.
func normalisationFactors(
  scale: [Double]?, variance: [Double], epsilon: Double
) throws(ProofError) -> [(upper: UpperBound, lower: LowerBound)] {
  var factors: [(upper: UpperBound, lower: LowerBound)] = []
  for (channel, variance) in variance.enumerated() {
    guard variance >= 0, variance + epsilon > 0 else {
      throw .notPositive(tensor: "", index: [channel], value: "\(variance)")
    }
    let magnitude = scale.map { $0[channel].magnitude } ?? 1
    let least = LowerBound(proved: Directed.sumDown(variance, epsilon)).squareRoot()
    let most = UpperBound(proved: Directed.sumUp(variance, epsilon)).squareRoot()
    factors.append(
      (UpperBound(proved: magnitude) / least, LowerBound(proved: magnitude) / most))
  }
  return factors
}

/// max over channels of |scale| / √(variance + ε), in L1, L2 and L∞ alike: the map is diagonal.
func normalisationBound(
  scale: [Double]?, variance: [Double], epsilon: Double
) throws(ProofError) -> OperatorBound {
  let factors = try normalisationFactors(scale: scale, variance: variance, epsilon: epsilon)
  let upper = factors.map(\.upper).max() ?? .zero
  if upper == .zero { return .zero }
  return OperatorBound(
    upper: upper, lower: factors.map(\.lower).max(), method: .normalisation,
    evidence: .normalisation)
}
