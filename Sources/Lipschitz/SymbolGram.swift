import COpenBLAS
import Glibc

/// G(ω) = K(ω)ᴴK(ω), or K·Kᴴ where K has fewer rows, as a trigonometric matrix polynomial
///
///     G(ω) = R₀ + Σ over half of the q of [cos(q·ω)(R_q + R_qᵀ) + i·sin(q·ω)(R_q − R_qᵀ)]
///
/// with real R_q = Σ P_τᵀ·P_τ₊q formed once, and the test that proves σmax(K(ω)) ≤ θ:
/// with p×d the taps' long and short side, T taps, n_q terms, D the degrees,
/// a = ‖Σ |P_τ|‖F, e = ((T(p + 2) + 2n_q + 12)u + 2⁻⁴⁹(2 + 4·max D))·a²(1 + 2⁻²⁰) and
/// θ′ = θ²(1 − 2⁻⁵⁰), choose t a little below θ′; if zpotrf(tI − Ĝ) runs to completion and
/// (t + (e + u(3(d + 4)·ΣMᵢᵢ + max Mᵢᵢ))(1 + 2⁻²⁰))(1 + 2⁻⁵⁰) ≤ θ′, then σmax(K(ω)) ≤ θ.
///
/// The first part of e bounds |Ĝ − G| (sums in any order, cosines and sines within 2⁻⁵⁰), the
/// second the factorisation's error, as `SpectralProof` with complex inner products.
final class SymbolGram {
  let order: Int
  let symbol: PolyphaseSymbol
  let absoluteFrobenius: Double
  private let steps: [[Int]]
  /// Lower triangles column by column, [step][entry]: cosine and sine coefficients.
  private let cosines: [Double]
  private let sines: [Double]
  private let entries: Int
  private let error: Double

  init(_ symbol: PolyphaseSymbol) {
    self.symbol = symbol
    let isTransposed = symbol.rows < symbol.columns
    let d = min(symbol.rows, symbol.columns)
    let p = max(symbol.rows, symbol.columns)
    order = d
    entries = d * (d + 1) / 2
    // R_q for q ≥ 0 in lexicographic order.
    var sums: [[Int]: [Double]] = [:]
    for first in symbol.taps {
      for second in symbol.taps {
        let q = (0...1).map { second.position[$0] - first.position[$0] }
        if q[0] < 0 || (q[0] == 0 && q[1] < 0) { continue }
        var sum = sums[q] ?? [Double](repeating: 0, count: d * d)
        // KᴴK: P_τᵀ·P_τ₊q; K·Kᴴ: P_τ₊q·P_τᵀ.
        LinearAlgebra.withThreads(order: d) {
          if isTransposed {
            openblas_gemm(
              0, 1, Int32(d), Int32(d), Int32(p), second.matrix, Int32(d), first.matrix,
              Int32(d), 1, &sum, Int32(d))
          } else {
            openblas_gemm(
              1, 0, Int32(d), Int32(d), Int32(p), first.matrix, Int32(p), second.matrix,
              Int32(p), 1, &sum, Int32(d))
          }
        }
        sums[q] = sum
      }
    }
    let ordered = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    steps = ordered.map(\.key)
    var cosines = [Double](repeating: 0, count: ordered.count * entries)
    var sines = cosines
    for (step, (q, sum)) in ordered.enumerated() {
      var index = step * entries
      let isCentre = q == [0, 0]
      for column in 0..<d {
        for row in column..<d {
          let (a, b) = (sum[column * d + row], sum[row * d + column])
          cosines[index] = isCentre ? a : a + b
          sines[index] = isCentre ? 0 : a - b
          index += 1
        }
      }
    }
    self.cosines = cosines
    self.sines = sines
    absoluteFrobenius = symbol.absoluteFrobenius
    let sum = Double(symbol.taps.count * (p + 2) + 2 * ordered.count + 12) * 0x1p-53
    let angle = 0x1p-49 * Double(2 + 4 * symbol.degrees.max()!)
    error = (sum + angle) * absoluteFrobenius * absoluteFrobenius * (1 + 0x1p-20)
  }

  /// Memory of one thread that tests.
  final class Workspace {
    static let batch = 8
    fileprivate let real: UnsafeMutablePointer<Double>
    fileprivate let imaginary: UnsafeMutablePointer<Double>
    fileprivate let matrix: UnsafeMutablePointer<Double>

    fileprivate init(entries: Int, order: Int) {
      real = .allocate(capacity: entries * Self.batch)
      imaginary = .allocate(capacity: entries * Self.batch)
      matrix = .allocate(capacity: 2 * order * order)
    }
    deinit {
      real.deallocate()
      imaginary.deallocate()
      matrix.deallocate()
    }
  }

  /// Whether σmax(K(ω)) ≤ θ is proved, for each ω with its θ; `stops` ends the work early, at the
  /// first that is not.
  func proves(_ tests: [(frequency: Frequency, limit: Double)]) -> [Bool] {
    let size = Workspace.batch
    let batches = (tests.count + size - 1) / size
    var results = [Bool](repeating: false, count: tests.count)
    results.withUnsafeMutableBufferPointer { results in
      let base = results.baseAddress!
      concurrently(
        batches, makeState: { Workspace(entries: self.entries, order: self.order) }
      ) { batch, workspace in
        let range = batch * size..<min(tests.count, (batch + 1) * size)
        self.evaluate(tests[range].map(\.frequency), workspace)
        for index in range {
          base[index] = self.proves(tests[index].limit, index - range.lowerBound, workspace)
        }
      }
    }
    return results
  }

  /// Ĝ at up to `batch` frequencies, into the workspace.
  private func evaluate(_ frequencies: [Frequency], _ workspace: Workspace) {
    let count = frequencies.count
    var cosine = [Double](repeating: 0, count: count * steps.count)
    var sine = cosine
    for (index, frequency) in frequencies.enumerated() {
      for (step, q) in steps.enumerated() {
        let unit = frequency.unit(q)
        cosine[index * steps.count + step] = unit.cosine
        sine[index * steps.count + step] = unit.sine
      }
    }
    let (n, terms) = (Int32(entries), Int32(steps.count))
    openblas_gemm(
      0, 0, n, Int32(count), terms, cosines, n, cosine, terms, 0, workspace.real, n)
    openblas_gemm(
      0, 0, n, Int32(count), terms, sines, n, sine, terms, 0, workspace.imaginary, n)
  }

  private func proves(_ limit: Double, _ slot: Int, _ workspace: Workspace) -> Bool {
    let d = order
    guard limit > 0x1p-200, limit < 0x1p200 else { return false }
    let square = limit * limit * (1 - 0x1p-50)
    let u = 0x1p-53
    let dimension = Double(d)
    let most = error + u * (3 * (dimension + 4) * dimension * square + square)
    let t = square * (1 - 0x1p-49) - most * 1.01
    guard t > 0 else { return false }
    let real = workspace.real + slot * entries
    let imaginary = workspace.imaginary + slot * entries
    let matrix = workspace.matrix
    var index = 0
    var (sum, largest) = (0.0, 0.0)
    for column in 0..<d {
      let entry = t - real[index]
      guard entry > 0 else { return false }
      sum += entry
      largest = max(largest, entry)
      let target = matrix + 2 * (column * d + column)
      target[0] = entry
      target[1] = 0
      let count = d - column
      for offset in 1..<max(1, count) {
        target[2 * offset] = -real[index + offset]
        target[2 * offset + 1] = -imaginary[index + offset]
      }
      index += count
    }
    guard openblas_complex_potrf(Int32(d), matrix, Int32(d)) == 0 else { return false }
    for column in 0..<d {
      guard matrix[2 * (column * d + column)] > 0 else { return false }
      let entries = matrix + 2 * (column * d + column)
      var check = 0.0
      var lanes = SIMD8<Double>(repeating: 0)
      var position = 0
      let count = 2 * (d - column)
      while position + 8 <= count {
        lanes += UnsafeRawPointer(entries + position).loadUnaligned(as: SIMD8<Double>.self) * 0
        position += 8
      }
      while position < count {
        check += entries[position] * 0
        position += 1
      }
      guard check + lanes.sum() == 0 else { return false }
    }
    let proved = error + u * (3 * (dimension + 4) * sum + largest)
    return (t + proved * (1 + 0x1p-20)) * (1 + 0x1p-50) <= square
  }
}
