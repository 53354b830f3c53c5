/// Elements at given places of one axis, in the order given and as often as given: reflected and
/// circular padding, nearest-neighbour upsampling, reversal. `extent` is the operand's.
public struct Take: Primitive {
  public let axis: Int
  public let places: [Int]
  public let extent: Int

  public init(axis: Int, places: [Int], extent: Int) {
    self.axis = axis
    self.places = places
    self.extent = extent
  }

  public var mnemonic: String { "take" }
  public var attributes: String { "axis=\(axis) places=\(places)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, operands[0].indices.contains(axis), operands[0][axis] == extent,
      !places.isEmpty, places.allSatisfy({ 0 <= $0 && $0 < extent })
    else { throw ShapeError("\(attributes) of \(operands)") }
    var result = operands[0]
    result[axis] = places.count
    return result
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] { [g.add(.put(Put(axis: axis, places: places, extent: extent)), [c])] }
}

/// The adjoint of `Take`: adds element i of one axis to place `places[i]` of `extent`, zeros
/// elsewhere.
public struct Put: Primitive {
  public let axis: Int
  public let places: [Int]
  public let extent: Int

  public init(axis: Int, places: [Int], extent: Int) {
    self.axis = axis
    self.places = places
    self.extent = extent
  }

  public var mnemonic: String { "put" }
  public var attributes: String { "axis=\(axis) places=\(places) extent=\(extent)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, operands[0].indices.contains(axis),
      operands[0][axis] == places.count, places.allSatisfy({ 0 <= $0 && $0 < extent })
    else { throw ShapeError("\(attributes) of \(operands)") }
    var result = operands[0]
    result[axis] = extent
    return result
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] { [g.take(c, axis: axis, places: places)] }
}

extension GraphBuilder {
  public func take(_ x: Value, axis: Int, places: [Int]) -> Value {
    add(.take(Take(axis: axis, places: places, extent: shape(x)[axis])), [x])
  }
}
