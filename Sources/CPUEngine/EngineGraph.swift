import CKernels
import Tensors

/// A program in the engine's nodes: live nodes only, one leaf for each name, and storage of its own
/// for every output and every update.
struct EngineGraph {
  private(set) var nodes: [EngineNode] = []
  /// Output name → node.
  private(set) var outputs: [(name: String, node: Int)] = []
  /// State leaf ← node. No node is here twice, none is a leaf, and an update of a state by itself
  /// is left out.
  private(set) var updates: [(leaf: Int, node: Int)] = []
  private var inputs: [String: Int] = [:]
  private var states: [String: Int] = [:]

  init(_ program: Program) throws(EngineError) {
    let live = EngineGraph.live(program)
    var mapped = [Int](repeating: -1, count: program.graph.nodes.count)
    for index in program.graph.nodes.indices where live[index] {
      mapped[index] = try lower(program.graph.nodes[index], mapped)
    }
    addUpdates(program, mapped)
    addOutputs(program, mapped)
  }

  /// A graph made from another.
  init(
    nodes: [EngineNode], outputs: [(name: String, node: Int)], updates: [(leaf: Int, node: Int)]
  ) {
    self.nodes = nodes
    self.outputs = outputs
    self.updates = updates
  }

  /// The node whose storage holds the elements of `index`.
  func root(_ index: Int) -> Int { EngineGraph.root(index, nodes) }

  static func root(_ index: Int, _ nodes: [EngineNode]) -> Int {
    var index = index
    while nodes[index].isAlias { index = nodes[index].operands[0] }
    return index
  }

  private static func live(_ program: Program) -> [Bool] {
    var live = [Bool](repeating: false, count: program.graph.nodes.count)
    var stack = program.outputs.map(\.value.index) + program.updates.map(\.value.index)
    // Inputs may be written whether they are read or not.
    for (index, node) in program.graph.nodes.enumerated() {
      if case .input = node.op { stack.append(index) }
    }
    while let index = stack.popLast() {
      if live[index] { continue }
      live[index] = true
      stack += program.graph.nodes[index].operands.map(\.index)
    }
    return live
  }

  @discardableResult
  private mutating func append(
    _ kind: EngineNode.Kind, _ operands: [Int], _ shape: Shape, _ origin: Origin?
  ) -> Int {
    nodes.append(EngineNode(kind: kind, operands: operands, shape: shape, origin: origin))
    return nodes.count - 1
  }

  private mutating func lower(_ node: GraphNode, _ mapped: [Int]) throws(EngineError) -> Int {
    guard !node.shape.contains(0) else { throw .emptyTensor(node) }
    let operands = node.operands.map { mapped[$0.index] }
    let (shape, origin) = (node.shape, node.origin)
    // A constant stays one through everything that only moves elements.
    if operands.count == 1, let number = nodes[root(operands[0])].constant {
      switch node.op {
      case .broadcast, .reshape, .transpose, .slice, .stopGradient:
        return append(.constant(number), [], shape, origin)
      default: break
      }
    }
    switch node.op {
    case .input(let leaf):
      if let known = inputs[leaf.name] { return known }
      inputs[leaf.name] = append(.input(leaf.name), [], shape, origin)
      return nodes.count - 1
    case .state(let leaf): return stateLeaf(leaf.name, shape)
    case .constant(let leaf): return append(.constant(Float(leaf.number)), [], shape, origin)
    case .iota(let leaf): return append(.iota(axis: leaf.axis), [], shape, origin)
    default: break
    }
    let shapes = operands.map { nodes[$0].shape }
    return append(try kind(node, shapes), operands, shape, origin)
  }

  /// The kind of a node with operands of these shapes.
  private func kind(
    _ node: GraphNode, _ shapes: [Shape]
  ) throws(EngineError) -> EngineNode.Kind {
    let first = shapes[0]
    let sameCount = first.elementCount == node.shape.elementCount
    switch node.op {
    case .input, .state, .constant, .iota: preconditionFailure("a leaf has no operands")
    case .random(let op): return .random(stream: op.stream)
    case .unary(let op): return .map(op.operation)
    case .binary(let op): return .map(op.operation)
    case .select: return .map(LGC_SELECT)
    case .exchange(let op): return .exchange(op)
    case .reshape, .stopGradient: return .alias
    // Axes of extent 1 hold nothing to add, copy or move.
    case .reduce(let op):
      return sameCount ? .alias : .reduce(maximum: op.kind == .maximum, axes: op.axes)
    case .broadcast(let op): return sameCount ? .alias : .broadcast(axes: op.axes)
    case .transpose(let op):
      let moved = op.permutation.filter { first[$0] != 1 }
      return moved == moved.sorted() ? .alias : .transpose(op.permutation)
    case .slice(let op): return sameCount ? .alias : .slice(op)
    case .pad(let op): return sameCount ? .alias : .pad(op)
    case .concatenate(let op): return sameCount ? .alias : .concatenate(axis: op.axis)
    case .dot(let op): return .dot(op)
    case .take(let op): return .take(op)
    case .put(let op): return .put(op)
    case .window(let op): return .window(op)
    case .convolution(let op): return .convolution(EngineConvolution(op, shapes))
    }
  }

  private mutating func stateLeaf(_ name: String, _ shape: Shape) -> Int {
    if let known = states[name] { return known }
    states[name] = append(.state(name), [], shape, nil)
    return nodes.count - 1
  }

  /// A node computed anew with the elements of `index`.
  private mutating func copy(_ index: Int) -> Int {
    append(.map(LGC_COPY), [index], nodes[index].shape, nodes[index].origin)
  }

  private mutating func addUpdates(_ program: Program, _ mapped: [Int]) {
    var taken = Set<Int>()
    for update in program.updates {
      let value = mapped[update.value.index]
      let leaf = stateLeaf(update.state, nodes[value].shape)
      var node = root(value)
      if node == leaf { continue }
      if nodes[node].isLeaf || nodes[node].isBroadcast || taken.contains(node) {
        node = copy(value)
      }
      taken.insert(node)
      updates.append((leaf, node))
    }
  }

  /// An output must survive later runs and writes, so it is never a state's or an input's storage.
  private mutating func addOutputs(_ program: Program, _ mapped: [Int]) {
    let updated = Set(updates.map(\.node))
    var copies: [Int: Int] = [:]
    for output in program.outputs {
      let value = mapped[output.value.index]
      var node = root(value)
      let shared = nodes[node].isLeaf || nodes[node].isBroadcast || updated.contains(node)
      if shared, nodes[node].constant == nil {
        let made = copies[node] ?? copy(value)
        copies[node] = made
        node = made
      }
      outputs.append((output.name, node))
    }
  }
}

extension EngineError {
  fileprivate static func emptyTensor(_ node: GraphNode) -> EngineError {
    EngineError(
      "the CPU engine runs no tensor without elements (\(node.shape.shapeText))",
      origin: node.origin)
  }
}
