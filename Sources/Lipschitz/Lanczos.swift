import COpenBLAS

/// The largest eigenvalue and its vector of a symmetric positive semidefinite operator of order
/// `order`, by Lanczos from a fixed pseudo-random vector; stops when the predicted error res²/gap
/// is below `tolerance` of the value. An estimate, never trusted by a proof.
///
/// Small bases are kept orthogonal; without that, large ones only gain copies of eigenvalues that
/// have converged.
func lanczos(
  order: Int, steps: Int, tolerance: Double, start: [Double]? = nil,
  _ apply: ([Double]) -> [Double]
) -> Eigenpair {
  let limit = min(steps, order)
  let keepsOrthogonal = order * limit <= 4 << 20
  var random = SplitMix(state: 0xD1B5_4A32_D192_ED03)
  var current = start ?? (0..<order).map { _ in random.unit() }
  normalise(&current)
  var basis: [[Double]] = [current]
  var alpha: [Double] = []
  var beta: [Double] = []
  var best = Eigenpair(value: 0, error: .infinity, vector: current)
  var small: [Double] = [1]
  for step in 0..<limit {
    var work = apply(current)
    let a = dot(work, current)
    guard a.isFinite else { break }
    alpha.append(a)
    if keepsOrthogonal {
      for _ in 0..<2 {
        for vector in basis { subtract(dot(work, vector), vector, from: &work) }
      }
    } else {
      subtract(a, current, from: &work)
      if step > 0 { subtract(beta[step - 1], basis[step - 1], from: &work) }
    }
    let b = norm(work)
    beta.append(b)
    let isLast = step == limit - 1 || !(b > 1e-14 * alpha[0].magnitude)
    if step % (step < 32 ? 4 : 16) == 3 || isLast {
      if let ritz = ritzPair(alpha, beta) {
        (best.value, best.error, small) = (ritz.value, ritz.error, ritz.vector)
        if ritz.error <= tolerance * ritz.value { break }
      }
      if isLast { break }
    }
    current = work.map { $0 / b }
    basis.append(current)
  }
  var vector = [Double](repeating: 0, count: order)
  for (weight, direction) in zip(small, basis) { subtract(-weight, direction, from: &vector) }
  best.vector = vector
  return best
}

/// The top eigenpair of the Lanczos matrix with its predicted error.
func ritzPair(_ alpha: [Double], _ beta: [Double]) -> Eigenpair? {
  let count = alpha.count
  var d = alpha
  var e = beta
  var z = [Double](repeating: 0, count: count * count)
  guard openblas_tridiagonal(Int32(count), &d, &e, &z) == 0 else { return nil }
  let value = d[count - 1]
  let vector = Array(z[(count - 1) * count..<count * count])
  let residual = (beta[count - 1] * vector[count - 1]).magnitude
  let gap = max(value - (count > 1 ? d[count - 2] : 0), 1e-300)
  return Eigenpair(value: value, error: min(residual, residual * residual / gap), vector: vector)
}

func dot(_ x: [Double], _ y: [Double]) -> Double {
  x.withUnsafeBufferPointer { x in
    y.withUnsafeBufferPointer { y in
      var lanes = SIMD8<Double>(repeating: 0)
      let (a, b) = (UnsafeRawPointer(x.baseAddress), UnsafeRawPointer(y.baseAddress))
      let whole = x.count & ~7
      for index in stride(from: 0, to: whole, by: 8) {
        lanes += a!.loadUnaligned(fromByteOffset: index * 8, as: SIMD8<Double>.self)
          * b!.loadUnaligned(fromByteOffset: index * 8, as: SIMD8<Double>.self)
      }
      var sum = lanes.sum()
      for index in whole..<x.count { sum += x[index] * y[index] }
      return sum
    }
  }
}

/// y ← y − factor·x
private func subtract(_ factor: Double, _ x: [Double], from y: inout [Double]) {
  x.withUnsafeBufferPointer { x in
    y.withUnsafeMutableBufferPointer { y in
      for index in 0..<x.count { y[index] -= factor * x[index] }
    }
  }
}

func norm(_ x: [Double]) -> Double { dot(x, x).squareRoot() }

func normalise(_ x: inout [Double]) {
  let length = norm(x)
  if length > 0 { for index in x.indices { x[index] /= length } }
}
