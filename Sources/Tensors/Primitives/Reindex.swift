/// The same elements in row-major order under another shape.
public struct Reshape: Primitive {
  public let target: Shape
  public init(to target: Shape) { self.target = target }
  public var mnemonic: String { "reshape" }
  public var attributes: String { "" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, operands[0].elementCount == target.elementCount else {
      throw ShapeError("\(operands) does not have the elements of \(target.shapeText)")
    }
    return target
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] { [g.reshape(c, to: g.shape(operands[0]))] }
}

/// Result axis k is operand axis `permutation[k]`.
public struct Transpose: Primitive {
  public let permutation: [Int]
  public init(_ permutation: [Int]) { self.permutation = permutation }
  public var mnemonic: String { "transpose" }
  public var attributes: String { "permutation=\(permutation)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, permutation.sorted() == Array(operands[0].indices) else {
      throw ShapeError("permutation \(permutation) of \(operands)")
    }
    return permutation.map { operands[0][$0] }
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    var inverse = permutation
    for (result, operand) in permutation.enumerated() { inverse[operand] = result }
    return [g.transpose(c, inverse)]
  }
}

/// Elements `start, start + stride, …` below `limit` along each axis.
public struct Slice: Primitive {
  public let starts: [Int]
  public let limits: [Int]
  public let strides: [Int]

  public init(starts: [Int], limits: [Int], strides: [Int]) {
    self.starts = starts
    self.limits = limits
    self.strides = strides
  }

  public var mnemonic: String { "slice" }
  public var attributes: String { "starts=\(starts) limits=\(limits) strides=\(strides)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, [starts.count, limits.count, strides.count]
      .allSatisfy({ $0 == operands[0].count })
    else { throw ShapeError("\(attributes) of \(operands)") }
    var result: Shape = []
    for axis in operands[0].indices {
      guard strides[axis] > 0, 0 <= starts[axis], starts[axis] <= limits[axis],
        limits[axis] <= operands[0][axis]
      else { throw ShapeError("\(attributes) of \(operands)") }
      result.append((limits[axis] - starts[axis] + strides[axis] - 1) / strides[axis])
    }
    return result
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let full = g.shape(operands[0])
    let cut = g.shape(value)
    var high: [Int] = []
    for axis in full.indices {
      let covered = cut[axis] == 0 ? 0 : (cut[axis] - 1) * strides[axis] + 1
      high.append(full[axis] - starts[axis] - covered)
    }
    return [g.pad(c, low: starts, high: high, interior: strides.map { $0 - 1 })]
  }
}

/// Zeros before (`low`), after (`high`) and between neighbours (`interior`) along each axis.
public struct Pad: Primitive {
  public let low: [Int]
  public let high: [Int]
  public let interior: [Int]

  public init(low: [Int], high: [Int], interior: [Int]) {
    self.low = low
    self.high = high
    self.interior = interior
  }

  public var mnemonic: String { "pad" }
  public var attributes: String { "low=\(low) high=\(high) interior=\(interior)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1, [low.count, high.count, interior.count]
      .allSatisfy({ $0 == operands[0].count }), (low + high + interior).allSatisfy({ $0 >= 0 })
    else { throw ShapeError("\(attributes) of \(operands)") }
    return operands[0].indices.map { axis in
      let extent = operands[0][axis]
      return low[axis] + extent + max(0, extent - 1) * interior[axis] + high[axis]
    }
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let padded = g.shape(value)
    let limits = padded.indices.map { padded[$0] - high[$0] }
    return [g.slice(c, starts: low, limits: limits, strides: interior.map { $0 + 1 })]
  }
}

/// Operands one after the other along one axis.
public struct Concatenate: Primitive {
  public let axis: Int
  public init(axis: Int) { self.axis = axis }
  public var mnemonic: String { "concatenate" }
  public var attributes: String { "axis=\(axis)" }

  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard let first = operands.first, first.indices.contains(axis),
      operands.allSatisfy({
        $0.count == first.count && $0.removing(axes: [axis]) == first.removing(axes: [axis])
      })
    else { throw ShapeError("\(operands) along axis \(axis)") }
    var result = first
    result[axis] = operands.reduce(0) { $0 + $1[axis] }
    return result
  }

  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent c: Value
  ) -> [Value?] {
    let full = g.shape(value)
    var position = 0
    return operands.map { operand in
      var starts = [Int](repeating: 0, count: full.count)
      var limits = full
      starts[axis] = position
      position += g.shape(operand)[axis]
      limits[axis] = position
      return g.slice(c, starts: starts, limits: limits, strides: full.map { _ in 1 })
    }
  }
}
