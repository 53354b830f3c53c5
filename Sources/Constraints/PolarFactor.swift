import Tensors

/// The polar factor U·Vᵀ of a matrix U·S·Vᵀ by Björck's iteration: products with the Gram matrix of
/// the lesser side only.
enum PolarFactor {
  /// From W/s, s² = the largest absolute row sum of the Gram matrix, so that σ ≤ 1.
  ///
  /// A step of order p multiplies by Σ over i ≤ p of aᵢ·(I − G)ⁱ, a = 1, 1/2, 3/8, 5/16, 35/128, the
  /// series of G^(−1/2).
  static func of(_ matrix: Value, iterations: Int, order: Int, _ g: GraphBuilder) -> Value {
    let side = Side(g.shape(matrix))
    let size = g.shape(matrix).min()!
    let identity = g.identity(size)
    var gram = side.gram(matrix, g)
    let bound = g.add(g.maximumSum(gram, 1), tinyNorm * tinyNorm)
    gram = g.multiply(gram, g.broadcast(g.unary(.reciprocal, bound), to: [size, size], axes: []))
    let scale = g.unary(.reciprocalSquareRoot, bound)
    var current = g.multiply(matrix, g.broadcast(scale, to: g.shape(matrix), axes: []))
    for iteration in 0..<iterations {
      if iteration > 0 { gram = side.gram(current, g) }
      current = side.product(polynomial(g.subtract(identity, gram), identity, order, g), current, g)
    }
    return current
  }

  private static func polynomial(
    _ error: Value, _ identity: Value, _ order: Int, _ g: GraphBuilder
  ) -> Value {
    let coefficients = [1 / 2.0, 3 / 8.0, 5 / 16.0, 35 / 128.0]
    // Horner: I + E·(a₁ + E·(a₂ + …)).
    var inner = g.multiply(identity, coefficients[order - 1])
    for index in (0..<order - 1).reversed() {
      inner = g.add(g.multiply(identity, coefficients[index]), g.dot(error, inner))
    }
    if order == 1 { return g.add(identity, g.multiply(error, coefficients[0])) }
    return g.add(identity, g.dot(error, inner))
  }

  /// Into how many blocks of at most `rows` the lesser side is cut.
  static func blocks(_ shape: Shape, rows: Int) -> Int { (shape.min()! + rows - 1) / rows }

  /// One step of block number `block` of `blocks`: B − η·(B·Wᵀ − I_B)·W, of columns where the matrix
  /// is tall; of the whole matrix where there is one block.
  static func step(
    _ matrix: Value, block: Value?, of blocks: Int, _ g: GraphBuilder
  ) -> Value {
    let shape = g.shape(matrix)
    let side = Side(shape)
    let size = shape.min()!
    guard blocks > 1, let block else {
      let error = g.subtract(side.gram(matrix, g), g.identity(size))
      return g.subtract(matrix, side.product(shortened(error, g), matrix, g))
    }
    // A last block that is not full is filled with zeros.
    let rows = (size + blocks - 1) / blocks
    let axis = side.isWide ? 0 : 1
    var filled = shape
    filled[axis] = rows * blocks
    var cut = shape
    cut.replaceSubrange(axis...axis, with: [blocks, rows])
    let missing = shape.indices.map { filled[$0] - shape[$0] }
    let none = [0, 0]
    let padded = filled == shape ? matrix
      : g.pad(matrix, low: none, high: missing, interior: none)
    let parts = g.reshape(padded, to: cut)
    let chosen = g.binary(
      .equal, g.iota([blocks], axis: 0), g.broadcast(block, to: [blocks], axes: []))
    let mask = g.broadcast(chosen, to: cut, axes: [axis])
    let part = g.sum(g.multiply(parts, mask), [axis])
    // Row r of the block is row block·rows + r of the whole.
    let across = side.isWide ? [rows, size] : [size, rows]
    let place = g.add(
      g.iota(across, axis: axis),
      g.broadcast(g.multiply(block, Double(rows)), to: across, axes: []))
    let ones = g.binary(.equal, place, g.iota(across, axis: 1 - axis))
    let error = g.subtract(
      side.isWide
        ? g.dot(part, matrix, transposeRight: true) : g.dot(matrix, part, transposeLeft: true),
      ones)
    let move = side.product(shortened(error, g), matrix, g)
    let moved = g.subtract(
      parts, g.multiply(mask, g.broadcast(move, to: cut, axes: side.isWide ? [1, 2] : [0, 2])))
    let result = g.reshape(moved, to: filled)
    return filled == shape ? result
      : g.slice(result, starts: none, limits: shape, strides: [1, 1])
  }

  /// η·E, η = ½ / max(1, ‖E‖_F).
  private static func shortened(_ error: Value, _ g: GraphBuilder) -> Value {
    let size = g.unary(.squareRoot, g.sum(g.square(error)))
    let factor = g.divide(g.constant(0.5), g.maximum(size, 1))
    return g.multiply(error, g.broadcast(factor, to: g.shape(error), axes: []))
  }

  /// Whether rows or columns are to become orthonormal: the fewer.
  struct Side {
    let isWide: Bool
    init(_ shape: Shape) { isWide = shape[0] <= shape[1] }
    /// a·bᵀ of wide matrices, aᵀ·b of tall ones.
    func inner(_ a: Value, _ b: Value, _ g: GraphBuilder) -> Value {
      g.dot(a, b, transposeLeft: !isWide, transposeRight: isWide)
    }
    func gram(_ matrix: Value, _ g: GraphBuilder) -> Value { inner(matrix, matrix, g) }
    /// Left of a wide matrix, right of a tall one.
    func product(_ factor: Value, _ matrix: Value, _ g: GraphBuilder) -> Value {
      isWide ? g.dot(factor, matrix) : g.dot(matrix, factor)
    }
  }
}
