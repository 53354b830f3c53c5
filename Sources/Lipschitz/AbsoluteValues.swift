import Formats
import Model
import Rounding
import Tensors

/// Bounds of a whole network in L∞ and L1 through the absolute values of its matrices; never worse
/// than the product of layer norms up to rounding, and often far better.
///
/// L∞, forward: with |Δvᵢ| ≤ aᵢ·‖Δinput‖∞ for every element of a value v, a(input) = 1 and
/// a(W·x) = |W|·a(x), a(φ(x)) = max|φ′|·a(x), a(Σ cₖxₖ) = Σ |cₖ|·a(xₖ); a layer of which only the
/// constant K is known gives K·max a(x) everywhere. The bound is max a(output).
///
/// L1, backward: with ‖Δoutput‖₁ ≤ Σᵢ cᵢ|Δvᵢ|, summed over the values v computed so far,
/// c(output) = 1 and W·x adds |W|ᵀc to c(x), and so on transposed; the bound is max c(input).
///
/// nil where a layer has no finite constant. Every step rounds up.
func absoluteValueBound(_ weights: NetworkWeights, norm: Norm) -> UpperBound? {
  switch norm {
  case .linf: forwardBound(weights)
  case .l1: backwardBound(weights)
  case .l2: nil
  }
}

private func forwardBound(_ weights: NetworkWeights) -> UpperBound? {
  elementBounds(weights).map { UpperBound(proved: $0.max() ?? 0) }
}

/// a of every element of the output; nil where a layer has no finite constant.
func elementBounds(_ weights: NetworkWeights) -> [Double]? {
  let network = weights.network
  var values: [[Double]] = []
  func factors(of value: NetworkValue) -> [Double] {
    switch value {
    case .input: [Double](repeating: 1, count: network.inputShape.elementCount)
    case .node(let index): values[index]
    }
  }
  for (index, node) in network.nodes.enumerated() {
    let operands = node.inputs.map(factors)
    guard let result = weights.absoluteImage(of: operands, through: index),
      result.allSatisfy(\.isFinite)
    else { return nil }
    values.append(result)
  }
  return factors(of: network.output)
}

private func backwardBound(_ weights: NetworkWeights) -> UpperBound? {
  let count = weights.network.outputShape.elementCount
  return functionalBound(weights, [Double](repeating: 1, count: count))
}

/// C with Σᵢ cᵢ·|Δoutputᵢ| ≤ C·‖Δinput‖₁; nil where a layer has no finite constant.
func functionalBound(_ weights: NetworkWeights, _ c: [Double]) -> UpperBound? {
  let network = weights.network
  var cotangents = network.nodes.map { [Double](repeating: 0, count: $0.outputShape.elementCount) }
  var atInput = [Double](repeating: 0, count: network.inputShape.elementCount)
  func add(_ terms: [Double], to value: NetworkValue) {
    switch value {
    case .input: accumulateUp(&atInput, terms)
    case .node(let index): accumulateUp(&cotangents[index], terms)
    }
  }
  add(c, to: network.output)
  for (index, node) in network.nodes.enumerated().reversed() {
    let cotangent = cotangents[index]
    if cotangent.allSatisfy({ $0 == 0 }) { continue }
    for (position, operand) in node.inputs.enumerated() {
      guard
        let terms = weights.absolutePreimage(of: cotangent, through: index, operand: position),
        terms.allSatisfy(\.isFinite)
      else { return nil }
      add(terms, to: operand)
    }
    cotangents[index] = []
  }
  return UpperBound(proved: atInput.max() ?? 0)
}

extension NetworkWeights {
  /// a(y) for y = the layer of `operands`; nil where it has no finite constant.
  func absoluteImage(of operands: [[Double]], through index: Int) -> [Double]? {
    let node = network.nodes[index]
    switch node.operation {
    case .linear(.dense(let weight, let outputs, let inputs)):
      guard operands[0].count == inputs else { return nil }
      return absoluteProduct(
        tensor(weight, of: index).values, rows: outputs, columns: inputs, operands[0])
    case .linear(.diagonal(let weight, let count)):
      return scaled(operands[0], by: tensor(weight, of: index).values, count: count)
    case .linear(.scaling(let factor)):
      return operands[0].map { Directed.productUp($0, abs(factor)) }
    case .elementwise(let slopes):
      let slope = max(abs(slopes.lower), abs(slopes.upper))
      guard slope.isFinite else { return nil }
      return operands[0].map { Directed.productUp($0, slope) }
    case .weightedSum(let coefficients):
      var sum = [Double](repeating: 0, count: node.outputShape.elementCount)
      for (coefficient, operand) in zip(coefficients, operands) {
        accumulateUp(&sum, operand.map { Directed.productUp($0, abs(coefficient)) })
      }
      return sum
    case .known(let constants):
      guard constants.linf.isFinite else { return nil }
      return uniform(operands, constants.linf, node.outputShape.elementCount)
    case .linear(.convolution(let weight, let geometry)):
      return AbsoluteConvolution(doubles(weight, of: index), geometry)?.forward(operands[0])
    case .linear(.transposedConvolution(let weight, let geometry)):
      return AbsoluteConvolution(doubles(weight, of: index), geometry)?.adjoint(operands[0])
    case .linear(.separable(let channels, let axes)):
      return absoluteSeparable(axes, channels: channels, operands[0], isTransposed: false)
    case .linear(.normalisation(let scale, let variance, let epsilon, _, let count)):
      guard
        let factors = try? normalisationFactors(
          scale: scale.map { doubles($0, of: index) }, variance: doubles(variance, of: index),
          epsilon: epsilon)
      else { return nil }
      return operands[0].indices.map {
        Directed.productUp(operands[0][$0], factors[$0 / count].upper.value)
      }
    case .scaled(let weight, let constants):
      guard constants.linf.isFinite else { return nil }
      let largest = doubles(weight, of: index).reduce(0) { max($0, $1.magnitude) }
      return uniform(
        operands, constants.linf * UpperBound(proved: largest), node.outputShape.elementCount)
    case .unbounded:
      return nil
    }
  }

  /// K·max a(x) everywhere.
  private func uniform(
    _ operands: [[Double]], _ constant: UpperBound, _ count: Int
  ) -> [Double] {
    let largest = operands.compactMap { $0.max() }.max() ?? 0
    return [Double](repeating: Directed.productUp(largest, constant.value), count: count)
  }

  /// What the layer's cotangent c(y) adds to c of one operand.
  fileprivate func absolutePreimage(
    of cotangent: [Double], through index: Int, operand: Int
  ) -> [Double]? {
    let node = network.nodes[index]
    switch node.operation {
    case .linear(.dense(let weight, let outputs, let inputs)):
      guard node.inputShapes[operand].elementCount == inputs else { return nil }
      return absoluteTransposedProduct(
        tensor(weight, of: index).values, rows: outputs, columns: inputs, cotangent)
    case .linear(.diagonal), .linear(.scaling), .elementwise:
      // Diagonal: its own transpose.
      return absoluteImage(of: [cotangent], through: index)
    case .weightedSum(let coefficients):
      return cotangent.map { Directed.productUp($0, abs(coefficients[operand])) }
    case .known(let constants):
      guard constants.l1.isFinite else { return nil }
      return uniform([cotangent], constants.l1, node.inputShapes[operand].elementCount)
    case .linear(.convolution(let weight, let geometry)):
      return AbsoluteConvolution(doubles(weight, of: index), geometry)?.adjoint(cotangent)
    case .linear(.transposedConvolution(let weight, let geometry)):
      return AbsoluteConvolution(doubles(weight, of: index), geometry)?.forward(cotangent)
    case .linear(.separable(let channels, let axes)):
      return absoluteSeparable(axes, channels: channels, cotangent, isTransposed: true)
    case .linear(.normalisation):
      return absoluteImage(of: [cotangent], through: index)
    case .scaled(let weight, let constants):
      guard constants.l1.isFinite else { return nil }
      let largest = doubles(weight, of: index).reduce(0) { max($0, $1.magnitude) }
      return uniform(
        [cotangent], constants.l1 * UpperBound(proved: largest),
        node.inputShapes[operand].elementCount)
    case .unbounded:
      return nil
    }
  }

  /// |s| ⊙ a, one number of s per channel (axis 0) or for all elements.
  private func scaled(_ a: [Double], by scales: TensorValues, count: Int) -> [Double] {
    let magnitudes: [Double] = switch scales {
    case .float32(let values): values.map { Double($0.magnitude) }
    case .float64(let values): values.map(\.magnitude)
    }
    let channelSize = max(1, a.count / count)
    return a.indices.map { Directed.productUp(a[$0], magnitudes[$0 / channelSize]) }
  }
}

// MARK: sums rounded up

/// sum ← sum + terms, rounded up.
func accumulateUp(_ sum: inout [Double], _ terms: [Double]) {
  for index in sum.indices { sum[index] = Directed.sumUp(sum[index], terms[index]) }
}

/// An upper bound of a sum of m products of numbers ≥ 0 from its computed value: m roundings of
/// products and m − 1 of additions, in any order, lose less than (m + 3)·1.01·2⁻⁵³ of it; below
/// 2⁻⁹⁰⁰ underflow could lose more, so such sums are raised to 2⁻⁹⁰⁰.
func raised(_ sum: Double, terms: Int, isZero: () -> Bool) -> Double {
  if sum < 0x1p-900 { return isZero() ? 0 : 0x1p-900 }
  return Directed.productUp(sum, 1 + Double(terms + 3) * 1.01 * 0x1p-53)
}

/// |W|·x rounded up; W row-major, x ≥ 0.
func absoluteProduct(
  _ weight: TensorValues, rows: Int, columns: Int, _ x: [Double]
) -> [Double] {
  switch weight {
  case .float32(let values): absoluteProduct(values, rows: rows, columns: columns, x)
  case .float64(let values): absoluteProduct(values, rows: rows, columns: columns, x)
  }
}

private func absoluteProduct<Scalar: StoredScalar>(
  _ weight: [Scalar], rows: Int, columns: Int, _ x: [Double]
) -> [Double] {
  weight.withUnsafeBufferPointer { w in
    x.withUnsafeBufferPointer { x in
      (0..<rows).map { row in
        let start = row * columns
        var lanes = SIMD8<Double>(repeating: 0)
        let whole = columns & ~7
        for column in stride(from: 0, to: whole, by: 8) {
          var a = SIMD8<Double>()
          var b = SIMD8<Double>()
          for lane in 0..<8 {
            a[lane] = Double(w[start + column + lane].magnitude)
            b[lane] = x[column + lane]
          }
          lanes += a * b
        }
        var sum = lanes.sum()
        for column in whole..<columns { sum += Double(w[start + column].magnitude) * x[column] }
        return raised(sum, terms: columns) {
          !(0..<columns).contains { w[start + $0] != 0 && x[$0] != 0 }
        }
      }
    }
  }
}

/// |W|ᵀ·x rounded up; W row-major [rows, columns], x ≥ 0 of `rows` numbers.
private func absoluteTransposedProduct(
  _ weight: TensorValues, rows: Int, columns: Int, _ x: [Double]
) -> [Double] {
  switch weight {
  case .float32(let values): absoluteTransposedProduct(values, rows: rows, columns: columns, x)
  case .float64(let values): absoluteTransposedProduct(values, rows: rows, columns: columns, x)
  }
}

private func absoluteTransposedProduct<Scalar: StoredScalar>(
  _ weight: [Scalar], rows: Int, columns: Int, _ x: [Double]
) -> [Double] {
  weight.withUnsafeBufferPointer { w in
    var sums = [Double](repeating: 0, count: columns)
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        let (start, factor) = (row * columns, x[row])
        for column in 0..<columns {
          sums[column] += Double(w[start + column].magnitude) * factor
        }
      }
    }
    return sums.indices.map { column in
      raised(sums[column], terms: rows) {
        !(0..<rows).contains { w[$0 * columns + column] != 0 && x[$0] != 0 }
      }
    }
  }
}
