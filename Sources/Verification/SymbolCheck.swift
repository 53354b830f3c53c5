import COpenBLAS
import Glibc
import Rounding

/// The symbol of a convolution without borders, K(ω) = Σ P_τ·exp(iτ·ω), and tests of σmax(K(ω)).
///
/// Along an axis where tap t stands at `offsets[t]` = s·τ + r, s the stride, it belongs to the
/// shift τ and to the phase r of the input (its own columns of P). A common shift, or one of all
/// columns of a phase, multiplies by numbers of modulus 1 and changes no singular value.
final class SymbolCheck {
  /// Largest shift along each axis, after all-zero taps are dropped.
  let degrees: [Int]
  private let order: Int
  private let shifts: [[Int]]
  /// For each difference q of shifts (one of ±q): Re of exp(iq·ω) multiplies `even`, Im `odd`, both
  /// column-major.
  private var terms: [(q: [Int], even: [Double], odd: [Double])] = []
  /// ‖Ĝ(ω) − G(ω)‖₂ ≤ error at every ω.
  private let error: Double
  private let matrix: HermitianMatrix

  /// - Parameter weight: [output, input, tap], entries at most about 1.
  init(
    _ weight: [Double], outputs: Int, inputs: Int, offsets: [[Int]], strides: [Int]
  ) {
    let taps = offsets[0].count * offsets[1].count
    let phases = strides[0] * strides[1]
    var blocks: [[Int]: [Double]] = [:]
    for (a, first) in offsets[0].enumerated() {
      for (b, second) in offsets[1].enumerated() {
        let shift = [first / strides[0], second / strides[1]]
        let phase = first % strides[0] * strides[1] + second % strides[1]
        let tap = a * offsets[1].count + b
        guard (0..<outputs * inputs).contains(where: { weight[$0 * taps + tap] != 0 }) else {
          continue
        }
        var block = blocks[shift]
          ?? [Double](repeating: 0, count: outputs * inputs * phases)
        for output in 0..<outputs {
          for input in 0..<inputs {
            // Taps of one shift and phase are one tap, unless offsets coincide.
            block[(input * phases + phase) * outputs + output] +=
              weight[(output * inputs + input) * taps + tap]
          }
        }
        blocks[shift] = block
      }
    }
    let least = (0...1).map { axis in blocks.keys.map { $0[axis] }.min() ?? 0 }
    let shifts = blocks.keys.sorted { $0.lexicographicallyPrecedes($1) }
    degrees = (0...1).map { axis in (shifts.map { $0[axis] }.max() ?? 0) - least[axis] }
    self.shifts = shifts
    let used = (0..<inputs * phases).filter { column in
      blocks.values.contains { block in
        (0..<outputs).contains { block[column * outputs + $0] != 0 }
      }
    }
    let columns = used.count
    let matrices = shifts.map { shift in
      used.flatMap { blocks[shift]![$0 * outputs..<($0 + 1) * outputs] }
    }
    // Of K·Kᴴ and Kᴴ·K the smaller one.
    let isWide = outputs <= columns
    order = isWide ? outputs : columns
    let order = order
    var sums: [[Int]: [Double]] = [:]
    for (i, a) in shifts.enumerated() {
      for (j, b) in shifts.enumerated() {
        // exp(i(a − b)·ω)·P_a·P_bᵀ, or exp(i(b − a)·ω)·P_aᵀ·P_b.
        let q = isWide ? [a[0] - b[0], a[1] - b[1]] : [b[0] - a[0], b[1] - a[1]]
        if q[0] < 0 || q[0] == 0 && q[1] < 0 { continue }
        var sum = sums[q] ?? [Double](repeating: 0, count: order * order)
        openblas_gemm(
          isWide ? 0 : 1, isWide ? 1 : 0, Int32(order), Int32(order),
          Int32(isWide ? columns : outputs), matrices[i], Int32(outputs), matrices[j],
          Int32(outputs), 1, &sum, Int32(order))
        sums[q] = sum
      }
    }
    for (q, sum) in sums.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      var (even, odd) = (sum, sum)
      if q == [0, 0] {
        odd = [Double](repeating: 0, count: sum.count)
      } else {
        for i in 0..<order {
          for j in 0..<order {
            even[j * order + i] = sum[j * order + i] + sum[i * order + j]
            odd[j * order + i] = sum[j * order + i] - sum[i * order + j]
          }
        }
      }
      terms.append((q, even, odd))
    }
    // |Ĝ − G| ≤ (γ + 2⁻⁴⁹)·Σ|P_τ|ᵀΣ|P_τ| entry by entry, γ for sums of `length` roundings, and the
    // cosines and sines within 2⁻⁵⁰; real and imaginary parts together at most twice that.
    var square = 0.0
    for place in 0..<outputs * columns {
      let sum = matrices.reduce(0) { $0 + $1[place].magnitude }
      square += sum * sum
    }
    let inner = isWide ? columns : outputs
    let length = Double(shifts.count * inner + 2 * terms.count + 24)
    error = 2 * (length * Arithmetic.u + 0x1p-49) * square
      * (1 + Double(outputs * columns + 64) * 0x1p-50) * Arithmetic.slack
    matrix = HermitianMatrix(order: max(order, 1))
  }

  /// Whether σmax(K(ω)) ≤ theta for ω = (π·a₀/n₀, π·a₁/n₁).
  func proves(_ a: [Int], _ n: [Int], _ theta: Double) -> Bool {
    if order == 0 || terms.isEmpty { return theta >= 0 }
    guard theta > 0x1p-100 else { return false }
    let d = order
    let limit = Directed.productDown(theta, theta)
    for index in 0..<2 * d * d { matrix.entries[index] = 0 }
    for term in terms {
      let (c, s) = Self.unit(term.q, a, n)
      term.even.withUnsafeBufferPointer { even in
        term.odd.withUnsafeBufferPointer { odd in
          for j in 0..<d {
            let target = matrix.entries + 2 * j * d
            for i in 0...j {
              target[2 * i] += c * even[j * d + i]
              target[2 * i + 1] += s * odd[j * d + i]
            }
          }
        }
      }
    }
    var trace = 0.0
    for index in 0..<d {
      matrix.diagonal[index] = matrix.entries[2 * (index * d + index)]
      trace += matrix.diagonal[index]
    }
    let expected = Arithmetic.u
      * (6 * Double(d + 4) * (Double(d) * limit - trace) + 16 * Double(d) * limit)
    let t = limit - (error + expected) * (1 + 0x1p-10)
    var shifted = 0.0
    for index in 0..<d {
      matrix.diagonal[index] = t - matrix.diagonal[index]
      guard matrix.diagonal[index] >= 0 else { return false }
      shifted = max(shifted, matrix.diagonal[index])
    }
    guard let defect = matrix.defect() else { return false }
    return Directed.sumUp(t, (defect + error + Arithmetic.u * shifted) * Arithmetic.slack)
      <= limit
  }

  /// cos and sin of q·ω within 2⁻⁵⁰: the angle π·r/m is reduced in whole numbers to [0, π/4].
  private static func unit(_ q: [Int], _ a: [Int], _ n: [Int]) -> (Double, Double) {
    let m = n[0] * n[1]
    let r = ((q[0] * a[0] * n[1] + q[1] * a[1] * n[0]) % (2 * m) + 2 * m) % (2 * m)
    let quadrant = 2 * r / m
    let rest = 2 * r - quadrant * m  // angle π·rest/(2m) in [0, π/2)
    let isSmall = 2 * rest <= m
    let x = Double.pi * (Double(isSmall ? rest : m - rest) / Double(2 * m))
    let (c, s) = isSmall ? (cos(x), sin(x)) : (sin(x), cos(x))
    switch quadrant {
    case 0: return (c, s)
    case 1: return (-s, c)
    case 2: return (-c, -s)
    default: return (s, -c)
    }
  }

  /// The frequencies (2πj + π·twist)/side of a torus. Of two conjugates one is enough, since the
  /// weights are real.
  func provesTorus(sides: [Int], twists: [Int], _ theta: Double) -> Bool {
    for j in 0..<sides[0] {
      for k in 0..<sides[1] {
        let other = (
          (2 * sides[0] - twists[0] - j) % sides[0], (2 * sides[1] - twists[1] - k) % sides[1]
        )
        if other < (j, k) { continue }
        guard proves([2 * j + twists[0], 2 * k + twists[1]], sides, theta) else { return false }
      }
    }
    return true
  }

  /// Every frequency, by a cover with cells (centre c, half-widths h): where σmax(K) has its largest
  /// value L it is at least L·cos(½ΣDₐhₐ) at the centre of that cell (Bernstein and Szegő), so
  /// σmax(K(c)) ≤ theta·cos(½ΣDₐhₐ) in every cell proves L ≤ theta. Half of the torus is enough.
  ///
  /// nil where the text is no cover.
  func provesCover(root: [Int], bits: String, _ theta: Double) -> Bool? {
    let spans = [degrees[0] > 0 ? 1 : 0, degrees[1] == 0 ? 0 : (degrees[0] > 0 ? 2 : 1)]
    guard root.count == 2, (0...1).allSatisfy({ spans[$0] > 0 || root[$0] == 0 }),
      root[0] + root[1] <= 24
    else { return nil }
    var rest = Substring(bits).utf8
    struct Cell {
      var level: [Int]
      var index: [Int]
    }
    var stack: [Cell] = []
    for i in 0..<1 << root[0] {
      for j in 0..<1 << root[1] { stack.append(Cell(level: root, index: [i, j])) }
    }
    stack.reverse()
    while let cell = stack.popLast() {
      guard cell.level.allSatisfy({ $0 <= 24 }), let bit = rest.popFirst() else { return nil }
      let parts = (0...1).map {
        Double(degrees[$0] * spans[$0]) / Double(1 << (cell.level[$0] + 1))
      }
      if bit == UInt8(ascii: "1") {
        let half = 0.5 * Double.pi * (parts[0] + parts[1]) * (1 + 0x1p-48)
        guard half < 1.57 else { return false }
        let limit = theta * (cos(half) - 0x1p-50) * (1 - 0x1p-50)
        let n = (0...1).map { spans[$0] == 0 ? 1 : 1 << (cell.level[$0] + 1) }
        let a = (0...1).map { (2 * cell.index[$0] + 1) * spans[$0] }
        guard proves(a, n, limit) else { return false }
      } else if bit == UInt8(ascii: "0") {
        let axis = parts[0] >= parts[1] ? 0 : 1
        guard parts[axis] > 0 else { return nil }
        for side in [1, 0] {
          var child = cell
          child.level[axis] += 1
          child.index[axis] = 2 * child.index[axis] + side
          stack.append(child)
        }
      } else {
        return nil
      }
    }
    return rest.isEmpty ? true : nil
  }
}
