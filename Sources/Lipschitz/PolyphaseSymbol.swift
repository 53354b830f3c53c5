import Model

/// A convolution without borders as a trigonometric matrix polynomial,
///
///     K(ω) = Σ over taps τ of P_τ·exp(i τ·ω),   P_τ of [outputs, input phases],
///
/// after the reductions of stride and dilation: with g = gcd(stride, dilation), outputs and inputs
/// of one axis fall into dilation/g independent undilated problems of stride s′ = stride/g, and an
/// input position s′·q + r is channel (c, r) at q. Shifts of taps by a phase multiply a block of
/// columns by a unimodular number and are left out.
///
/// Taps and phases that are all zero are dropped, and the least tap of each axis is 0.
struct PolyphaseSymbol {
  /// Number of rows and columns of P.
  let rows: Int
  let columns: Int
  let taps: [Tap]
  /// Largest tap of each axis.
  let degrees: [Int]

  struct Tap {
    let position: [Int]
    /// [row, column] column-major.
    let matrix: [Double]
  }

  /// - Parameters:
  ///   - offsets: of each axis, the place of each kernel tap, undilated where that was removed.
  ///   - strides: of each axis, s′.
  ///   - entry: the number at [output, input, tap] of one group.
  init(
    outputs: Int, inputs: Int, offsets: [[Int]], strides: [Int],
    entry: (_ output: Int, _ input: Int, _ tap: Int) -> Double
  ) {
    let phases = strides[0] * strides[1]
    var blocks: [[Int]: [Double]] = [:]
    var isUsed = [Bool](repeating: false, count: inputs * phases)
    for (a, first) in offsets[0].enumerated() {
      for (b, second) in offsets[1].enumerated() {
        let position = [first / strides[0], second / strides[1]]
        let phase = first % strides[0] * strides[1] + second % strides[1]
        let tap = a * offsets[1].count + b
        var matrix = blocks[position] ?? [Double](repeating: 0, count: outputs * inputs * phases)
        var isZero = true
        for input in 0..<inputs {
          let column = input * phases + phase
          for output in 0..<outputs {
            let value = entry(output, input, tap)
            if value != 0 {
              matrix[column * outputs + output] = value
              isUsed[column] = true
              isZero = false
            }
          }
        }
        if !isZero { blocks[position] = matrix }
      }
    }
    let kept = isUsed.indices.filter { isUsed[$0] }
    let least = (0...1).map { axis in blocks.keys.map { $0[axis] }.min() ?? 0 }
    rows = outputs
    columns = kept.count
    taps = blocks.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { position, matrix in
      Tap(
        position: [position[0] - least[0], position[1] - least[1]],
        matrix: kept.flatMap { matrix[$0 * outputs..<($0 + 1) * outputs] })
    }
    let taps = taps
    degrees = (0...1).map { axis in taps.map { $0.position[axis] }.max() ?? 0 }
  }

  /// ‖Σ |P_τ|‖F rounded up.
  var absoluteFrobenius: Double {
    var square = 0.0
    for index in 0..<rows * columns {
      let sum = taps.reduce(0) { $0 + $1.matrix[index].magnitude }
      square += sum * sum
    }
    return square.squareRoot() * (1 + Double(rows * columns + taps.count + 8) * 0x1p-52)
  }
}

/// A frequency pair ω = (π·a₁/n₁, π·a₂/n₂).
struct Frequency: Hashable {
  let a: [Int]
  let n: [Int]

  /// Both coordinates as numbers, for searches.
  var angles: [Double] { (0...1).map { .pi * Double(a[$0]) / Double(n[$0]) } }

  /// cos and sin of q·ω, each within 2⁻⁵⁰: the angle is reduced exactly to an eighth of the circle,
  /// where the rounded argument and the library's functions lose less than 2⁻⁵² each.
  func unit(_ q: [Int]) -> (cosine: Double, sine: Double) {
    let m = n[0] * n[1]
    var r = (q[0] * a[0] * n[1] + q[1] * a[1] * n[0]) % (2 * m)
    if r < 0 { r += 2 * m }
    // Angle π·r/m in [0, 2π).
    let isLower = r > m
    if isLower { r = 2 * m - r }
    let isLeft = 2 * r > m
    if isLeft { r = m - r }
    // Now in [0, π/2].
    let isSteep = 4 * r > m
    let reduced = isSteep ? Double(m - 2 * r) / Double(2 * m) : Double(r) / Double(m)
    let (c, s) = (cosine(.pi * reduced), sine(.pi * reduced))
    let (x, y) = isSteep ? (s, c) : (c, s)
    return (isLeft ? -x : x, isLower ? -y : y)
  }
}
