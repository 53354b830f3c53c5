import COpenBLAS
import Model
import Rounding
import Tensors

/// The operator norm of every layer of `network` with stored tensors, each in the norm that is
/// declared for it (else the network's): for curves in training.
///
/// Estimates from below, not proofs: in L2 at most 16 steps of Lanczos from a fixed vector, so that
/// the same weights always give the same numbers, usually right to four digits; in L1 and L∞ sums.
/// Costs about as much as forty samples in training.
///
/// - Parameter weights: the tensors as the network uses them, by name.
public func estimatedNorms(
  _ network: Network, weights: [String: [Float]]
) -> [(layer: String, norm: Double)] {
  guard (try? LinearAlgebra.open()) != nil else { return [] }
  return network.nodes.compactMap { node in
    estimate(node, norm: node.declared?.norm ?? network.norm) { weights[node.tensorName($0)] }
      .map { (layer: node.name, norm: $0) }
  }
}

private let steps = 16
/// Of the square.
private let tolerance = 1e-5

private func estimate(
  _ node: LayerNode, norm: Norm, _ tensor: (String) -> [Float]?
) -> Double? {
  switch node.operation {
  case .linear(.dense(let weight, let outputs, let inputs)):
    return tensor(weight).map { dense($0, outputs, inputs, norm) }
  case .linear(.diagonal(let weight, _)):
    return tensor(weight).map(largest)
  case .linear(.convolution(let weight, let geometry)):
    return tensor(weight).map { convolution($0, ConvolutionMap(geometry), norm) }
  case .linear(.transposedConvolution(let weight, let geometry)):
    return tensor(weight).map { convolution($0, ConvolutionMap(geometry), norm.dual) }
  case .linear(.normalisation(let scale, let variance, let epsilon, _, _)):
    guard let variance = tensor(variance) else { return nil }
    let factors = scale.flatMap(tensor) ?? [Float](repeating: 1, count: variance.count)
    return zip(factors, variance).reduce(0) { result, pair in
      max(result, Double(pair.0).magnitude / (Double(pair.1) + epsilon).squareRoot())
    }
  case .stored(let constants):
    return constants[norm].estimate { step in
      switch step {
      case .largest(let weight): return tensor(weight).map(largest)
      case .norm(let matrix, let norm):
        let (width, rows) = (matrix.columns, matrix.rows)
        return tensor(matrix.weight).map {
          dense(
            Array($0[rows.lowerBound * width..<rows.upperBound * width]), rows.count, width, norm)
        }
      default: return nil
      }
    }
  default: return nil
  }
}

extension StoredBound {
  /// The constant from estimates of what it reads, rounded to nearest; nil where one is not there.
  fileprivate func estimate(_ leaf: (Step) -> Double?) -> Double? {
    var values: [Double] = []
    for step in steps {
      switch step {
      case .number(let number): values.append(number)
      case .norm, .largest:
        guard let value = leaf(step) else { return nil }
        values.append(value)
      case .sum(let a, let b): values.append(values[a] + values[b])
      case .product(let a, let b): values.append(values[a] * values[b])
      case .maximum(let a, let b): values.append(max(values[a], values[b]))
      case .root(let a): values.append(values[a].squareRoot())
      }
    }
    return values.last
  }
}

private func largest(_ values: [Float]) -> Double {
  Double(values.reduce(0) { max($0, $1.magnitude) })
}

private func dense(_ weight: [Float], _ outputs: Int, _ inputs: Int, _ norm: Norm) -> Double {
  if norm != .l2 {
    var sums = [Double](repeating: 0, count: norm == .linf ? outputs : inputs)
    for row in 0..<outputs {
      for column in 0..<inputs {
        sums[norm == .linf ? row : column] += Double(weight[row * inputs + column]).magnitude
      }
    }
    return sums.max() ?? 0
  }
  // Rows of W are columns of the library's matrix.
  let matrix = weight.map(Double.init)
  var inner = [Double](repeating: 0, count: max(outputs, inputs))
  func multiply(_ transposed: Bool, _ x: [Double], into y: inout [Double]) {
    openblas_gemv(
      transposed ? 1 : 0, Int32(inputs), Int32(outputs), 1, matrix, Int32(inputs), x, 0, &y)
  }
  let order = min(outputs, inputs)
  let isWide = outputs <= inputs
  return square(order: order) { x in
    var y = [Double](repeating: 0, count: order)
    // WWᵀ where W is wide, else WᵀW.
    multiply(!isWide, x, into: &inner)
    multiply(isWide, inner, into: &y)
    return y
  }.squareRoot()
}

private func convolution(_ weight: [Float], _ map: ConvolutionMap, _ norm: Norm) -> Double {
  if norm != .l2 { return map.sums(weight, rows: norm == .linf).upper.value }
  let image = ConvolutionImage(map) { Double(weight[$0]) }
  return square(order: image.inputCount) { image.adjoint(image.forward($0)) }.squareRoot()
}

/// The largest eigenvalue.
private func square(order: Int, _ apply: ([Double]) -> [Double]) -> Double {
  max(0, lanczos(order: order, steps: steps, tolerance: tolerance, apply).value)
}

extension Norm {
  /// ‖Tᵀ‖ in this norm is ‖T‖ in that one.
  fileprivate var dual: Norm {
    switch self {
    case .l1: .linf
    case .l2: .l2
    case .linf: .l1
    }
  }
}
