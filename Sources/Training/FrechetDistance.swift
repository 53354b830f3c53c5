import Lipschitz

/// Mean and covariance of feature vectors, in float64.
public struct FeatureMoments: Sendable {
  /// Features of a vector, and vectors.
  public let size: Int
  public let count: Int
  public let mean: [Double]
  /// [size, size], symmetric: the sum of (x − mean)(x − mean)ᵀ over count − 1.
  public let covariance: [Double]

  /// - Parameter rows: vectors of `size` numbers one after the other; at least two.
  public init(of rows: [Float], size: Int) {
    precondition(size > 0 && rows.count >= 2 * size && rows.count % size == 0, "too few features")
    let count = rows.count / size
    var mean = [Double](repeating: 0, count: size)
    for (index, value) in rows.enumerated() { mean[index % size] += Double(value) }
    for index in mean.indices { mean[index] /= Double(count) }
    var sums = [Double](repeating: 0, count: size * size)
    var centred = mean
    for row in 0..<count {
      for index in 0..<size { centred[index] = Double(rows[row * size + index]) - mean[index] }
      centred.withUnsafeBufferPointer { x in
        sums.withUnsafeMutableBufferPointer { sums in
          for i in 0..<size where x[i] != 0 {
            for j in i..<size { sums[i * size + j] += x[i] * x[j] }
          }
        }
      }
    }
    for i in 0..<size {
      for j in i..<size {
        sums[i * size + j] /= Double(count - 1)
        sums[j * size + i] = sums[i * size + j]
      }
    }
    self.size = size
    self.count = count
    self.mean = mean
    covariance = sums
  }

  public init(mean: [Double], covariance: [Double], count: Int) {
    precondition(covariance.count == mean.count * mean.count, "the covariance is not square")
    size = mean.count
    self.count = count
    self.mean = mean
    self.covariance = covariance
  }
}

/// The Fréchet distance of two normal distributions, squared as is the custom (Dowson, Landau,
/// 1982): ‖m_a − m_b‖² + tr C_a + tr C_b − 2·tr (√C_a·C_b·√C_a)^½. It is the square of their
/// Wasserstein-2 distance.
///
/// Both roots are those of symmetric positive semidefinite matrices, by eigenvectors, with
/// eigenvalues that rounding made negative taken as 0: dead features make covariances singular, and
/// the root of the product C_a·C_b, which is not symmetric, would then be complex. nil where a
/// moment is not finite.
public func frechetDistance(_ a: FeatureMoments, _ b: FeatureMoments) -> Double? {
  precondition(a.size == b.size, "lgc's own bug: features of two kinds")
  let n = a.size
  guard let (values, vectors) = symmetricEigenpairs(a.covariance, order: n) else { return nil }
  // √C_a = V·diag(√values)·Vᵀ
  var root = [Double](repeating: 0, count: n * n)
  for k in 0..<n where values[k] > 0 {
    let scale = values[k].squareRoot()
    for i in 0..<n {
      let left = scale * vectors[k * n + i]
      for j in 0..<n { root[i * n + j] += left * vectors[k * n + j] }
    }
  }
  var inner = product(product(root, b.covariance, n), root, n)
  for i in 0..<n {
    for j in i + 1..<max(n, i + 1) {
      let mean = (inner[i * n + j] + inner[j * n + i]) / 2
      inner[i * n + j] = mean
      inner[j * n + i] = mean
    }
  }
  guard let (squares, _) = symmetricEigenpairs(inner, order: n) else { return nil }
  var distance = -2 * squares.reduce(0) { $0 + max($1, 0).squareRoot() }
  for i in 0..<n {
    let difference = a.mean[i] - b.mean[i]
    distance += difference * difference + a.covariance[i * n + i] + b.covariance[i * n + i]
  }
  return max(distance, 0)
}

private func product(_ a: [Double], _ b: [Double], _ n: Int) -> [Double] {
  var result = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for k in 0..<n {
      let factor = a[i * n + k]
      if factor == 0 { continue }
      for j in 0..<n { result[i * n + j] += factor * b[k * n + j] }
    }
  }
  return result
}
