import COpenBLAS
import Glibc

/// Where a symbol's largest singular value is large: power iterations at frequencies and ascents
/// between them. Estimates from below; proofs use them as candidates only.
final class SymbolSearch {
  struct Peak {
    var angles: [Double]
    /// The estimate of σmax(K(ω)), and its right singular vector: real parts, then imaginary ones.
    var value: Double
    var vector: [Double]
  }

  private let symbol: PolyphaseSymbol
  /// [entry, tap] column-major.
  private let stacked: [Double]
  private let rows: Int
  private let columns: Int
  /// The best local maxima found, largest first, and ‖K(·)·v‖² with the vector of each.
  private(set) var peaks: [Peak] = []
  private(set) var traces: [Trace] = []

  init(_ symbol: PolyphaseSymbol) {
    self.symbol = symbol
    rows = symbol.rows
    columns = symbol.columns
    stacked = symbol.taps.flatMap(\.matrix)
    var random = SplitMix(state: 0x5851_F42D_4C95_7F2D)
    var vector = (0..<2 * symbol.columns).map { _ in random.unit() }
    let (first, second) = (symbol.degrees[0], symbol.degrees[1])
    // Half of the torus: K(−ω) is the conjugate of K(ω).
    let grid = [first == 0 ? 1 : 2 * first + 1, second == 0 ? 1 : (first == 0 ? 2 : 4) * second + 1]
    var found: [Peak] = []
    for i in 0..<grid[0] {
      for step in 0..<grid[1] {
        // Back and forth, so that neighbours follow each other and vectors carry over.
        let j = i & 1 == 0 ? step : grid[1] - 1 - step
        let angles = [
          .pi * Double(i) / Double(max(1, grid[0] - 1)),
          (first == 0 ? 1 : 2) * .pi * Double(j) / Double(max(1, grid[1] - 1)),
        ]
        let peak = refined(angles, vector, steps: i + step == 0 ? 12 : 4)
        vector = peak.vector
        found.append(peak)
      }
    }
    for start in found.sorted(by: { $0.value > $1.value }).prefix(3) { _ = ascend(from: start) }
  }

  /// The largest value found so far.
  var largest: Double { peaks.first?.value ?? 0 }

  /// σmax at one frequency after power iterations from the best vector known.
  func value(at angles: [Double], steps: Int) -> Double {
    guard let best = peaks.first else { return 0 }
    return refined(angles, best.vector, steps: steps).value
  }

  /// Climbs to a local maximum and keeps it.
  @discardableResult
  func ascend(from start: Peak) -> Peak {
    var best = refined(start.angles, start.vector, steps: 8)
    for _ in 0..<60 {
      let next = refined(Trace(symbol, self, best).maximiser(best.angles), best.vector, steps: 4)
      let gain = next.value - best.value
      if gain > 0 { best = next }
      if gain <= 1e-11 * best.value { break }
    }
    let final = refined(best.angles, best.vector, steps: 80)
    if final.value > best.value { best = final }
    let place = peaks.firstIndex { $0.value < best.value } ?? peaks.count
    if place < 4 {
      peaks.insert(best, at: place)
      traces.insert(Trace(symbol, self, best), at: place)
      if peaks.count > 4 {
        peaks.removeLast()
        traces.removeLast()
      }
    }
    return best
  }

  @discardableResult
  func ascend(from angles: [Double]) -> Double {
    guard let best = peaks.first else { return 0 }
    return ascend(from: Peak(angles: angles, value: 0, vector: best.vector)).value
  }

  /// Power iterations on KᴴK at one frequency.
  private func refined(_ angles: [Double], _ start: [Double], steps: Int) -> Peak {
    let (real, imaginary) = matrix(at: angles)
    var vector = start
    normalise(&vector)
    var value = 0.0
    for step in 0..<max(1, steps) {
      let image = multiply(real, imaginary, vector, adjoint: false)
      let next = norm(image)
      let settled = next - value <= 1e-14 * next
      value = next
      if !(value > 0) || (settled && step > 2) { break }
      vector = multiply(real, imaginary, image, adjoint: true)
      normalise(&vector)
    }
    return Peak(angles: angles, value: value, vector: vector)
  }

  private func matrix(at angles: [Double]) -> (real: [Double], imaginary: [Double]) {
    let phases = symbol.taps.map { tap in
      Double(tap.position[0]) * angles[0] + Double(tap.position[1]) * angles[1]
    }
    var real = [Double](repeating: 0, count: rows * columns)
    var imaginary = real
    let (m, n) = (Int32(rows * columns), Int32(phases.count))
    openblas_gemv(0, m, n, 1, stacked, m, phases.map { cos($0) }, 0, &real)
    openblas_gemv(0, m, n, 1, stacked, m, phases.map { sin($0) }, 0, &imaginary)
    return (real, imaginary)
  }

  /// K·x or Kᴴ·x for x as real parts and then imaginary ones.
  private func multiply(
    _ real: [Double], _ imaginary: [Double], _ x: [Double], adjoint: Bool
  ) -> [Double] {
    let (m, n) = (Int32(rows), Int32(columns))
    let (from, to) = adjoint ? (rows, columns) : (columns, rows)
    var y = [Double](repeating: 0, count: 2 * to)
    let sign: Double = adjoint ? -1 : 1
    let flag: Int32 = adjoint ? 1 : 0
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        let (a, b) = (x.baseAddress!, x.baseAddress! + from)
        let (c, d) = (y.baseAddress!, y.baseAddress! + to)
        openblas_gemv(flag, m, n, 1, real, m, a, 0, c)
        openblas_gemv(flag, m, n, -sign, imaginary, m, b, 1, c)
        openblas_gemv(flag, m, n, 1, real, m, b, 0, d)
        openblas_gemv(flag, m, n, sign, imaginary, m, a, 1, d)
      }
    }
    return y
  }

  /// ‖K(ω)·v‖² for a fixed v: a scalar trigonometric polynomial.
  struct Trace {
    private var constant = 0.0
    private var terms: [(q: [Double], real: Double, imaginary: Double)] = []
    private let isFree: [Bool]
    private let degrees: [Int]

    init(_ symbol: PolyphaseSymbol, _ search: SymbolSearch, _ peak: Peak) {
      let (rows, columns) = (symbol.rows, symbol.columns)
      let images = symbol.taps.map { tap in
        var image = [Double](repeating: 0, count: 2 * rows)
        peak.vector.withUnsafeBufferPointer { vector in
          image.withUnsafeMutableBufferPointer { image in
            let (m, n) = (Int32(rows), Int32(columns))
            openblas_gemv(0, m, n, 1, tap.matrix, m, vector.baseAddress!, 0, image.baseAddress!)
            openblas_gemv(
              0, m, n, 1, tap.matrix, m, vector.baseAddress! + columns, 0,
              image.baseAddress! + rows)
          }
        }
        return image
      }
      isFree = symbol.degrees.map { $0 > 0 }
      degrees = symbol.degrees
      for (i, a) in images.enumerated() {
        constant += dot(a, a)
        for (j, b) in images.enumerated() where j > i {
          // aᴴ·b
          var imaginary = 0.0
          for row in 0..<rows { imaginary += a[row] * b[rows + row] - a[rows + row] * b[row] }
          terms.append((
            (0...1).map {
              Double(symbol.taps[j].position[$0] - symbol.taps[i].position[$0])
            }, 2 * dot(a, b), 2 * imaginary
          ))
        }
      }
    }

    func value(_ angles: [Double]) -> Double {
      terms.reduce(constant) { sum, term in
        let phase = term.q[0] * angles[0] + term.q[1] * angles[1]
        return sum + term.real * cos(phase) - term.imaginary * sin(phase)
      }
    }

    /// A local maximum near `start`, by Newton's method with halved steps.
    func maximiser(_ start: [Double]) -> [Double] {
      var angles = start
      var best = value(angles)
      for _ in 0..<20 {
        var gradient = [0.0, 0.0]
        var hessian = [0.0, 0.0, 0.0]
        for term in terms {
          let phase = term.q[0] * angles[0] + term.q[1] * angles[1]
          let slope = -term.real * sin(phase) - term.imaginary * cos(phase)
          let bend = -term.real * cos(phase) + term.imaginary * sin(phase)
          for axis in 0...1 { gradient[axis] += term.q[axis] * slope }
          hessian[0] += term.q[0] * term.q[0] * bend
          hessian[1] += term.q[0] * term.q[1] * bend
          hessian[2] += term.q[1] * term.q[1] * bend
        }
        for axis in 0...1 where !isFree[axis] {
          gradient[axis] = 0
          hessian[2 * axis] = -1
          hessian[1] = 0
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1]
        var step: [Double]
        if hessian[0] < 0, determinant > 0 {
          step = [
            (-hessian[2] * gradient[0] + hessian[1] * gradient[1]) / determinant,
            (hessian[1] * gradient[0] - hessian[0] * gradient[1]) / determinant,
          ]
        } else {
          let size = norm(gradient)
          if size == 0 { break }
          step = gradient.map { 0.3 * $0 / size / Double(max(degrees[0], degrees[1], 1)) }
        }
        var found = false
        for _ in 0..<12 {
          let next = [angles[0] + step[0], angles[1] + step[1]]
          let height = value(next)
          if height > best {
            (angles, best, found) = (next, height, true)
            break
          }
          step = step.map { $0 / 4 }
        }
        if !found { break }
      }
      return angles
    }
  }
}
