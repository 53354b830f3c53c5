import Formats
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

/// The matrices of node `index`, whose constant follows from several, so that each is proved to keep
/// its share of the declared bound and the layer's constant, biases and all, the declared bound.
///
/// Every matrix is rescaled as an operator of its own. Where the constant of the rescaled ones is
/// still above the bound (a bias grew), those without a share fixed by the layer shrink together
/// until it is not; the constant falls at least as they do.
/// - Parameter tensors: every stored tensor that the constant reads, by full name.
/// - Returns: the new matrices, by full name.
public func certifiedRescale(
  matricesOf index: Int, in network: Network, tensors: [String: NamedTensor]
) throws(ProofError) -> [String: [Float]] {
  let node = network.nodes[index]
  guard let declared = node.declared, case .stored(let constants) = node.operation else {
    return [:]
  }
  var stored = tensors
  var result: [String: [Float]] = [:]
  func take(_ name: String, _ values: [Float]) {
    let full = node.tensorName(name)
    stored[full] = NamedTensor(name: full, shape: stored[full]!.shape, values: .float32(values))
    result[full] = values
  }
  func values(_ name: String) -> [Float] {
    if case .float32(let values) = stored[node.tensorName(name)]?.values { values } else { [] }
  }
  for matrix in node.heldMatrices {
    take(
      matrix.name,
      try certifiedRescale(
        weight: values(matrix.name), of: matrix.linear, norm: declared.norm, bound: matrix.bound))
  }
  let free = node.heldMatrices.filter { node.layer.matrixBounds(declared.norm)[$0.name] == nil }
  var margin = 0x1p-24
  while true {
    let weights = NetworkWeights(network, checked: stored)
    let proved = try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
      try weights.storedBound(constants[declared.norm], of: index).upper.value
    }
    if proved <= declared.bound { return result }
    let factor = margin < 1 ? min(declared.bound / proved, 1) * (1 - margin) : 0
    for matrix in free { take(matrix.name, values(matrix.name).map { Float(Double($0) * factor) }) }
    if factor == 0 { return result }
    margin *= 2
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
