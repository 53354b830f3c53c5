/// Appends primitives to a graph. Plain: it neither merges nor simplifies, passes do.
///
/// A shape error here is a fault in lgc, never in the user's description (shapes are checked on
/// the typed network before anything is lowered), so it stops with a message that says so.
public final class GraphBuilder {
  public private(set) var graph: Graph
  /// Recorded on every node added from now on.
  public var origin: Origin?

  public init(_ graph: Graph = Graph()) { self.graph = graph }

  public func shape(_ value: Value) -> Shape { graph.shape(value) }

  /// Runs `body` with every new node marked as made for `origin`.
  public func with<Result>(origin: Origin?, _ body: () throws -> Result) rethrows -> Result {
    let previous = self.origin
    self.origin = origin ?? previous
    defer { self.origin = previous }
    return try body()
  }

  @discardableResult
  public func add(_ op: Op, _ operands: [Value] = []) -> Value {
    do {
      let shape = try op.primitive.shape(of: operands.map { graph.shape($0) })
      graph.nodes.append(GraphNode(op: op, operands: operands, shape: shape, origin: origin))
      return Value(graph.nodes.count - 1)
    } catch {
      let place = origin?.name ?? "a graph"
      fatalError("lgc's own bug: \(op.primitive.mnemonic) in \(place): \(error)")
    }
  }

  /// Room for `count` nodes.
  func reserve(_ count: Int) { graph.nodes.reserveCapacity(count) }

  /// Appends a node of another graph that reads `operands` here, of the shapes that it read there,
  /// so that its own shape needs no rule.
  func keep(_ node: GraphNode, _ operands: [Value]) -> Value {
    graph.nodes.append(node.reading(operands))
    return Value(graph.nodes.count - 1)
  }

  // MARK: leaves

  public func input(_ name: String, _ shape: Shape) -> Value {
    add(.input(Input(name: name, shape: shape)))
  }
  public func state(_ name: String, _ shape: Shape) -> Value {
    add(.state(State(name: name, shape: shape)))
  }
  public func constant(_ number: Double, _ shape: Shape = []) -> Value {
    add(.constant(Constant(number, shape: shape)))
  }
  public func iota(_ shape: Shape, axis: Int) -> Value {
    add(.iota(Iota(axis: axis, shape: shape)))
  }
  public func random(stream: UInt64, counter: Value, _ shape: Shape) -> Value {
    add(.random(Random(stream: stream, shape: shape)), [counter])
  }

  // MARK: element-wise

  public func unary(_ op: Unary, _ x: Value) -> Value { add(.unary(op), [x]) }
  /// A scalar operand is broadcast to the other's shape.
  public func binary(_ op: Binary, _ x: Value, _ y: Value) -> Value {
    var (x, y) = (x, y)
    if shape(x) != shape(y) {
      if shape(x).isEmpty { x = broadcast(x, to: shape(y), axes: []) }
      else if shape(y).isEmpty { y = broadcast(y, to: shape(x), axes: []) }
    }
    return add(.binary(op), [x, y])
  }
  public func select(_ condition: Value, _ x: Value, _ y: Value) -> Value {
    add(.select(Select()), [condition, x, y])
  }
  public func negate(_ x: Value) -> Value { unary(.negate, x) }
  public func square(_ x: Value) -> Value { unary(.square, x) }
  public func add(_ x: Value, _ y: Value) -> Value { binary(.add, x, y) }
  public func add(_ x: Value, _ y: Double) -> Value { binary(.add, x, constant(y, shape(x))) }
  public func subtract(_ x: Value, _ y: Value) -> Value { binary(.subtract, x, y) }
  public func subtract(_ x: Value, _ y: Double) -> Value {
    binary(.subtract, x, constant(y, shape(x)))
  }
  public func subtract(_ x: Double, _ y: Value) -> Value {
    binary(.subtract, constant(x, shape(y)), y)
  }
  public func multiply(_ x: Value, _ y: Value) -> Value { binary(.multiply, x, y) }
  public func multiply(_ x: Value, _ y: Double) -> Value {
    binary(.multiply, x, constant(y, shape(x)))
  }
  public func divide(_ x: Value, _ y: Value) -> Value { binary(.divide, x, y) }
  public func maximum(_ x: Value, _ y: Double) -> Value {
    binary(.maximum, x, constant(y, shape(x)))
  }

  // MARK: reductions and shape

  public func sum(_ x: Value, _ axes: [Int]) -> Value {
    axes.isEmpty ? x : add(.reduce(Reduce(.sum, axes: axes)), [x])
  }
  public func sum(_ x: Value) -> Value { sum(x, Array(shape(x).indices)) }
  public func maximum(over axes: [Int], _ x: Value) -> Value {
    axes.isEmpty ? x : add(.reduce(Reduce(.maximum, axes: axes)), [x])
  }
  public func broadcast(_ x: Value, to target: Shape, axes: [Int]) -> Value {
    shape(x) == target ? x : add(.broadcast(Broadcast(to: target, axes: axes)), [x])
  }
  /// Along new leading axes: a bias [n] to every row of [b, n].
  public func broadcast(trailing x: Value, to target: Shape) -> Value {
    broadcast(x, to: target, axes: Array((target.count - shape(x).count)..<target.count))
  }
  /// Along new trailing axes: a number per sample [b] to every element of [b, n].
  public func broadcast(leading x: Value, to target: Shape) -> Value {
    broadcast(x, to: target, axes: Array(0..<shape(x).count))
  }
  public func reshape(_ x: Value, to target: Shape) -> Value {
    shape(x) == target ? x : add(.reshape(Reshape(to: target)), [x])
  }
  public func transpose(_ x: Value, _ permutation: [Int]) -> Value {
    add(.transpose(Transpose(permutation)), [x])
  }
  public func slice(_ x: Value, starts: [Int], limits: [Int], strides: [Int]) -> Value {
    add(.slice(Slice(starts: starts, limits: limits, strides: strides)), [x])
  }
  public func pad(_ x: Value, low: [Int], high: [Int], interior: [Int]) -> Value {
    add(.pad(Pad(low: low, high: high, interior: interior)), [x])
  }
  public func concatenate(_ xs: [Value], axis: Int) -> Value {
    xs.count == 1 ? xs[0] : add(.concatenate(Concatenate(axis: axis)), xs)
  }

  // MARK: contraction and differentiation

  public func dot(
    _ a: Value, _ b: Value, transposeLeft: Bool = false, transposeRight: Bool = false
  ) -> Value {
    add(.dot(Dot(transposeLeft: transposeLeft, transposeRight: transposeRight)), [a, b])
  }
  public func stopGradient(_ x: Value) -> Value { add(.stopGradient(StopGradient()), [x]) }
}
