import CKernels

/// Nodes that one step computes.
struct Group {
  enum Kind {
    /// One pass of element-wise work and reductions.
    case loop
    /// A matrix product or a convolution with what its result passes through.
    case product(ProductTail)
    /// Pooling; of an `argument`, the node that gathers at its positions in the same pass.
    case window(pooled: Int?)
    /// One node that moves or folds an array, or random numbers.
    case array
  }
  var kind: Kind
  /// By rank.
  var members: [Int]
  /// The division into rows and columns that a loop's members share.
  var space: Space?
  /// Elements that a loop runs over.
  var extent = 0
}

/// What follows a matrix product before its result is stored: `relu(a·b + bias)`.
struct ProductTail {
  var result: Int
  var bias: Int?
  var relu = false
}

/// Divides the computed nodes of a program into groups.
struct Grouping {
  private(set) var groups: [Int: Group] = [:]
  /// Node → key of its group, −1 for what is not computed.
  private(set) var groupOf: [Int]

  /// Group keys in an order that respects precedence, with −1 where a group was merged away.
  private var line: [Int] = []
  private var position: [Int: Int] = [:]
  private let reads: Reads
  private let precedence: Precedence
  private let required: Set<Int>
  private var graph: EngineGraph { reads.graph }

  init(_ reads: Reads, _ precedence: Precedence, _ options: PlanOptions) {
    self.reads = reads
    self.precedence = precedence
    required = Set(reads.graph.outputs.map(\.node) + reads.graph.updates.map(\.node))
    groupOf = [Int](repeating: -1, count: reads.graph.nodes.count)
    let order = reads.graph.nodes.indices.filter { reads.isComputed($0) }
      .sorted { precedence.rank[$0] < precedence.rank[$1] }
    // Products take their tails before element-wise groups can.
    for index in order {
      if graph.nodes[index].isContraction { addProduct(index, options) }
    }
    for index in order {
      guard case .window = graph.nodes[index].kind, groupOf[index] < 0 else { continue }
      addWindow(index, options)
    }
    for index in order {
      switch groups[index]?.kind {
      case .product, .window: place(index)
      default: break
      }
      guard groupOf[index] < 0 else { continue }
      groupOf[index] = index
      place(index)
      guard reads.isLooped(index) else {
        groups[index] = Group(kind: .array, members: [index])
        continue
      }
      groups[index] = Group(
        kind: .loop, members: [index], space: reads.space(index), extent: reads.extent(index))
      if options.fusion { fuse(index) }
    }
  }

  /// Keys of the groups that must run before a group.
  func groupsBefore(_ key: Int) -> Set<Int> {
    var result = Set<Int>()
    for member in groups[key]!.members {
      for index in precedence.before[member] where groupOf[index] != key {
        result.insert(groupOf[index])
      }
    }
    return result
  }

  /// The only reader of a node, if nothing else needs its value.
  private func onlyReader(_ index: Int) -> Int? {
    reads.readers[index].count == 1 && !required.contains(index) ? reads.readers[index][0] : nil
  }

  private mutating func addProduct(_ index: Int, _ options: PlanOptions) {
    var tail = ProductTail(result: index)
    var members = [index]
    // The group runs where the product stands, so a tail may wait for nothing that comes later.
    func follows(_ reader: Int) -> Bool {
      precedence.before[reader].allSatisfy {
        members.contains($0) || precedence.rank[$0] < precedence.rank[index]
      }
    }
    if options.fusion, graph.nodes[index].takesTail {
      if let reader = onlyReader(index), follows(reader),
        let bias = biasAdded(by: reader, to: index)
      {
        tail.bias = bias
        tail.result = reader
        members.append(reader)
      }
      if let reader = onlyReader(tail.result), follows(reader),
        graph.nodes[reader].isMap(LGC_RELU)
      {
        tail.relu = true
        tail.result = reader
        members.append(reader)
      }
    }
    groups[index] = Group(kind: .product(tail), members: members)
    for member in members { groupOf[member] = index }
  }

  /// Max pooling is gather(argument(x), x): one pass over x finds the largest and where it is.
  private mutating func addWindow(_ index: Int, _ options: PlanOptions) {
    var members = [index]
    if case .window(let window, _) = graph.nodes[index].kind, window.form == .argument,
      options.fusion, let x = reads.sources[index].first
    {
      let pooled = reads.readers[index].first { reader in
        // The pair runs where `index` stands, so the reader may wait for nothing that comes later.
        graph.nodes[reader].isGather(along: window.axes, at: index, of: x, in: graph)
          && precedence.before[reader].allSatisfy {
            $0 == index || precedence.rank[$0] < precedence.rank[index]
          }
      }
      if let pooled { members.append(pooled) }
    }
    groups[index] = Group(
      kind: .window(pooled: members.count > 1 ? members[1] : nil), members: members)
    for member in members { groupOf[member] = index }
  }

  /// The storage of the other operand, if `index` adds one number per column to the product, or one
  /// per channel to the convolution.
  private func biasAdded(by index: Int, to product: Int) -> Int? {
    guard graph.nodes[index].isMap(LGC_ADD) else { return nil }
    if case .convolution(let convolution) = graph.nodes[product].kind {
      return channelBias(index, product, convolution)
    }
    let accesses = graph.nodes[index].operands.map { reads.access($0)! }
    guard let bias = accesses.first(where: { $0.root != product }), bias.layout == LGC_ROW,
      bias.space?.columns == graph.nodes[product].shape[1]
    else { return nil }
    return bias.root
  }

  private func channelBias(
    _ index: Int, _ product: Int, _ convolution: EngineConvolution
  ) -> Int? {
    let roots = graph.nodes[index].operands.map { graph.root($0) }
    guard let other = roots.first(where: { $0 != product }),
      case .broadcast(convolution.yArrangement.channelAxes(graph.nodes[other].shape.count)) =
        graph.nodes[other].kind
    else { return nil }
    let bias = graph.root(graph.nodes[other].operands[0])
    let isStored = reads.isComputed(bias) || graph.nodes[bias].isLeaf
    return isStored && graph.nodes[bias].count == convolution.outputs ? bias : nil
  }

  // MARK: fusion

  /// Merges the group of a node with the groups that it reads from, and with those that read the
  /// same large tensor, as long as the step graph stays free of cycles.
  private mutating func fuse(_ index: Int) {
    var candidates = Set<Int>()
    let extent = reads.extent(index)
    for operand in graph.nodes[index].operands {
      guard let access = reads.access(operand), access.layout == LGC_FULL else { continue }
      if groupOf[access.root] >= 0 { candidates.insert(groupOf[access.root]) }
      guard graph.nodes[index].isMap, extent > Grouping.sharedReadExtent else { continue }
      for reader in reads.readers[access.root] where groupOf[reader] >= 0 {
        candidates.insert(groupOf[reader])
      }
    }
    for candidate in candidates.sorted() where candidate != groupOf[index] {
      let key = groupOf[index]
      guard let group = groups[candidate], case .loop = group.kind, fits(candidate, key) else {
        continue
      }
      merge(key, candidate)
    }
  }

  /// Below this, a second pass over a tensor costs less than a longer loop.
  private static let sharedReadExtent = 4096

  private func fits(_ a: Int, _ b: Int) -> Bool {
    let (first, second) = (groups[a]!, groups[b]!)
    guard first.extent == second.extent else { return false }
    if let space = first.space, let other = second.space, space != other { return false }
    let members = first.members + second.members
    let width = members.reduce(1) { max($0, graph.nodes[$1].pairWidth) }
    if let space = first.space ?? second.space, space.columns % width != 0 { return false }
    return withinLimits(members) && !readsOwnReduction(members)
  }

  /// Limits of the kernels, with room for the parts of divided products and for temporaries.
  private func withinLimits(_ members: [Int]) -> Bool {
    guard members.filter({ graph.nodes[$0].isReduction }).count <= Int(LGC_MAX_REDUCTIONS) else {
      return false
    }
    var operands = Set<Int>()
    for member in members { operands.formUnion(reads.sources[member]) }
    return operands.count + members.count <= Int(LGC_MAX_OPERANDS) - 2 * PlanOptions.maximumParts
  }

  /// A reduction is known only when the whole loop has run.
  private func readsOwnReduction(_ members: [Int]) -> Bool {
    let reductions = Set(members.filter { graph.nodes[$0].isReduction })
    return members.contains { !reductions.isDisjoint(with: reads.sources[$0]) }
  }

  private mutating func place(_ key: Int) {
    position[key] = line.count
    line.append(key)
  }

  /// The groups between `first` and `last` in line that `last` needs; nil if one of them needs
  /// `first`, which would close a cycle if the two became one.
  private func needed(by last: Int, after first: Int) -> Set<Int>? {
    let lowest = position[first]!
    var seen = groupsBefore(last).filter { position[$0]! > lowest }
    var stack = Array(seen)
    while let key = stack.popLast() {
      for next in groupsBefore(key) {
        if next == first { return nil }
        if position[next]! > lowest, seen.insert(next).inserted { stack.append(next) }
      }
    }
    return seen
  }

  /// Makes two groups one, if no third stands between them. What the later one needs moves before
  /// the merged group in line; the rest keeps its order behind it.
  private mutating func merge(_ a: Int, _ b: Int) {
    let (first, last) = position[a]! < position[b]! ? (a, b) : (b, a)
    guard let moved = needed(by: last, after: first) else { return }
    let between = line[(position[first]! + 1)..<position[last]!].filter { $0 >= 0 }
    let region = between.filter { moved.contains($0) } + [first]
      + between.filter { !moved.contains($0) }
    var slot = position[first]!
    line.replaceSubrange(
      slot...position[last]!,
      with: region + [Int](repeating: -1, count: position[last]! - slot + 1 - region.count))
    for key in region {
      position[key] = slot
      slot += 1
    }
    let group = groups.removeValue(forKey: last)!
    position[last] = nil
    for member in group.members { groupOf[member] = first }
    groups[first]!.members = (groups[first]!.members + group.members)
      .sorted { precedence.rank[$0] < precedence.rank[$1] }
    groups[first]!.space = groups[first]!.space ?? group.space
  }

  // MARK: schedule

  /// Group keys in running order: what replaces state as early as it may, since its operands are
  /// still in cache; otherwise in the order of the program.
  func schedule() -> [Int] {
    var waiting: [Int: Int] = [:]
    var after: [Int: [Int]] = [:]
    var ready: [Int] = []
    for key in groups.keys.sorted() {
      let before = groupsBefore(key)
      waiting[key] = before.count
      for other in before { after[other, default: []].append(key) }
      if before.isEmpty { ready.append(key) }
    }
    var order: [Int] = []
    func priority(_ key: Int) -> (Int, Int) {
      let members = groups[key]!.members
      let writes = members.contains { precedence.writes[$0] != nil }
      return (writes ? 0 : 1, precedence.rank[members[0]])
    }
    while let position = ready.indices.min(by: { priority(ready[$0]) < priority(ready[$1]) }) {
      let key = ready.remove(at: position)
      order.append(key)
      for next in after[key] ?? [] {
        waiting[next]! -= 1
        if waiting[next] == 0 { ready.append(next) }
      }
    }
    precondition(order.count == groups.count, "lgc's own bug: a cycle between steps")
    return order
  }
}
