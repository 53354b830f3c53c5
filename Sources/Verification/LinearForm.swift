import COpenBLAS

/// One block of a linear form: how a value depends on one variable. Column-major, with a bound of
/// each entry's error; nil where the entries are exact.
struct FormBlock {
  let rows: Int
  let columns: Int
  var values: [Double]
  var radius: [Double]?

  static func identity(_ count: Int) -> FormBlock {
    var block = FormBlock(
      rows: count, columns: count, values: [Double](repeating: 0, count: count * count),
      radius: nil)
    for index in 0..<count { block.values[index * (count + 1)] = 1 }
    return block
  }

  /// fl(c·x) with its error: exactly that of the product, by one fused multiply-add.
  @inline(__always)
  static func product(_ c: Double, _ x: Double, _ r: Double) -> (Double, Double) {
    let product = c * x
    var error = (-product).addingProduct(c, x).magnitude
    if product.magnitude < 0x1p-900 && c != 0 && x != 0 { error += 0x1p-1000 }
    return (product, error == 0 && r == 0 ? 0 : (error + c.magnitude * r) * Arithmetic.slack)
  }

  /// Row i times factors[i].
  func scalingRows(_ factors: [Double]) -> FormBlock {
    var result = self
    var radius = radius ?? [Double](repeating: 0, count: values.count)
    var isExact = true
    for column in 0..<columns {
      for row in 0..<rows {
        let place = column * rows + row
        let (value, error) = Self.product(factors[row], values[place], radius[place])
        result.values[place] = value
        radius[place] = error
        if error != 0 { isExact = false }
      }
    }
    result.radius = isExact ? nil : radius
    return result
  }

  func adding(_ other: FormBlock) -> FormBlock {
    var result = self
    var radius = radius ?? [Double](repeating: 0, count: values.count)
    var isExact = true
    for place in values.indices {
      let (a, b) = (values[place], other.values[place])
      let sum = a + b
      let part = sum - a
      let error = ((a - (sum - part)) + (b - part)).magnitude
      let total = error + radius[place] + (other.radius?[place] ?? 0)
      result.values[place] = sum
      radius[place] = total == 0 ? 0 : total * Arithmetic.slack
      if total != 0 { isExact = false }
    }
    result.radius = isExact ? nil : radius
    return result
  }

  /// Whether it is the identity.
  var isIdentity: Bool {
    guard rows == columns, radius == nil else { return false }
    for column in 0..<columns {
      for row in 0..<rows where values[column * rows + row] != (row == column ? 1 : 0) {
        return false
      }
    }
    return true
  }
}

/// A column-major matrix of exact numbers.
struct ExactMatrix {
  let rows: Int
  let columns: Int
  let values: [Double]

  /// From row-major numbers.
  init(rows: Int, columns: Int, rowMajor: [Double]) {
    self.rows = rows
    self.columns = columns
    var values = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { values[column * rows + row] = rowMajor[row * columns + column] }
    }
    self.values = values
  }

  /// W·block: a sum of `columns` products in any order, |error| ≤ (columns + 2)u·|W||block| beside
  /// what the block's own errors become.
  func applied(to block: FormBlock) -> FormBlock {
    if block.isIdentity {
      return FormBlock(rows: rows, columns: columns, values: values, radius: nil)
    }
    let (count, inner) = (block.columns, columns)
    let size = values.map(\.magnitude)
    let result = product(values, rows, block.values, inner, count)
    let weight = Double(inner + 2) * Arithmetic.u * Arithmetic.slack
    var reach = block.values.map { $0.magnitude * weight + 0x1p-1000 }
    if let radius = block.radius {
      for place in reach.indices { reach[place] = (reach[place] + radius[place]) }
    }
    let radius = product(size, rows, reach, inner, count).map { $0 * Arithmetic.slack }
    return FormBlock(rows: rows, columns: count, values: result, radius: radius)
  }
}

/// a·b, a [rows, inner], b [inner, columns], column-major.
func product(
  _ a: [Double], _ rows: Int, _ b: [Double], _ inner: Int, _ columns: Int,
  transposingFirst: Bool = false
) -> [Double] {
  var c = [Double](repeating: 0, count: rows * columns)
  Arithmetic.threaded(order: min(rows, columns)) {
    openblas_gemm(
      transposingFirst ? 1 : 0, 0, Int32(rows), Int32(columns), Int32(inner), a,
      Int32(transposingFirst ? inner : rows), b, Int32(inner), 0, &c, Int32(rows))
  }
  return c
}

/// A value of a stretch as a linear function of the variables: the entry's difference (0) and the
/// outputs of the activations (1, 2, …).
struct LinearForm {
  var blocks: [Int: FormBlock]

  func mapped(_ body: (FormBlock) -> FormBlock) -> LinearForm {
    LinearForm(blocks: blocks.mapValues(body))
  }

  func adding(_ other: LinearForm) -> LinearForm {
    LinearForm(blocks: blocks.merging(other.blocks) { $0.adding($1) })
  }
}
