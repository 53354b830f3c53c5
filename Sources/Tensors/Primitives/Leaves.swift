/// A tensor given anew for each run: a batch, labels, the learning rate.
public struct Input: Primitive {
  public let name: String
  public let declared: Shape
  public init(name: String, shape: Shape) {
    self.name = name
    declared = shape
  }
  public var mnemonic: String { "input" }
  public var attributes: String { "\"\(name)\"" }
  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.isEmpty else { throw ShapeError("takes no operands") }
    return declared
  }
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?] { [] }
}

/// A tensor that lives in the engine between runs: weights, moments, power-iteration vectors.
public struct State: Primitive {
  public let name: String
  public let declared: Shape
  public init(name: String, shape: Shape) {
    self.name = name
    declared = shape
  }
  public var mnemonic: String { "state" }
  public var attributes: String { "\"\(name)\"" }
  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.isEmpty else { throw ShapeError("takes no operands") }
    return declared
  }
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?] { [] }
}

/// One number at every element. Constants are equal if their bits are: 0 is not −0, NaN is NaN.
public struct Constant: Primitive {
  public let number: Double
  public let declared: Shape
  public init(_ number: Double, shape: Shape) {
    self.number = number
    declared = shape
  }
  public static func == (a: Constant, b: Constant) -> Bool {
    a.number.bitPattern == b.number.bitPattern && a.declared == b.declared
  }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(number.bitPattern)
    hasher.combine(declared)
  }
  public var mnemonic: String { "constant" }
  public var attributes: String { "\(number)" }
  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.isEmpty else { throw ShapeError("takes no operands") }
    return declared
  }
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?] { [] }
}

/// y[i₀, i₁, …] = i_axis: the index along one axis.
public struct Iota: Primitive {
  public let axis: Int
  public let declared: Shape
  public init(axis: Int, shape: Shape) {
    self.axis = axis
    declared = shape
  }
  public var mnemonic: String { "iota" }
  public var attributes: String { "axis=\(axis)" }
  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.isEmpty else { throw ShapeError("takes no operands") }
    guard declared.indices.contains(axis) else { throw ShapeError("axis \(axis) of \(declared)") }
    return declared
  }
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?] { [] }
}

/// Uniform random numbers in [0, 1), 24 bits each: Philox4×32-10 (Salmon et al., SC 2011).
///
/// The operand is a scalar counter c. Element n is word n mod 4 of the block with key
/// (low, high word of `stream`) and counter (low, high word of ⌊n/4⌋, low, high word of c), its
/// upper 24 bits divided by 2²⁴. So the numbers depend on neither thread count nor engine, and a
/// new stream never shifts another.
public struct Random: Primitive {
  public let stream: UInt64
  public let declared: Shape
  public init(stream: UInt64, shape: Shape) {
    self.stream = stream
    declared = shape
  }
  public var mnemonic: String { "random" }
  public var attributes: String { "stream=\(String(stream, radix: 16))" }
  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands == [[]] else { throw ShapeError("the counter must be one scalar") }
    return declared
  }
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?] { [nil] }
}

/// y = x, but no cotangent flows back.
public struct StopGradient: Primitive {
  public init() {}
  public var mnemonic: String { "stop_gradient" }
  public var attributes: String { "" }
  public func shape(of operands: [Shape]) throws(ShapeError) -> Shape {
    guard operands.count == 1 else { throw ShapeError("takes one operand") }
    return operands[0]
  }
  public func gradient(
    _ g: GraphBuilder, value: Value, operands: [Value], cotangent: Value
  ) -> [Value?] { [nil] }
}
