import ReferenceEngine
import Tensors

/// A program of primitives drawn at random, with values for its leaves: the same for the same seed.
///
/// While it grows, every node is computed, and refused if its numbers are large, not finite, or
/// near a point where the primitive jumps or bends (a comparison of almost equal numbers, the
/// logarithm of almost 0). So rounding in float32, or in another order, moves results by little,
/// and two ways to compute the program can be compared. Leaf values are float32 numbers.
public struct RandomGraph {
  public private(set) var program: Program
  public private(set) var inputs: [String: [Float]] = [:]
  public private(set) var states: [String: [Float]] = [:]

  let g = GraphBuilder()
  var generator: PhiloxGenerator
  private var values: [[Double]] = []
  /// Nodes whose numbers are the same however they are computed: from constants, iota and moves.
  private var isExact: [Bool] = []
  private var candidates: [Value] = []

  /// At least `nodes` nodes, leaves included. Outputs and updates are some of them.
  public init(seed: UInt64, nodes: Int = 40) {
    generator = PhiloxGenerator(seed: seed, stream: "random graph")
    program = Program(name: "random", graph: Graph(), outputs: [])
    for _ in 0..<3 { _ = leaf(randomShape()) }
    while g.graph.nodes.count < nodes { grow() }
    finish(seed)
  }
}

// MARK: leaves

extension RandomGraph {
  mutating func integer(_ range: Range<Int>) -> Int {
    range.lowerBound + Int(generator.uniform() * Double(range.count))
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[integer(0..<elements.count)]
  }

  private mutating func randomShape() -> Shape {
    let shape = (0..<pick([0, 1, 2, 2, 2, 3])).map { _ in pick([1, 2, 3, 4, 5, 7, 17]) }
    return shape.elementCount <= 300 ? shape : [17, 7]
  }

  mutating func someValue() -> Value { pick(candidates) }

  private mutating func numbers(_ shape: Shape) -> [Float] {
    (0..<shape.elementCount).map { _ in Float(4 * generator.uniform() - 2) }
  }

  /// A new leaf, recorded with its numbers.
  private mutating func leaf(_ shape: Shape) -> Value {
    switch integer(0..<(shape.isEmpty ? 6 : 8)) {
    case 0, 1, 2:
      let name = "x\(inputs.count)"
      inputs[name] = numbers(shape)
      return record(g.input(name, shape), inputs[name]!.map(Double.init))
    case 3, 4:
      let name = "s\(states.count)"
      states[name] = numbers(shape)
      return record(g.state(name, shape), states[name]!.map(Double.init))
    case 5:
      return emit(.constant(Constant(pick([0, 1, -1, 2, 0.5, 3, -0.25]), shape: shape)), [])!
    case 6: return emit(.iota(Iota(axis: integer(0..<shape.count), shape: shape)), [])!
    default:
      let counter = emit(.constant(Constant(Double(integer(0..<1000)), shape: [])), [])!
      return emit(.random(Random(stream: generator.next(), shape: shape)), [counter])!
    }
  }

  /// A value of the shape: one there is, the elements of another one, or a new leaf.
  mutating func value(_ shape: Shape) -> Value {
    let fitting = candidates.filter { g.shape($0) == shape }
    switch integer(0..<3) {
    case 0: return leaf(shape)
    case 1: return rearranged(someValue(), shape) ?? leaf(shape)
    default: return fitting.isEmpty ? leaf(shape) : pick(fitting)
    }
  }

  /// The elements of x, repeated or cut off, in another shape.
  private mutating func rearranged(_ x: Value, _ shape: Shape) -> Value? {
    let (count, extent) = (shape.elementCount, g.shape(x).elementCount)
    let places = (0..<count).map { $0 % extent }
    guard let flat = emit(.reshape(Reshape(to: [extent])), [x]),
      let taken = emit(.take(Take(axis: 0, places: places, extent: extent)), [flat])
    else { return nil }
    return emit(.reshape(Reshape(to: shape)), [taken])
  }
}

// MARK: growth

extension RandomGraph {
  private mutating func grow() {
    switch pick(OpKind.allCases) {
    case .input, .state, .constant, .iota, .random: _ = leaf(randomShape())
    case .unary: _ = emit(.unary(pick(Unary.allCases)), [someValue()])
    case .binary:
      let x = someValue()
      _ = emit(.binary(pick(Binary.allCases)), [x, value(g.shape(x))])
    case .select:
      let x = someValue()
      let condition = emit(.unary(.step), [value(g.shape(x))])
      if let condition { _ = emit(.select(Select()), [condition, x, value(g.shape(x))]) }
    case .reduce:
      let x = someValue()
      let axes = g.shape(x).indices.filter { _ in generator.uniform() < 0.5 }
      _ = emit(.reduce(Reduce(pick(Reduce.Kind.allCases), axes: axes)), [x])
    case .exchange: growExchange()
    case .take: growTake()
    case .put: growPut()
    case .dot: growDot()
    case .convolution: growConvolution()
    case .window: growWindow()
    case .concatenate: growConcatenation()
    case .stopGradient: _ = emit(.stopGradient(StopGradient()), [someValue()])
    case .broadcast, .reshape, .transpose, .slice, .pad:
      let x = someValue()
      _ = emit(reindexing(g.shape(x)), [x])
    }
  }

  private mutating func reindexing(_ shape: Shape) -> Op {
    switch integer(0..<5) {
    case 0:
      var target = shape
      var axes = Array(shape.indices)
      for _ in 0..<integer(0..<(4 - min(shape.count, 3))) {
        let place = integer(0..<(target.count + 1))
        target.insert(pick([1, 2, 3, 5]), at: place)
        axes = axes.map { $0 >= place ? $0 + 1 : $0 }
      }
      return .broadcast(Broadcast(to: target, axes: axes))
    case 1:
      let count = shape.elementCount
      let rows = pick((1...max(1, count)).filter { count % $0 == 0 })
      return .reshape(Reshape(to: pick([[count], [rows, count / rows], [1, rows, count / rows]])))
    case 2: return .transpose(Transpose(shape.indices.shuffled(using: &generator)))
    case 3:
      let starts = shape.map { integer(0..<$0) }
      let limits = zip(starts, shape).map { integer(($0 + 1)..<($1 + 1)) }
      let strides = shape.map { _ in integer(1..<4) }
      return .slice(Slice(starts: starts, limits: limits, strides: strides))
    default:
      return .pad(
        Pad(
          low: shape.map { _ in integer(0..<3) }, high: shape.map { _ in integer(0..<3) },
          interior: shape.map { _ in integer(0..<2) }))
    }
  }

  /// Sometimes with a scaled or transposed operand, which passes look for.
  private mutating func growDot() {
    let matrices = candidates.filter { g.shape($0).count == 2 }
    var a = matrices.isEmpty ? leaf([3, 5]) : pick(matrices)
    let dot = Dot(transposeLeft: integer(0..<2) == 0, transposeRight: integer(0..<2) == 0)
    let inner = g.shape(a)[dot.transposeLeft ? 0 : 1]
    let outer = pick([1, 2, 3, 5])
    var b = value(dot.transposeRight ? [outer, inner] : [inner, outer])
    if integer(0..<3) == 0 { a = scaled(a) ?? a }
    if integer(0..<3) == 0 { b = scaled(b) ?? b }
    _ = emit(.dot(dot), [a, b])
  }

  mutating func scaled(_ x: Value) -> Value? {
    if integer(0..<4) == 0 { return emit(.unary(.negate), [x]) }
    let scalar = value([])
    let copies = emit(.broadcast(Broadcast(to: g.shape(x), axes: [])), [scalar])
    return copies.flatMap { emit(.binary(pick([.multiply, .divide])), [x, $0]) }
  }

  private mutating func growExchange() {
    let even = candidates.filter { g.shape($0).contains { $0 % 2 == 0 } }
    let isNew = even.isEmpty || integer(0..<3) == 0
    let key = isNew ? leaf(pick([[3, 4], [4, 5], [2, 8, 3]])) : pick(even)
    let shape = g.shape(key)
    let axis = pick(shape.indices.filter { shape[$0] % 2 == 0 })
    let mask = shape[axis] % 4 == 0 ? pick([1, 2, 3]) : 1
    let x = integer(0..<2) == 0 ? key : value(shape)
    _ = emit(.exchange(Exchange(axis: axis, mask: mask)), [key, x])
  }

  private mutating func growConcatenation() {
    let x = someValue()
    guard !g.shape(x).isEmpty else { return }
    let axis = integer(0..<g.shape(x).count)
    var other = g.shape(x)
    other[axis] = pick([1, 2, 3])
    let y = value(other)
    _ = emit(.concatenate(Concatenate(axis: axis)), integer(0..<2) == 0 ? [x, y] : [y, x, x])
  }
}

// MARK: numbers

extension RandomGraph {
  private mutating func record(_ value: Value, _ numbers: [Double], exact: Bool = false) -> Value {
    values.append(numbers)
    isExact.append(exact)
    candidates.append(value)
    return value
  }

  /// Adds the node, or nil if its numbers are not fit for comparisons.
  mutating func emit(_ op: Op, _ operands: [Value]) -> Value? {
    let shapes = operands.map { g.shape($0) }
    let isLeaf = operands.isEmpty || OpKind(op) == .random
    guard let shape = try? op.primitive.shape(of: shapes), isLeaf || shape.elementCount <= 2000
    else { return nil }
    let exact = operands.allSatisfy { isExact[$0.index] }
    let given = operands.map { values[$0.index] }
    guard exact || isSmooth(op, given, shapes) else { return nil }
    let result = ReferenceEngine.apply(
      op, to: Array(zip(shapes, given)).map { (shape: $0, values: $1) }, shape: shape)
    guard isLeaf || result.allSatisfy({ $0.magnitude <= 30 }) else { return nil }
    return record(g.add(op, operands), result, exact: exact && !isRounded(op))
  }

  /// Whether the op rounds even where its operands are exact.
  private func isRounded(_ op: Op) -> Bool {
    switch op {
    case .unary(let op): ![.negate, .relu, .absolute, .sign, .step].contains(op)
    case .binary(let op): [.divide, .power, .multiply].contains(op)
    case .dot, .convolution, .random: true
    default: false
    }
  }

  /// Whether no operand is near a jump, a bend or a pole of the op.
  private func isSmooth(_ op: Op, _ x: [[Double]], _ shapes: [Shape]) -> Bool {
    switch op {
    case .unary(let op):
      switch op {
      case .log, .squareRoot, .reciprocalSquareRoot: x[0].allSatisfy { $0 > 0.1 }
      case .reciprocal, .relu, .absolute, .sign, .step: x[0].allSatisfy { $0.magnitude > 0.1 }
      default: true
      }
    case .binary(let op):
      switch op {
      case .divide, .maskPositive: x[1].allSatisfy { $0.magnitude > 0.1 }
      case .power: x[0].allSatisfy { $0 > 0.1 }
      case .maximum, .minimum, .greater, .greaterOrEqual, .equal:
        zip(x[0], x[1]).allSatisfy { ($0 - $1).magnitude > 0.01 }
      default: true
      }
    case .exchange(let op):
      // The numbers of each pair, apart.
      zip(x[0], swapped(op, x[0], shapes[0])).allSatisfy { ($0 - $1).magnitude > 0.01 }
    case .reduce(let op) where op.kind == .maximum:
      hasClearMaximum(op, x[0], shapes[0])
    case .window(let op) where op.form == .argument:
      zip(x[0].sorted(), x[0].sorted().dropFirst()).allSatisfy { $1 - $0 > 0.01 }
    default: true
    }
  }

  /// The partner of every element.
  private func swapped(_ op: Exchange, _ x: [Double], _ shape: Shape) -> [Double] {
    let places = (0..<shape[op.axis]).map { $0 ^ op.mask }
    return ReferenceEngine.apply(
      .take(Take(axis: op.axis, places: places, extent: shape[op.axis])), to: [(shape, x)],
      shape: shape)
  }

  /// Whether the second largest stands off: the largest, lowered, is still the largest.
  private func hasClearMaximum(_ op: Reduce, _ x: [Double], _ shape: Shape) -> Bool {
    let kept = shape.indices.filter { !op.axes.contains($0) }
    let result = shape.removing(axes: op.axes)
    func apply(_ op: Op, _ shapes: [Shape], _ x: [[Double]], _ shape: Shape) -> [Double] {
      ReferenceEngine.apply(
        op, to: Array(zip(shapes, x)).map { (shape: $0, values: $1) }, shape: shape)
    }
    let largest = apply(.reduce(op), [shape], [x], result)
    let copies = apply(.broadcast(Broadcast(to: shape, axes: kept)), [result], [largest], shape)
    let near = zip(x, copies).map { $0 > $1 - 0.01 ? 1.0 : 0 }
    return apply(.reduce(Reduce(.sum, axes: op.axes)), [shape], [near], result)
      .allSatisfy { $0 == 1 }
  }
}

// MARK: the program

extension RandomGraph {
  /// Outputs: the last values and a few others, so that most of the graph is alive. Updates: of
  /// some states, by values of their shape.
  private mutating func finish(_ seed: UInt64) {
    let count = g.graph.nodes.count
    var chosen = Set((count - min(count, 6))..<count)
    for _ in 0..<4 { chosen.insert(integer(0..<count)) }
    let outputs = chosen.sorted().map { Program.Output("y\($0)", Value($0)) }
    var updates: [Program.Update] = []
    for (name, numbers) in states.sorted(by: { $0.key < $1.key }) {
      let node = g.graph.nodes.first { $0.op == .state(State(name: name, shape: $0.shape)) }!
      let fitting = candidates.filter { g.shape($0) == node.shape }
      if numbers.count > 1 { updates.append(.init(name, pick(fitting))) }
    }
    program = Program(name: "random", graph: g.graph, outputs: outputs, updates: updates)
  }
}
