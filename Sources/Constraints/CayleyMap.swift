import Tensors

/// [2X − I; −2V·X] of W = [U; V], X = M⁻¹, M = I + U − Uᵀ + Vᵀ·V; of a wide matrix transposed.
struct CayleyMap {
  private let isWide: Bool
  private let size: Int
  /// V, nil of a square matrix.
  private let lower: Value?
  private let matrix: Value
  private let identity: Value

  init(_ weight: Value, _ g: GraphBuilder) {
    let shape = g.shape(weight)
    isWide = shape[0] < shape[1]
    let tall = isWide ? g.transpose(weight, [1, 0]) : weight
    let (rows, columns) = (g.shape(tall)[0], g.shape(tall)[1])
    size = columns
    func part(_ start: Int, _ end: Int) -> Value {
      g.slice(tall, starts: [start, 0], limits: [end, columns], strides: [1, 1])
    }
    let upper = part(0, columns)
    lower = rows > columns ? part(columns, rows) : nil
    identity = g.identity(columns)
    let skew = g.subtract(upper, g.transpose(upper, [1, 0]))
    let sum = g.add(identity, skew)
    matrix = lower.map { g.add(sum, g.dot($0, $0, transposeLeft: true)) } ?? sum
  }

  /// M⁻¹ by Newton's iteration, from `last` where that converges, and with its gradient.
  func inverse(from last: Value?, iterations: Int, _ g: GraphBuilder) -> Value {
    let fixed = g.stopGradient(matrix)
    let scale = g.unary(
      .reciprocal, g.multiply(g.maximumSum(fixed, 0), g.maximumSum(fixed, 1)))
    let cold = g.multiply(
      g.transpose(fixed, [1, 0]), g.broadcast(scale, to: [size, size], axes: []))
    var inverse = cold
    if let last {
      let error = g.subtract(identity, g.dot(fixed, last))
      let converges = g.binary(.greater, g.constant(1), g.sum(g.square(error)))
      inverse = g.select(g.broadcast(converges, to: [size, size], axes: []), last, cold)
    }
    for _ in 0..<iterations { inverse = step(inverse, fixed, g) }
    return step(g.stopGradient(inverse), matrix, g)
  }

  private func step(_ inverse: Value, _ matrix: Value, _ g: GraphBuilder) -> Value {
    g.subtract(g.multiply(inverse, 2), g.dot(inverse, g.dot(matrix, inverse)))
  }

  func image(_ inverse: Value, _ g: GraphBuilder) -> Value {
    let upper = g.subtract(g.multiply(inverse, 2), identity)
    let tall = lower.map {
      g.concatenate([upper, g.multiply(g.dot($0, inverse), -2)], axis: 0)
    } ?? upper
    return isWide ? g.transpose(tall, [1, 0]) : tall
  }
}
