import COpenBLAS

/// A matrix of doubles, column-major.
struct DoubleMatrix: Sendable {
  let rows: Int
  let columns: Int
  var values: [Double]

  init(rows: Int, columns: Int, values: [Double]) {
    self.rows = rows
    self.columns = columns
    self.values = values
  }
  init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, values: .init(repeating: 0, count: rows * columns))
  }

  /// From row-major numbers.
  init<Scalar: BinaryFloatingPoint>(rowMajor source: [Scalar], rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, values: .init(
      unsafeUninitializedCapacity: rows * columns) { target, count in
        source.withUnsafeBufferPointer { source in
          for left in stride(from: 0, to: columns, by: 16) {
            for row in 0..<rows {
              for column in left..<min(left + 16, columns) {
                target[column * rows + row] = Double(source[row * columns + column])
              }
            }
          }
        }
        count = rows * columns
      })
  }

  /// self ← self + factor · op(a)·op(b)
  mutating func add(
    _ a: DoubleMatrix, transposed transposeA: Bool = false, times b: DoubleMatrix,
    transposing transposeB: Bool = false, factor: Double = 1
  ) {
    let inner = transposeA ? a.rows : a.columns
    precondition((transposeB ? b.columns : b.rows) == inner)
    guard rows > 0, columns > 0, inner > 0 else { return }
    values.withUnsafeMutableBufferPointer { c in
      openblas_scaled_gemm(
        transposeA ? 1 : 0, transposeB ? 1 : 0, Int32(rows), Int32(columns), Int32(inner), factor,
        a.values, Int32(a.rows), b.values, Int32(b.rows), 1, c.baseAddress!, Int32(rows))
    }
  }

  /// Lower triangle of self ← self + factor · a·aᵀ
  mutating func addGram(_ a: DoubleMatrix, factor: Double) {
    guard rows > 0, a.columns > 0 else { return }
    values.withUnsafeMutableBufferPointer { c in
      openblas_gram_lower(
        Int32(rows), Int32(a.columns), factor, a.values, Int32(a.rows), 1, c.baseAddress!,
        Int32(rows))
    }
  }

  /// |aᵢⱼ|
  var magnitudes: DoubleMatrix {
    DoubleMatrix(rows: rows, columns: columns, values: values.map(\.magnitude))
  }

  /// aᵢⱼ ← factors[i] · aᵢⱼ
  mutating func scaleRows(_ factors: [Double]) {
    for column in 0..<columns {
      for row in 0..<rows { values[column * rows + row] *= factors[row] }
    }
  }
}

/// How one value of a stretch depends on one variable: a matrix, diagonal or full, whose entries
/// are known up to a radius.
struct LinearPart: Sendable {
  enum Form { case diagonal, full }
  var form: Form
  let rows: Int
  let columns: Int
  /// The diagonal, or all entries column-major.
  var values: [Double]
  /// |exact − value| ≤ radius, entry by entry; nil where the values are exact.
  var radius: [Double]?
  /// Whether every value has at most 24 significant bits and a moderate exponent, so that its
  /// product with a float32 is a double.
  var isShort: Bool

  static func identity(_ count: Int) -> LinearPart {
    LinearPart(
      form: .diagonal, rows: count, columns: count, values: .init(repeating: 1, count: count),
      radius: nil, isShort: true)
  }
  static func full(_ matrix: DoubleMatrix, isShort: Bool = false) -> LinearPart {
    LinearPart(
      form: .full, rows: matrix.rows, columns: matrix.columns, values: matrix.values, radius: nil,
      isShort: isShort)
  }

  var matrix: DoubleMatrix {
    form == .full
      ? DoubleMatrix(rows: rows, columns: columns, values: values) : expanded(values)
  }
  var radiusMatrix: DoubleMatrix? {
    guard let radius else { return nil }
    return form == .full
      ? DoubleMatrix(rows: rows, columns: columns, values: radius) : expanded(radius)
  }
  private func expanded(_ diagonal: [Double]) -> DoubleMatrix {
    var matrix = DoubleMatrix(rows: rows, columns: columns)
    for index in 0..<rows { matrix.values[index * rows + index] = diagonal[index] }
    return matrix
  }
}

/// Rounding of products and sums: u = 2⁻⁵³, `above` covers second-order terms and the rounding of
/// radii themselves, `tiny` all underflow.
enum PartRounding {
  static let u = 0x1p-53
  static let above = 1 + 0x1p-20
  static let tiny = 0x1p-1000
}

extension LinearPart {
  /// diag(factors) · self, where factors[i] is off by at most `radii[i]`.
  func scaled(
    by factors: [Double], radii: [Double]? = nil, isShort isShortFactor: Bool
  ) -> LinearPart {
    let isExact = isShort && isShortFactor && radius == nil && radii == nil
    var result = self
    result.isShort = false
    var newRadius = isExact ? nil : [Double](repeating: 0, count: values.count)
    func scale(_ place: Int, _ row: Int) {
      let (f, v) = (factors[row], values[place])
      let product = f * v
      result.values[place] = product
      guard !isExact else { return }
      let r = radius?[place] ?? 0
      let s = radii?[row] ?? 0
      newRadius![place] = ((f.magnitude + s) * r + s * v.magnitude
        + 2 * PartRounding.u * product.magnitude) * PartRounding.above + PartRounding.tiny
    }
    switch form {
    case .diagonal: for row in 0..<rows { scale(row, row) }
    case .full:
      for column in 0..<columns { for row in 0..<rows { scale(column * rows + row, row) } }
    }
    result.radius = newRadius
    return result
  }

  /// factor · self
  func scaled(by factor: Double) -> LinearPart {
    if factor == 1 { return self }
    // A power of two changes no significand.
    if factor.significand == 1, isShort, radius == nil {
      var result = self
      for place in values.indices { result.values[place] *= factor }
      let isModerate = result.values.allSatisfy {
        $0 == 0 || ($0.magnitude > 0x1p-300 && $0.magnitude < 0x1p300)
      }
      if isModerate { return result }
    }
    return scaled(by: .init(repeating: factor, count: rows), isShort: false)
  }

  static func + (a: LinearPart, b: LinearPart) -> LinearPart {
    if a.form != b.form {
      var (x, y) = (a, b)
      if x.form == .diagonal { x = x.filled }
      if y.form == .diagonal { y = y.filled }
      return x + y
    }
    var result = a
    result.isShort = false
    var radius = [Double](repeating: 0, count: a.values.count)
    for place in a.values.indices {
      let (x, y) = (a.values[place], b.values[place])
      let sum = x + y
      result.values[place] = sum
      // A sum with zero is exact.
      let rounding = x == 0 || y == 0 ? 0 : PartRounding.u * sum.magnitude
      radius[place] = ((a.radius?[place] ?? 0) + (b.radius?[place] ?? 0) + rounding)
        * PartRounding.above
    }
    result.radius = radius.contains { $0 > 0 } ? radius : nil
    return result
  }

  private var filled: LinearPart {
    var result = LinearPart.full(matrix, isShort: isShort)
    result.radius = radiusMatrix?.values
    return result
  }

  /// weight · self; `isShort` tells that the weights are float32.
  ///
  /// Each entry is a sum of k products in any order, fused or not, so that it is off by at most
  /// (k + 1)u·Σ|w||v|, and by Σ|w|·r for what the values themselves are off by.
  func multiplied(
    by weight: DoubleMatrix, isShort isShortWeight: Bool, withRadii: Bool = true
  ) -> LinearPart {
    if form == .diagonal {
      if radius == nil, values.allSatisfy({ $0 == 1 }) {
        return .full(weight, isShort: isShortWeight)
      }
      var product = weight
      let isExact = (isShort && isShortWeight && radius == nil) || !withRadii
      var newRadius: [Double]? = isExact ? nil : .init(repeating: 0, count: product.values.count)
      for column in 0..<columns {
        let v = values[column]
        let r = radius?[column] ?? 0
        for row in 0..<weight.rows {
          let place = column * weight.rows + row
          let w = weight.values[place]
          product.values[place] = w * v
          guard !isExact else { continue }
          newRadius![place] = (2 * PartRounding.u * (w * v).magnitude + w.magnitude * r)
            * PartRounding.above + PartRounding.tiny
        }
      }
      var result = LinearPart.full(product)
      result.radius = newRadius
      return result
    }
    var product = DoubleMatrix(rows: weight.rows, columns: columns)
    product.add(weight, times: matrix)
    var result = LinearPart.full(product)
    guard withRadii else { return result }
    let terms = Double(rows + 3) * PartRounding.u
    var spread = magnitudesTimes(terms)
    if let radius { for place in radius.indices { spread.values[place] += radius[place] } }
    var bound = DoubleMatrix(rows: weight.rows, columns: columns)
    bound.add(weight.magnitudes, times: spread)
    for place in bound.values.indices {
      bound.values[place] = bound.values[place] * PartRounding.above + PartRounding.tiny
    }
    result.radius = bound.values
    return result
  }

  private func magnitudesTimes(_ factor: Double) -> DoubleMatrix {
    DoubleMatrix(rows: rows, columns: columns, values: values.map { $0.magnitude * factor })
  }
}
