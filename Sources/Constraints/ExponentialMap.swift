import Tensors

/// The first columns of e^A, A = P − Pᵀ, P the matrix (transposed where it is wide) filled with zeros
/// to a square.
enum ExponentialMap {
  static func of(_ weight: Value, squarings: Int, _ g: GraphBuilder) -> Value {
    let shape = g.shape(weight)
    let isWide = shape[0] < shape[1]
    let (size, columns) = (shape.max()!, shape.min()!)
    let missing = isWide ? [size - columns, 0] : [0, size - columns]
    let square = missing == [0, 0] ? weight
      : g.pad(weight, low: [0, 0], high: missing, interior: [0, 0])
    // The transposed P of a wide matrix gives −A, and e^(−A) is the transposed e^A.
    let skew = g.subtract(square, g.transpose(square, [1, 0]))
    let small = g.multiply(isWide ? g.negate(skew) : skew, 1 / Double(1 << min(squarings, 60)))
    // Degree 6 in three products: (1 + A + A²/2 + A³/6) + A³·(A/24 + A²/120 + A³/720).
    let second = g.dot(small, small)
    let third = g.dot(small, second)
    func sum(_ terms: [(Value, Double)]) -> Value {
      terms.dropFirst().reduce(g.multiply(terms[0].0, terms[0].1)) {
        g.add($0, g.multiply($1.0, $1.1))
      }
    }
    var power = g.add(
      sum([(g.identity(size), 1), (small, 1), (second, 1 / 2.0), (third, 1 / 6.0)]),
      g.dot(third, sum([(small, 1 / 24.0), (second, 1 / 120.0), (third, 1 / 720.0)])))
    for _ in 0..<squarings - 1 { power = g.dot(power, power) }
    let first = g.slice(power, starts: [0, 0], limits: [size, columns], strides: [1, 1])
    let tall = g.dot(power, first)
    return isWide ? g.transpose(tall, [1, 0]) : tall
  }
}
