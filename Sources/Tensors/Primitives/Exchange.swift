/// Puts pairs of one tensor in the order of another's: operands (key, value) of equal shape, and
/// along `axis` the elements i < j = i XOR `mask` of the value change places where key[i] > key[j].
///
/// exchange(x, x) puts every pair in ascending order, one round of comparators of a sorting
/// network: mask 1 sorts neighbours, masks 1, 3, 1 groups of four. For a given key the map is
/// linear, and its own inverse and adjoint, so derivatives of every order are exchanges by the same
/// key; the key itself has none. Equal numbers and NaN stay where they are.
public struct Exchange: Primitive {
  /// Pairs lie in groups of at most so many elements.
  public static let largestWidth = 16

  public let axis: Int
  /// 1 ..< `largestWidth`
  public let mask: Int

  public init(axis: Int, mask: Int) {
    self.axis = axis
    self.mask = mask
  }

  public var mnemonic: String { "exchange" }
  public var attributes: String { "axis=\(axis) mask=\(mask)" }

  /// Elements in a group that its pairs do not leave: the power of two above the mask.
  public var width: Int {
    var width = 2
    while width <= mask { width *= 2 }
    return width
  }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 2, operands[0] == operands[1], operands[0].indices.contains(axis),
      (1..<Exchange.largestWidth).contains(mask), operands[0][axis] % width == 0
    else { throw ShapeError("\(attributes) of \(operands)") }
    return operands[0]
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] { [nil, g.add(.exchange(self), [operands[0], c])] }
}

extension GraphBuilder {
  /// The smaller number of every pair first.
  public func exchange(_ x: Value, axis: Int, mask: Int = 1) -> Value {
    add(.exchange(Exchange(axis: axis, mask: mask)), [x, x])
  }
}
