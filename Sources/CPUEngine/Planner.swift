import CKernels
import Tensors

/// Turns a program into a plan.
///
/// The stages: nodes without aliases and dead code (`EngineGraph`), what reads what and how
/// (`Reads`), what must run before what (`Precedence`), which nodes share a step (`Grouping`), the
/// order, the steps themselves, and last the memory, when every lifetime is known.
final class Planner {
  /// Where a node's value is: in one buffer, or as parts that its reader adds.
  enum Storage {
    case whole(Int)
    case parts([Int])
  }

  let graph: EngineGraph
  let reads: Reads
  let precedence: Precedence
  let grouping: Grouping
  let options: PlanOptions
  private(set) var plan: Plan
  private(set) var storage: [Int: Storage] = [:]
  /// Weights in the form of a convolution that reads them, by node.
  var packed: [Int: [PackedWeight]] = [:]
  private var outputBuffers: [Int: Int] = [:]
  /// Values of updates that could not be computed in the state's place.
  private var lateCopies: [(from: Int, to: Int)] = []
  /// Storage nodes whose last reader is the group being planned.
  private(set) var dying: [Int] = []
  private let required: Set<Int>

  static func plan(_ program: Program, _ options: PlanOptions) throws(EngineError) -> Plan {
    let planner = Planner(
      program.name, ArrangedGraph.arranged(try EngineGraph(program), options), options)
    try planner.run()
    return planner.plan
  }

  private init(_ name: String, _ graph: EngineGraph, _ options: PlanOptions) {
    self.graph = graph
    self.options = options
    reads = Reads(graph)
    precedence = Precedence(reads, inPlace: options.inPlace)
    grouping = Grouping(reads, precedence, options)
    plan = Plan(name: name)
    required = Set(graph.outputs.map(\.node) + graph.updates.map(\.node))
  }

  private func run() throws(EngineError) {
    addLeaves()
    addOutputs()
    let schedule = grouping.schedule()
    let lastReads = lastReads(schedule)
    for (position, key) in schedule.enumerated() {
      dying = lastReads[position]
      let group = grouping.groups[key]!
      let first = plan.steps.count
      defer { name(group, from: first) }
      switch group.kind {
      case .loop: planLoop(key, group)
      case .product(let tail):
        if case .convolution(let convolution) = graph.nodes[key].kind {
          try planConvolution(key, convolution, tail)
        } else {
          planProduct(key, tail)
        }
      case .array: try planArray(key)
      case .window(let pooled): try planWindow(key, pooled: pooled)
      }
    }
    for (leaf, node) in graph.updates where !isState(buffer(node), leaf) {
      lateCopies.append((buffer(node), buffer(leaf)))
    }
    for copy in lateCopies {
      let count = plan.buffers[copy.to].count
      let walk = StridedWalk(extents: [count], to: [1], from: [1])
      add(.copy(PlannedCopy(to: copy.to, from: copy.from, walk: walk)), "copy \(count)", nil)
    }
    plan.updatedStates = Set(graph.updates.map { graph.nodes[$0.leaf].stateName })
    if options.preparation, !plan.inputs.isEmpty { plan.separatePreparation() }
    plan.placeBuffers(reuse: options.reuse)
  }

  private func isState(_ buffer: Int, _ leaf: Int) -> Bool {
    if case .whole(buffer) = storage[leaf] { true } else { false }
  }

  // MARK: buffers

  func newBuffer(_ count: Int, _ place: Buffer.Place = .arena) -> Int {
    plan.buffers.append(Buffer(count: count, place: place))
    return plan.buffers.count - 1
  }

  private func addLeaves() {
    for (index, node) in graph.nodes.enumerated() {
      switch node.kind {
      case .input(let name):
        plan.inputs[name] = newBuffer(node.count, .kept)
        storage[index] = .whole(plan.inputs[name]!)
      case .state(let name): storage[index] = .whole(newBuffer(node.count, .state(name)))
      default: break
      }
    }
  }

  private func addOutputs() {
    for (name, node) in graph.outputs {
      if graph.nodes[node].constant != nil {
        plan.outputs[name] = buffer(node)
      } else {
        let buffer = outputBuffers[node] ?? newBuffer(graph.nodes[node].count, .kept)
        outputBuffers[node] = buffer
        plan.outputs[name] = buffer
      }
    }
  }

  /// The buffer that holds a node's value whole; parts are added by a step of their own.
  func buffer(_ node: Int) -> Int {
    switch storage[node] {
    case .whole(let buffer): return buffer
    case .parts(let parts):
      let sum = newBuffer(graph.nodes[node].count)
      planSum(parts, into: sum, graph.nodes[node])
      storage[node] = .whole(sum)
      return sum
    case nil: return constantBuffer(node)
    }
  }

  private func constantBuffer(_ node: Int) -> Int {
    let buffer = newBuffer(graph.nodes[node].count, .kept)
    switch graph.nodes[node].kind {
    case .constant(let number): plan.constants.append((buffer, .one(number)))
    case .iota(let axis):
      plan.constants.append((buffer, .iota(shape: graph.nodes[node].shape, axis: axis)))
    default: preconditionFailure("lgc's own bug: node \(node) is read before it is computed")
    }
    storage[node] = .whole(buffer)
    return buffer
  }

  /// The buffer for a step's result: the state that it replaces, if no operand is read from
  /// there; the output; or a new one.
  func resultBuffer(_ node: Int, reading operands: [Int]) -> Int {
    let result: Int
    if let leaf = precedence.writes[node], !operands.contains(buffer(leaf)) {
      result = buffer(leaf)
    } else {
      result = outputBuffers[node] ?? newBuffer(graph.nodes[node].count)
    }
    storage[node] = .whole(result)
    return result
  }

  func setStorage(_ node: Int, _ value: Storage) { storage[node] = value }

  // MARK: steps

  /// Notes whom the steps of a group are for.
  private func name(_ group: Group, from first: Int) {
    var layers: [String] = []
    for member in group.members {
      guard let layer = graph.nodes[member].origin?.name, !layers.contains(layer) else { continue }
      layers.append(layer)
    }
    for step in first..<plan.steps.count { plan.steps[step].layers = layers }
  }

  func add(_ work: PlannedStep.Work, _ label: String, _ origin: Origin?) {
    plan.steps.append(PlannedStep(work: work, label: label, origin: origin))
  }

  /// Whether a node's value is read outside its group, at the end of the program or later.
  func escapes(_ node: Int) -> Bool {
    required.contains(node)
      || reads.readers[node].contains { grouping.groupOf[$0] != grouping.groupOf[node] }
  }

  func isRequired(_ node: Int) -> Bool { required.contains(node) }

  /// Position in the schedule → storage nodes that are read there for the last time.
  private func lastReads(_ schedule: [Int]) -> [[Int]] {
    var last: [Int: Int] = [:]
    for (position, key) in schedule.enumerated() {
      for member in grouping.groups[key]!.members {
        for source in reads.sources[member] { last[source] = position }
      }
    }
    var result = [[Int]](repeating: [], count: schedule.count)
    for (node, position) in last where !graph.nodes[node].isLeaf && !required.contains(node) {
      result[position].append(node)
    }
    return result.map { $0.sorted() }
  }
}
