import Model
import Tensors

/// The matrix of a linear operator, row-major [outputs, inputs], written out from the definition
/// of its kind: the oracle of the tests that compare it with what a layer computes.
///
/// - Parameter inputs: the number of columns of an operator that fits any (a scaling).
func operatorMatrix(
  _ linear: LinearOperator, inputs: Int? = nil, _ tensor: (String) -> [Double]
) -> [Double] {
  func diagonal(_ values: [Double]) -> [Double] {
    let count = values.count
    return (0..<count * count).map { $0 / count == $0 % count ? values[$0 / count] : 0 }
  }
  switch linear {
  case .dense(let weight, _, _): return tensor(weight)
  case .scaling(let factor): return diagonal([Double](repeating: factor, count: inputs ?? 1))
  case .diagonal(let weight, _):
    let s = tensor(weight)
    let columns = inputs ?? s.count
    return diagonal((0..<columns).map { s[$0 * s.count / columns] })
  case .normalisation(let scale, let variance, let epsilon, let channels, let count):
    let gamma = scale.map(tensor) ?? [Double](repeating: 1, count: channels)
    let factors = zip(gamma, tensor(variance)).map { $0 / ($1 + epsilon).squareRoot() }
    return diagonal((0..<channels * count).map { factors[$0 / count] })
  case .separable(let channels, let axes):
    let maps = axes.map(dense)
    let one = maps.reduce((rows: 1, columns: 1, values: [1.0])) { kronecker($0, $1) }
    let identity = diagonal([Double](repeating: 1, count: channels))
    return kronecker((channels, channels, identity), one).values
  case .convolution(let weight, let geometry):
    return convolutionMatrix(geometry, tensor(weight))
  case .transposedConvolution(let weight, let geometry):
    let matrix = convolutionMatrix(geometry, tensor(weight))
    let (rows, columns) = (linear.inputCount, linear.outputCount)
    return (0..<columns).flatMap { column in
      (0..<rows).map { matrix[$0 * columns + column] }
    }
  }
}

private typealias DenseMatrix = (rows: Int, columns: Int, values: [Double])

private func dense(_ map: AxisMap) -> DenseMatrix {
  var values = [Double](repeating: 0, count: map.rows.count * map.inputs)
  for (index, row) in map.rows.enumerated() {
    for (column, numerator) in zip(row.columns, row.numerators) {
      values[index * map.inputs + column] += Double(numerator) / Double(row.divisor)
    }
  }
  return (map.rows.count, map.inputs, values)
}

private func kronecker(_ a: DenseMatrix, _ b: DenseMatrix) -> DenseMatrix {
  let (rows, columns) = (a.rows * b.rows, a.columns * b.columns)
  let values = (0..<rows * columns).map { index in
    let (i, j) = (index / columns, index % columns)
    return a.values[i / b.rows * a.columns + j / b.columns]
      * b.values[i % b.rows * b.columns + j % b.columns]
  }
  return (rows, columns, values)
}

/// y[o, p] = Σ W[o, c, t] · x[c, q], q = p·stride + t·dilation − low per axis, where a q outside the
/// input is nothing, or the element that the padding repeats there.
private func convolutionMatrix(_ geometry: ConvolutionGeometry, _ weight: [Double]) -> [Double] {
  /// (output, tap, input) of one axis.
  func triples(_ axis: WindowAxis) -> [(Int, Int, Int)] {
    let n = axis.extent
    let last = axis.low + n + axis.high - (axis.kernel - 1) * axis.dilation - 1
    var result: [(Int, Int, Int)] = []
    for output in 0...(last / axis.stride) {
      for tap in 0..<axis.kernel {
        let q = output * axis.stride + tap * axis.dilation - axis.low
        let source: Int
        switch geometry.padding {
        case .zeros:
          if q < 0 || q >= n { continue }
          source = q
        case .circular: source = q < 0 ? q + n : q >= n ? q - n : q
        case .reflect: source = q < 0 ? -q : q >= n ? 2 * n - 2 - q : q
        case .replicate: source = min(max(q, 0), n - 1)
        }
        result.append((output, tap, source))
      }
    }
    return result
  }
  func size(_ extents: [Int]) -> Int { extents.reduce(1, *) }
  let single = WindowAxis(extent: 1, kernel: 1)
  let axes = geometry.axes.count == 1 ? [single] + geometry.axes : geometry.axes
  let (first, second) = (triples(axes[0]), triples(axes[1]))
  let (outputs, plane) = (size(axes.map(\.outputs)), size(axes.map(\.extent)))
  let kernel = size(axes.map(\.kernel))
  let depth = geometry.inputs / geometry.groups
  let columns = geometry.inputs * plane
  var matrix = [Double](repeating: 0, count: geometry.outputs * outputs * columns)
  for filter in 0..<geometry.outputs {
    let group = filter / (geometry.outputs / geometry.groups)
    for channel in 0..<depth {
      for (p0, t0, q0) in first {
        for (p1, t1, q1) in second {
          let row = filter * outputs + p0 * axes[1].outputs + p1
          let column = (group * depth + channel) * plane + q0 * axes[1].extent + q1
          matrix[row * columns + column] +=
            weight[(filter * depth + channel) * kernel + t0 * axes[1].kernel + t1]
        }
      }
    }
  }
  return matrix
}
