import Rounding

/// The matrix A of a joint bound (see `JointEvidence`), or P where a square is given: lower
/// triangle by blocks, with what rounding may have done to each entry.
struct JointInequality {
  enum Diagonal {
    case numbers([Double])
    case full(DoubleMatrix)
  }
  private(set) var diagonal: [Diagonal] = []
  /// Left of the diagonal.
  private(set) var rows: [BlockRow] = []
  /// Radii of both; empty where `withRadii` is false or the entries are exact.
  private var diagonalRadii: [Int: DoubleMatrix] = [:]
  private var radii: [BlockRow] = []
  private let withRadii: Bool

  /// - Parameters:
  ///   - multipliers: λ of each activation, numbers that are float32 where radii are asked for.
  ///   - square: L², which adds the exit as a further row.
  init(_ maps: JointMaps, multipliers: [[Double]], square: Double? = nil, withRadii: Bool) {
    self.withRadii = withRadii
    append(.init(repeating: 1, count: maps.entryCount))
    for (activation, lambda) in zip(maps.activations, multipliers) {
      let row = rows.count
      append(lambda.map { 2 * $0 })
      let (a, b) = (activation.slopes.lower, activation.slopes.upper)
      // Of what is computed from slopes only the rounding counts, 2u at most.
      let sum = a + b
      let isPower = sum == 0 || sum.significand == 1
      for (variable, part) in activation.argument where sum != 0 {
        addCross(row, variable, part, lambda.map { -sum * $0 }, isExact: isPower)
      }
      let product = a * b
      if product != 0 { addSquares(activation.argument, lambda.map { 2 * product * $0 }) }
    }
    if let square {
      let row = rows.count
      append(.init(repeating: square, count: maps.exitCount))
      let ones = [Double](repeating: 1, count: maps.exitCount)
      for (variable, part) in maps.exit { addCross(row, variable, part, ones, isExact: true) }
    }
  }

  private mutating func append(_ numbers: [Double]) {
    diagonal.append(.numbers(numbers))
    rows.append([:])
    radii.append([:])
  }

  /// Block (row, variable) ← diag(factors) · part
  private mutating func addCross(
    _ row: Int, _ variable: Int, _ part: LinearPart, _ factors: [Double], isExact: Bool
  ) {
    var block = part.matrix
    block.scaleRows(factors)
    rows[row][variable] = block
    guard withRadii, !(isExact && part.isShort && part.radius == nil) else { return }
    var radius = part.radiusMatrix ?? DoubleMatrix(rows: part.rows, columns: part.columns)
    for column in 0..<radius.columns {
      for index in 0..<radius.rows {
        let place = column * radius.rows + index
        radius.values[place] = (factors[index].magnitude * radius.values[place]
          + 4 * PartRounding.u * block.values[place].magnitude) * PartRounding.above
          + PartRounding.tiny
      }
    }
    radii[row][variable] = radius
  }

  /// Adds Cᵢᵀ·diag(factors)·Cⱼ to every pair of variables of C.
  ///
  /// With M = |C|, R its radius and T = (n + 8)u·M + R, the block is off by at most
  /// Tᵢᵀ|F|(Mⱼ + Rⱼ) + (Mᵢ + Rᵢ)ᵀ|F|Tⱼ: n products and three roundings of the factors, and what C is
  /// off by on either side.
  private mutating func addSquares(_ argument: [Int: LinearPart], _ factors: [Double]) {
    let n = Double(factors.count)
    let variables = argument.keys.sorted()
    let matrices = argument.mapValues(\.matrix)
    var wide: [Int: DoubleMatrix] = [:]  // |F|(M + R)
    var spread: [Int: DoubleMatrix] = [:]  // T
    if withRadii {
      for variable in variables {
        let part = argument[variable]!
        let radius = part.radiusMatrix
        var (m, t) = (matrices[variable]!, matrices[variable]!)
        for place in m.values.indices {
          let size = m.values[place].magnitude
          let r = radius?.values[place] ?? 0
          m.values[place] = size + r
          t.values[place] = (n + 8) * PartRounding.u * size + r
        }
        m.scaleRows(factors.map(\.magnitude))
        wide[variable] = m
        spread[variable] = t
      }
    }
    for i in variables {
      for j in variables where j <= i {
        var right = matrices[j]!
        right.scaleRows(factors)
        var term = DoubleMatrix(rows: matrices[i]!.columns, columns: right.columns)
        term.add(matrices[i]!, transposed: true, times: right)
        var radius: DoubleMatrix?
        if withRadii {
          var bound = DoubleMatrix(rows: term.rows, columns: term.columns)
          bound.add(spread[i]!, transposed: true, times: wide[j]!)
          bound.add(wide[i]!, transposed: true, times: spread[j]!)
          for place in bound.values.indices {
            bound.values[place] = bound.values[place] * PartRounding.above + PartRounding.tiny
          }
          radius = bound
        }
        add(term, radius: radius, at: i, j)
      }
    }
  }

  private mutating func add(_ term: DoubleMatrix, radius: DoubleMatrix?, at i: Int, _ j: Int) {
    var sum = term
    if i == j {
      switch diagonal[i] {
      case .numbers(let numbers):
        for index in numbers.indices { sum.values[index * sum.rows + index] += numbers[index] }
      case .full(let matrix):
        for place in sum.values.indices { sum.values[place] += matrix.values[place] }
      }
      diagonal[i] = .full(sum)
    } else {
      if let block = rows[i][j] {
        for place in sum.values.indices { sum.values[place] += block.values[place] }
      }
      rows[i][j] = sum
    }
    guard withRadii, var total = radius else { return }
    let former = i == j ? diagonalRadii[i] : radii[i][j]
    for place in total.values.indices {
      let rounding = PartRounding.u * sum.values[place].magnitude
      total.values[place] = (total.values[place] + (former?.values[place] ?? 0) + rounding)
        * PartRounding.above
    }
    if i == j { diagonalRadii[i] = total } else { radii[i][j] = total }
  }

  /// The Cholesky factor in plain arithmetic; nil where there is none. Proves nothing.
  func factor() -> BlockFactor? {
    var factor = BlockFactor()
    for index in diagonal.indices {
      switch diagonal[index] {
      case .numbers(let numbers) where index == 0:
        guard factor.appendDiagonal(numbers) else { return nil }
      case .numbers, .full:
        let row = factor.eliminated(rows[index])
        let schur = factor.complement(full(index), row)
        guard factor.append(row, complement: schur) else { return nil }
      }
    }
    return factor
  }

  private func full(_ index: Int) -> DoubleMatrix {
    switch diagonal[index] {
    case .full(let matrix): return matrix
    case .numbers(let numbers):
      var matrix = DoubleMatrix(rows: numbers.count, columns: numbers.count)
      for place in numbers.indices { matrix.values[place * numbers.count + place] = numbers[place] }
      return matrix
    }
  }

  private func diagonalNumbers(_ index: Int) -> [Double] {
    switch diagonal[index] {
    case .numbers(let numbers): numbers
    case .full(let matrix): (0..<matrix.rows).map { matrix.values[$0 * matrix.rows + $0] }
    }
  }

  /// Whether every symmetric matrix within the radii is positive definite.
  ///
  /// With sᵢ = 2^−round(½·log₂ aᵢᵢ), B = SAS (exact up to an underflow below 2⁻¹⁰⁰⁰), N its order,
  /// R the radii and
  ///
  ///     shiftᵢ = ((N + 4)u·tr B + Σⱼ sᵢ·Rᵢⱼ·sⱼ)(1 + 2⁻²⁰) + 2⁻⁹⁰⁰,
  ///
  /// it is so if the factorisation of B with bᵢᵢ − shiftᵢ (rounded down) on its diagonal runs to
  /// completion: LLᵀ differs from that matrix by at most (N + 3)u times its trace in the spectral
  /// norm (Rump 2006, with a unit for pivots that are multiplied by their reciprocal), and
  /// |xᵀEx| ≤ Σ Rᵢⱼ|xᵢ||xⱼ| ≤ Σᵢ xᵢ²·ΣⱼRᵢⱼ.
  ///
  /// - Parameter margin: enlarges the shift, so that a checker with other constants succeeds too.
  func isProvedPositiveDefinite(margin: Double = 1) -> Bool {
    precondition(withRadii)
    let u = PartRounding.u
    let numbers = diagonal.indices.map(diagonalNumbers)
    guard numbers.allSatisfy({ $0.allSatisfy { $0 > 0x1p-300 && $0 < 0x1p300 } }) else {
      return false
    }
    let scales = numbers.map { $0.map(Self.scale) }
    let order = Double(numbers.reduce(0) { $0 + $1.count })
    var trace = 0.0
    for (block, scale) in zip(numbers, scales) {
      for (a, s) in zip(block, scale) { trace += a * s * s }
    }
    let common = (order + 4) * u * trace * PartRounding.above
    var sums = numbers.map { [Double](repeating: 0, count: $0.count) }
    func add(_ radius: DoubleMatrix, _ i: Int, _ j: Int) {
      for column in 0..<radius.columns {
        for row in 0..<radius.rows {
          let r = scales[i][row] * radius.values[column * radius.rows + row] * scales[j][column]
          sums[i][row] += r
          if i != j { sums[j][column] += r }
        }
      }
    }
    for i in rows.indices {
      if let radius = diagonalRadii[i] { add(radius, i, i) }
      for j in radii[i].keys.sorted() { add(radii[i][j]!, i, j) }
    }
    func shifted(_ index: Int) -> [Double] {
      numbers[index].indices.map { place in
        let b = numbers[index][place] * scales[index][place] * scales[index][place]
        let shift = margin * (common + sums[index][place] * PartRounding.above) + 0x1p-900
        return ((b - shift) * (1 - 4 * u)).nextDown
      }
    }
    var factor = BlockFactor()
    for index in diagonal.indices {
      let pivots = shifted(index)
      guard pivots.allSatisfy({ $0 > 0 }) else { return false }
      if index == 0, case .numbers = diagonal[0] {
        guard factor.appendDiagonal(pivots) else { return false }
        continue
      }
      var row: BlockRow = [:]
      for (j, block) in rows[index] {
        row[j] = Self.scaled(block, scales[index], scales[j])
      }
      var matrix = full(index)
      if case .full = diagonal[index] {
        matrix = Self.scaled(matrix, scales[index], scales[index])
      }
      for place in pivots.indices { matrix.values[place * pivots.count + place] = pivots[place] }
      let eliminated = factor.eliminated(row)
      let schur = factor.complement(matrix, eliminated)
      guard factor.append(eliminated, complement: schur) else { return false }
    }
    return true
  }

  /// A power of two with a·s² from 1 to 4.
  private static func scale(_ a: Double) -> Double {
    Double(sign: .plus, exponent: -(Int(a.exponent) >> 1), significand: 1)
  }

  private static func scaled(
    _ block: DoubleMatrix, _ left: [Double], _ right: [Double]
  ) -> DoubleMatrix {
    var result = block
    for column in 0..<block.columns {
      let s = right[column]
      for row in 0..<block.rows {
        let place = column * block.rows + row
        result.values[place] = block.values[place] * left[row] * s
      }
    }
    return result
  }
}
