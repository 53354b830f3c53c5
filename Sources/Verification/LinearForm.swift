import COpenBLAS

/// One block of a linear form: how a value depends on one variable. Column-major, or only the
/// diagonal of a square block that has nothing beside it, with a bound of each entry's error; nil
/// where the entries are exact.
struct FormBlock {
  let rows: Int
  let columns: Int
  private(set) var isDiagonal = false
  var values: [Double]
  var radius: [Double]?

  init(rows: Int, columns: Int, values: [Double], radius: [Double]?) {
    self.rows = rows
    self.columns = columns
    self.values = values
    self.radius = radius
  }

  static func identity(_ count: Int) -> FormBlock {
    var block = FormBlock(
      rows: count, columns: count, values: [Double](repeating: 1, count: count), radius: nil)
    block.isDiagonal = true
    return block
  }

  /// The same with every entry.
  var dense: FormBlock {
    guard isDiagonal else { return self }
    func spread(_ numbers: [Double]) -> [Double] {
      var values = [Double](repeating: 0, count: rows * columns)
      for index in numbers.indices { values[index * (rows + 1)] = numbers[index] }
      return values
    }
    return FormBlock(
      rows: rows, columns: columns, values: spread(values), radius: radius.map(spread))
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
    scaling { isDiagonal, place in factors[isDiagonal ? place : place % rows] }
  }

  /// Column j times factors[j].
  func scalingColumns(_ factors: [Double]) -> FormBlock {
    scaling { isDiagonal, place in factors[isDiagonal ? place : place / rows] }
  }

  /// Row i times a number within radii[i] of factors[i].
  func scalingRows(_ factors: [Double], radii: [Double]) -> FormBlock {
    var result = scalingRows(factors)
    var errors = result.radius ?? [Double](repeating: 0, count: values.count)
    for place in errors.indices {
      let size = values[place].magnitude + (radius?[place] ?? 0)
      let error = errors[place] + radii[isDiagonal ? place : place % rows] * size
      errors[place] = error * Arithmetic.slack + 0x1p-1000
    }
    result.radius = errors
    return result
  }

  @inline(__always)
  private func scaling(_ factor: (_ isDiagonal: Bool, _ place: Int) -> Double) -> FormBlock {
    var result = self
    var errors = radius ?? [Double](repeating: 0, count: values.count)
    var isExact = true
    let isDiagonal = isDiagonal
    result.values.withUnsafeMutableBufferPointer { values in
      errors.withUnsafeMutableBufferPointer { errors in
        for place in values.indices {
          let (value, error) = Self.product(
            factor(isDiagonal, place), values[place], errors[place])
          values[place] = value
          errors[place] = error
          if error != 0 { isExact = false }
        }
      }
    }
    result.radius = isExact ? nil : errors
    return result
  }

  func adding(_ addend: FormBlock) -> FormBlock {
    let isSparse = isDiagonal && addend.isDiagonal
    var result = isSparse ? self : dense
    let other = isSparse ? addend : addend.dense
    let former = result.radius
    var errors = [Double](repeating: 0, count: result.values.count)
    var isExact = true
    for place in errors.indices {
      let (a, b) = (result.values[place], other.values[place])
      let sum = a + b
      let part = sum - a
      let error = ((a - (sum - part)) + (b - part)).magnitude
      let total = error + (former?[place] ?? 0) + (other.radius?[place] ?? 0)
      result.values[place] = sum
      errors[place] = total == 0 ? 0 : total * Arithmetic.slack
      if total != 0 { isExact = false }
    }
    result.radius = isExact ? nil : errors
    return result
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
    if block.isDiagonal {
      let result = FormBlock(rows: rows, columns: columns, values: values, radius: nil)
      guard let radius = block.radius else {
        return block.values.allSatisfy { $0 == 1 } ? result : result.scalingColumns(block.values)
      }
      // What the factors are off by counts with |W|.
      var scaled = result.scalingColumns(block.values)
      var errors = scaled.radius ?? [Double](repeating: 0, count: values.count)
      for place in errors.indices {
        errors[place] = (errors[place] + values[place].magnitude * radius[place / rows])
          * Arithmetic.slack + 0x1p-1000
      }
      scaled.radius = errors
      return scaled
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
