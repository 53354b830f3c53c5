import COpenBLAS
import Glibc

/// Ĝ = fl(AᵀA) of a spectral proof, d×d, column-major, in one block of memory: the upper triangle
/// keeps Ĝ, the lower one is where fl(tI − Ĝ) is factorised, so that a failed attempt costs no
/// second matrix.
final class Gram<Scalar: StoredScalar> {
  private let order: Int
  private let entries: UnsafeMutablePointer<Double>
  private let diagonal: [Double]
  /// F = Σ gᵢ
  let trace: Double

  /// nil where memory is short. A is formed panel by panel, never as a whole.
  init?(of proof: SpectralProof<Scalar>) {
    let d = proof.d
    let matrix = proof.matrix
    // Panels of about 32 MB: few enough passes over Ĝ, little beside it.
    let depth = min(proof.p, max(64, (4 << 20) / d))
    guard let entries = malloc(d * d * MemoryLayout<Double>.stride)?
      .assumingMemoryBound(to: Double.self)
    else { return nil }
    guard let panel = malloc(d * depth * MemoryLayout<Double>.stride)?
      .assumingMemoryBound(to: Double.self)
    else {
      free(entries)
      return nil
    }
    defer { free(panel) }
    let (first, second) = proof.scales
    LinearAlgebra.withThreads(order: d) {
      for start in stride(from: 0, to: proof.p, by: depth) {
        let count = min(depth, proof.p - start)
        let beta: Double = start == 0 ? 0 : 1
        if matrix.columns == d {
          // `count` rows of W, row-major: as a column-major matrix d×count, Ĝ += X·Xᵀ.
          let source = matrix.values.baseAddress! + start * d
          for index in 0..<count * d { panel[index] = Double(source[index]) * first * second }
          openblas_gram(0, Int32(d), Int32(count), panel, Int32(d), beta, entries, Int32(d))
        } else {
          // `count` columns of W: as a column-major matrix count×d, Ĝ += Xᵀ·X.
          for row in 0..<d {
            let source = matrix.values.baseAddress! + row * matrix.columns + start
            let target = panel + row * count
            for index in 0..<count { target[index] = Double(source[index]) * first * second }
          }
          openblas_gram(1, Int32(d), Int32(count), panel, Int32(count), beta, entries, Int32(d))
        }
      }
    }
    order = d
    self.entries = entries
    diagonal = (0..<d).map { entries[$0 * d + $0] }
    trace = diagonal.reduce(0, +)
  }

  deinit { free(entries) }

  /// Factorises M = fl(tI − Ĝ); (Σ Mᵢᵢ, max Mᵢᵢ) where it runs to completion.
  ///
  /// LAPACK's info is not enough: OpenBLAS reports success on NaN.
  func factorise(shift t: Double) -> (sum: Double, largest: Double)? {
    let d = order
    var sum = 0.0
    var largest = 0.0
    for index in 0..<d {
      let entry = t - diagonal[index]
      guard entry > 0 else { return nil }
      sum += entry
      largest = max(largest, entry)
    }
    copyNegatedToLower()
    for index in 0..<d { entries[index * d + index] = t - diagonal[index] }
    let info = LinearAlgebra.withThreads(order: d) {
      openblas_potrf(Int32(d), entries, Int32(d))
    }
    guard info == 0 else { return nil }
    for column in 0..<d {
      guard entries[column * d + column] > 0 else { return nil }
      // A sum of zeros, unless an entry is not finite.
      var check = SIMD8<Double>(repeating: 0)
      let below = UnsafeRawPointer(entries + column * d + column)
      let count = d - column
      for start in stride(from: 0, to: count & ~7, by: 8) {
        check += below.loadUnaligned(fromByteOffset: start * 8, as: SIMD8<Double>.self) * 0
      }
      var total = check.sum()
      for row in (column + (count & ~7))..<d { total += entries[column * d + row] * 0 }
      guard total == 0 else { return nil }
    }
    return (sum, largest)
  }

  /// −Ĝ below the diagonal, in blocks that fit the cache.
  private func copyNegatedToLower() {
    let d = order
    let block = 32
    for left in stride(from: 0, to: d, by: block) {
      for top in stride(from: left, to: d, by: block) {
        for column in left..<min(left + block, d) {
          for row in max(top, column + 1)..<max(min(top + block, d), column + 1) {
            entries[column * d + row] = -entries[row * d + column]
          }
        }
      }
    }
  }

  /// The largest eigenvalue and its vector: LAPACK for small matrices, else Lanczos.
  func topEigenpair() -> Eigenpair {
    order <= 300 ? (direct() ?? lanczos()) : lanczos()
  }

  private func direct() -> Eigenpair? {
    let d = order
    var copy = [Double](unsafeUninitializedCapacity: d * d) { buffer, count in
      for column in 0..<d {
        for row in 0..<d {
          buffer[column * d + row] = row <= column ? entries[column * d + row] : 0
        }
        // The diagonal of a used block belongs to a factor.
        buffer[column * d + column] = diagonal[column]
      }
      count = d * d
    }
    var value = 0.0
    var vector = [Double](repeating: 0, count: d)
    let info = openblas_top_eigenpair(Int32(d), &copy, Int32(d), &value, &vector)
    guard info == 0, value.isFinite else { return nil }
    return Eigenpair(value: value, error: 0, vector: vector)
  }

  /// Lanczos with full reorthogonalisation, from a fixed pseudo-random vector, until the
  /// predicted error res²/gap is below 2·10⁻¹⁰ of the value.
  private func lanczos() -> Eigenpair {
    let d = order
    let limit = min(320, d)
    var basis = [Double](repeating: 0, count: d * (limit + 1))
    var alpha: [Double] = []
    var beta: [Double] = []
    var best = Eigenpair(value: diagonal.max()!, error: .infinity, vector: [])
    var random = SplitMix(state: 0x9E37_79B9_7F4A_7C15)
    var start = (0..<d).map { _ in random.unit() }
    normalise(&start)
    basis.replaceSubrange(0..<d, with: start)
    var work = [Double](repeating: 0, count: d)
    var coefficients = [Double](repeating: 0, count: limit + 1)
    basis.withUnsafeMutableBufferPointer { basis in
      let base = basis.baseAddress!
      for step in 0..<limit {
        openblas_symv(Int32(d), entries, Int32(d), base + step * d, &work)
        var a = 0.0
        for index in 0..<d { a += work[index] * base[step * d + index] }
        alpha.append(a)
        for _ in 0..<2 {
          let count = Int32(step + 1)
          openblas_gemv(1, Int32(d), count, 1, base, Int32(d), work, 0, &coefficients)
          openblas_gemv(0, Int32(d), count, -1, base, Int32(d), coefficients, 1, &work)
        }
        let b = norm(work)
        beta.append(b)
        let isLast = step == limit - 1 || !(b > 1e-14 * alpha[0].magnitude)
        if step % 4 == 3 || isLast {
          if let ritz = ritzPair(alpha, beta) {
            best = Eigenpair(value: ritz.value, error: ritz.error, vector: ritz.vector)
            if isLast || ritz.error <= 2e-10 * ritz.value { break }
          }
          if isLast { break }
        }
        for index in 0..<d { base[(step + 1) * d + index] = work[index] / b }
      }
      let small = best.vector
      var vector = [Double](repeating: 0, count: d)
      if small.isEmpty {
        vector = start
      } else {
        openblas_gemv(0, Int32(d), Int32(small.count), 1, base, Int32(d), small, 0, &vector)
      }
      best.vector = vector
    }
    return best
  }
}

/// A small deterministic generator (Steele, Lea, Flood 2014) for start vectors, whose quality
/// decides speed and never a proof.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  /// In [−1, 1).
  mutating func unit() -> Double { Double(Int64(bitPattern: next()) >> 11) * 0x1p-52 }
}
