import CKernels
import Tensors

/// Rewrites a graph so that the tensors around convolutions lie in memory as oneDNN computes them
/// fastest: a node's shape becomes that of its memory, its axes are renamed, and a transpose stands
/// where memory must be rearranged. Everything after this pass sees ordinary tensors.
///
/// What a convolution makes keeps its arrangement through element-wise work; reductions and
/// broadcasts follow the tensor they belong to, pooling, padding and the like the tensor they read;
/// everything else is row-major.
struct ArrangedGraph {
  private let old: EngineGraph
  private let preference: Arrangement
  private let threads: Int
  private(set) var nodes: [EngineNode] = []
  /// How the old nodes' values lie where they are computed.
  private var home: [Arrangement] = []
  private var made: [Place: Int] = [:]

  private struct Place: Hashable {
    var node: Int
    var arrangement: Arrangement
  }

  /// The graph under the arrangement that the options ask for.
  static func arranged(_ graph: EngineGraph, _ options: PlanOptions) -> EngineGraph {
    guard graph.nodes.contains(where: \.isConvolution) else { return graph }
    let preference = options.arrangement ?? preferred(graph, options.threads)
    var pass = ArrangedGraph(old: graph, preference: preference, threads: options.threads)
    for index in graph.nodes.indices { pass.rewrite(index) }
    func new(_ node: Int) -> Int {
      let index = pass.node(node, .channelsFirst)
      return EngineGraph.root(index, pass.nodes)
    }
    let outputs = graph.outputs.map { ($0.name, new($0.node)) }
    let updates = graph.updates.map { (new($0.leaf), new($0.node)) }
    return EngineGraph(nodes: pass.nodes, outputs: outputs, updates: updates)
  }

  private init(old: EngineGraph, preference: Arrangement, threads: Int) {
    self.old = old
    self.preference = preference
    self.threads = threads
  }

  /// Blocks of channels if oneDNN has code of its own in that arrangement for all convolutions but
  /// a fiftieth of the work, else channels last.
  private static func preferred(_ graph: EngineGraph, _ threads: Int) -> Arrangement {
    var known: [EngineConvolution: Bool] = [:]
    var (work, rest) = (0, 0)
    for case .convolution(let convolution) in graph.nodes.lazy.map(\.kind) {
      let isBlocked =
        known[convolution]
        ?? (convolution.hasBlocks
          && convolution.candidates(.channelsBlocked)[0].quality(threads) == .own)
      known[convolution] = isBlocked
      work += convolution.work
      if !isBlocked { rest += convolution.work }
    }
    return rest * 50 <= work ? .channelsBlocked : .channelsLast
  }

  // MARK: nodes

  private mutating func append(
    _ kind: EngineNode.Kind, _ operands: [Int], _ shape: Shape, _ like: EngineNode
  ) -> Int {
    nodes.append(EngineNode(kind: kind, operands: operands, shape: shape, origin: like.origin))
    return nodes.count - 1
  }

  /// The new node that holds an old node's value in an arrangement.
  private mutating func node(_ index: Int, _ arrangement: Arrangement) -> Int {
    let node = old.nodes[index]
    let wanted = node.shape.count > 2 ? arrangement : .channelsFirst
    if let known = made[Place(node: index, arrangement: wanted)] { return known }
    let result: Int
    if node.constant != nil {
      result = append(node.kind, [], wanted.memory(node.shape), node)
    } else if case .broadcast(let axes) = node.kind, let lazy = broadcast(node, axes, wanted) {
      result = lazy
    } else {
      let from = home[index]
      if from == .channelsFirst {
        result = rearranged(self.node(index, from), node, wanted, back: false)
      } else if wanted == .channelsFirst {
        let own = made[Place(node: index, arrangement: from)]!
        result = rearranged(own, node, from, back: true)
      } else {
        result = rearranged(self.node(index, .channelsFirst), node, wanted, back: false)
      }
    }
    made[Place(node: index, arrangement: wanted)] = result
    return result
  }

  private mutating func rewrite(_ index: Int) {
    let node = old.nodes[index]
    home.append(.channelsFirst)
    switch node.kind {
    case .broadcast: return  // made where it is read
    case .convolution(let convolution): rewrite(index, convolution)
    case .map:
      home[index] = node.operands.map { shaped($0, node) }.first { $0 != .channelsFirst }
        ?? .channelsFirst
      let operands = node.operands.map { self.node($0, home[index]) }
      keep(append(node.kind, operands, home[index].memory(node.shape), node), index)
    case .reduce(let maximum, let axes): rewrite(index, maximum, axes)
    case .alias where old.nodes[node.operands[0]].shape == node.shape:
      let operand = node.operands[0]
      home[index] = home[operand]
      keep(self.node(operand, home[index]), index)
    default:
      // What moves or pools elements stays in the arrangement of an operand, if it can.
      let own = node.operands.map { home[$0] }.first { $0 != .channelsFirst }
      let moved = own.flatMap { $0.kind(of: node, old) }
      home[index] = moved == nil ? .channelsFirst : own!
      let operands = node.operands.map { self.node($0, home[index]) }
      keep(append(moved ?? node.kind, operands, home[index].memory(node.shape), node), index)
    }
  }

  private mutating func keep(_ new: Int, _ index: Int) {
    made[Place(node: index, arrangement: home[index])] = new
  }

  /// The arrangement of an operand if it has the shape of its reader.
  private func shaped(_ operand: Int, _ node: EngineNode) -> Arrangement {
    old.nodes[operand].shape == node.shape ? home[operand] : .channelsFirst
  }

  private mutating func rewrite(_ index: Int, _ convolution: EngineConvolution) {
    let node = old.nodes[index]
    let chosen = convolution.arranged(preference, threads)
    let (x, y) = (chosen.xArrangement, chosen.yArrangement)
    let operands: [Int]
    switch chosen.form {
    case .forward:
      operands = [self.node(node.operands[0], x), self.node(node.operands[1], .channelsFirst)]
      home[index] = y
    case .data:
      operands = [self.node(node.operands[0], y), self.node(node.operands[1], .channelsFirst)]
      home[index] = x
    case .weights: operands = [self.node(node.operands[0], x), self.node(node.operands[1], y)]
    }
    keep(append(.convolution(chosen), operands, home[index].memory(node.shape), node), index)
  }

  private mutating func rewrite(_ index: Int, _ maximum: Bool, _ axes: [Int]) {
    let node = old.nodes[index]
    let operand = node.operands[0]
    let shape = old.nodes[operand].shape
    var from = home[operand]
    let kept = shape.indices.filter { !axes.contains($0) }
    if !from.keepsOrder(kept, of: shape) { from = .channelsFirst }
    let reduced = from.axes(axes, of: shape)
    let memory = from.memory(shape)
    let result = append(
      .reduce(maximum: maximum, axes: reduced), [self.node(operand, from)],
      memory.removing(axes: reduced), node)
    let same = nodes[result].shape == node.shape
    keep(same ? result : append(.alias, [result], node.shape, node), index)
  }

  /// A broadcast as it would lie in an arrangement; nil if its axes change their order there.
  private mutating func broadcast(
    _ node: EngineNode, _ axes: [Int], _ arrangement: Arrangement
  ) -> Int? {
    let shape = node.shape
    if !arrangement.keepsOrder(axes, of: shape) { return nil }
    let source = self.node(node.operands[0], .channelsFirst)
    if arrangement == .channelsFirst {
      return append(.broadcast(axes: axes), [source], shape, node)
    }
    let memory = arrangement.memory(shape)
    let targets = arrangement.axes(axes.filter { shape[$0] != 1 }, of: shape).sorted()
    let alias = append(.alias, [source], targets.map { memory[$0] }, node)
    return append(.broadcast(axes: targets), [alias], memory, node)
  }

  /// From row-major order to an arrangement, or back.
  private mutating func rearranged(
    _ index: Int, _ node: EngineNode, _ arrangement: Arrangement, back: Bool
  ) -> Int {
    let shape = node.shape
    let permutation = arrangement.permutation(shape.count)
    let split = arrangement.split(shape)
    if back {
      var inverse = permutation
      for (result, operand) in permutation.enumerated() { inverse[operand] = result }
      let turned = turned(index, inverse, split, node)
      return split == shape ? turned : append(.alias, [turned], shape, node)
    }
    let parted = split == shape ? index : append(.alias, [index], split, node)
    return turned(parted, permutation, arrangement.memory(shape), node)
  }

  private mutating func turned(
    _ index: Int, _ permutation: [Int], _ shape: Shape, _ node: EngineNode
  ) -> Int {
    let from = nodes[index].shape
    let moved = permutation.filter { from[$0] != 1 }
    let kind: EngineNode.Kind = moved == moved.sorted() ? .alias : .transpose(permutation)
    return append(kind, [index], shape, node)
  }
}
