/// Matrix product C = op(A) · op(B), where op transposes if asked: [m, k] · [k, n] → [m, n].
public struct Dot: Primitive {
  public let transposeLeft: Bool
  public let transposeRight: Bool

  public init(transposeLeft: Bool = false, transposeRight: Bool = false) {
    self.transposeLeft = transposeLeft
    self.transposeRight = transposeRight
  }

  public var mnemonic: String { "dot" }
  public var attributes: String {
    (transposeLeft || transposeRight)
      ? "\(transposeLeft ? "T" : "N")\(transposeRight ? "T" : "N")" : ""
  }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 2, operands.allSatisfy({ $0.count == 2 }) else {
      throw ShapeError("takes two matrices, not \(operands)")
    }
    let (a, b) = (operands[0], operands[1])
    let (m, k) = transposeLeft ? (a[1], a[0]) : (a[0], a[1])
    let (k2, n) = transposeRight ? (b[1], b[0]) : (b[0], b[1])
    guard k == k2 else { throw ShapeError("inner extents \(k) and \(k2) differ") }
    return [m, n]
  }

  /// dA = G·Bᵀ and dB = Aᵀ·G, transposed as the operands are.
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let (a, b) = (operands[0], operands[1])
    let da = transposeLeft
      ? g.dot(b, c, transposeLeft: transposeRight, transposeRight: true)
      : g.dot(c, b, transposeRight: !transposeRight)
    let db = transposeRight
      ? g.dot(c, a, transposeLeft: true, transposeRight: transposeLeft)
      : g.dot(a, c, transposeLeft: !transposeLeft)
    return [da, db]
  }
}
