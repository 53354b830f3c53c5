import Model
import Rounding

/// Weights whose operator norm is proved to be at most `bound`: the given ones where that is
/// already so, else the given ones times a factor below one.
///
/// The factor is bound / (proved norm), less a margin for the rounding of the scaled weights to
/// float32; the ROUNDED weights are proved again, and the margin grows until the proof holds. It
/// ends at the latest with weights of zero.
/// - Parameters:
///   - weight: row-major [rows, columns].
///   - bound: finite and ≥ 0.
/// - Throws: `ProofError.notFinite` with [row, column].
public func certifiedRescale(
  weight: [Float], rows: Int, columns: Int, norm: Norm, bound: Double
) throws(ProofError) -> [Float] {
  try rescale(weight, bound: bound) { (weight) throws(ProofError) in
    try denseBound(weight, rows: rows, columns: columns, norm: norm)
  }
}

/// The same for any operator of one stored tensor.
///
/// - Parameter tensor: the layer's other stored tensors, by their local names: the running variance
///   of a batch normalisation, of which the scale is the weight.
public func certifiedRescale(
  weight: [Float], of linear: LinearOperator, norm: Norm, bound: Double,
  tensor: (String) -> [Float] = { _ in [] }
) throws(ProofError) -> [Float] {
  switch linear {
  case .dense(_, let outputs, let inputs):
    return try certifiedRescale(
      weight: weight, rows: outputs, columns: inputs, norm: norm, bound: bound)
  case .diagonal:
    return try rescale(weight, bound: bound) { (weight) throws(ProofError) in
      try diagonalBound(weight)
    }
  case .normalisation(_, let variance, let epsilon, _, _):
    let variance = tensor(variance).map(Double.init)
    return try rescale(weight, bound: bound) { (weight) throws(ProofError) in
      try normalisationBound(
        scale: weight.map(Double.init), variance: variance, epsilon: epsilon)
    }
  case .scaling, .separable:
    return weight
  case .convolution(_, let geometry):
    return try rescale(weight, bound: bound) { (weight) throws(ProofError) in
      try convolutionBound(weight, geometry, norm: norm)
    }
  case .transposedConvolution(_, let geometry):
    return try rescale(weight, bound: bound) { (weight) throws(ProofError) in
      try convolutionBound(weight, geometry, norm: norm, isTransposed: true)
    }
  }
}

private func rescale(
  _ weight: [Float], bound: Double,
  prove: ([Float]) throws(ProofError) -> OperatorBound
) throws(ProofError) -> [Float] {
  precondition(bound >= 0 && bound.isFinite, "a declared bound is a finite number ≥ 0")
  let proved = try prove(weight).upper.value
  if proved <= bound { return weight }
  // An overflowing norm cannot be divided by; halving until it is finite costs nothing.
  if proved == .infinity {
    return try rescale(weight.map { $0 / 2 }, bound: bound, prove: prove)
  }
  var margin = 0x1p-26
  while margin < 1 {
    let factor = bound / proved * (1 - margin)
    let scaled = weight.map { Float(Double($0) * factor) }
    if try prove(scaled).upper.value <= bound { return scaled }
    margin *= 2
  }
  return weight.map { _ in 0 }
}
