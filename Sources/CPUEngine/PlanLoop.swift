import CKernels
import Tensors

extension Planner {
  func planLoop(_ key: Int, _ group: Group) {
    var adam = adamUpdates(group)
    var items = LoopItems(self, group, adam: adam)
    // Adam writes three states at once: an item behind it must not need the old ones, nor one
    // before it the new.
    while let unfit = unfit(items) {
      adam[unfit] = nil
      items = LoopItems(self, group, adam: adam)
    }
    let space = group.space ?? Space(rows: 1, columns: group.extent)
    var writer = LoopWriter(self, items, space)
    writer.write()
    add(.loop(writer.loop), writer.label, graph.nodes[key].origin)
  }

  private func adamUpdates(_ group: Group) -> [Int: AdamUpdate] {
    guard options.adam, options.fusion else { return [:] }
    let matcher = AdamMatcher(self, group)
    var found: [Int: AdamUpdate] = [:]
    for member in group.members { found[member] = matcher.match(member) }
    return found
  }

  private func unfit(_ items: LoopItems) -> Int? {
    for (position, item) in items.items.enumerated() {
      guard let adam = item.adam else { continue }
      let states = [adam.parameter, adam.first, adam.second].map { buffer($0) }
      if states.contains(where: { items.lastRead[$0] ?? -1 > position }) { return item.result }
      let new = [LoopItems.Source.value(adam.newFirst), .value(adam.newSecond)]
      if items.items[..<position].contains(where: { !Set($0.sources).isDisjoint(with: new) }) {
        return item.result
      }
    }
    return nil
  }

  /// A loop that adds the parts of a product.
  func planSum(_ parts: [Int], into buffer: Int, _ node: EngineNode) {
    var loop = PlannedLoop(space: Space(rows: 1, columns: node.count))
    for part in parts + [buffer] {
      loop.operands.append(.init(layout: LGC_FULL, base: .buffer(part)))
    }
    for part in 1..<parts.count {
      var instruction = lgc_instruction()
      instruction.operation = LGC_ADD.rawValue
      instruction.d = Int16(parts.count)
      instruction.a = Int16(part == 1 ? 0 : parts.count)
      instruction.b = Int16(part)
      loop.instructions.append(instruction)
    }
    add(.loop(loop), "loop 1×\(node.count): add \(parts.count) parts", node.origin)
  }
}

/// Gives the items of a loop their tiles and memory.
struct LoopWriter {
  private(set) var loop: PlannedLoop
  private let planner: Planner
  private let items: LoopItems
  /// Value → operand that holds it.
  private var slots: [Int: Int] = [:]
  private var operands: [LoopItems.Source: Int] = [:]
  private var freeTiles: [Int] = []
  /// Buffers of dying values that an item already writes.
  private var taken: Set<Int> = []

  init(_ planner: Planner, _ items: LoopItems, _ space: Space) {
    self.planner = planner
    self.items = items
    loop = PlannedLoop(space: space)
  }

  var label: String {
    let names = items.items.map { $0.operation.name } + items.folds.map(\.name)
    let shown = names.prefix(8).joined(separator: " ")
    return "loop \(loop.space.rows)×\(loop.space.columns): \(shown)"
      + (names.count > 8 ? " … \(names.count)" : "")
  }

  mutating func write() {
    for (position, item) in items.items.enumerated() {
      if let adam = item.adam { write(item, adam) } else { write(item, at: position) }
    }
    for fold in items.folds { write(fold) }
  }

  // MARK: operands

  private mutating func add(
    _ layout: lgc_layout, _ base: PlannedLoop.Base, _ cells: Cells = .none
  ) -> Int {
    loop.operands.append(.init(layout: layout, base: base, cells: cells))
    return loop.operands.count - 1
  }

  private mutating func operand(_ source: LoopItems.Source) -> Int {
    if case .value(let node) = source { return slots[node]! }
    if let known = operands[source] { return known }
    let made =
      switch source {
      case .memory(let layout, let buffer, let cells): add(layout, .buffer(buffer), cells)
      case .constant(let number): add(LGC_SCALAR, .constant(number))
      case .value: preconditionFailure("handled above")
      }
    operands[source] = made
    return made
  }

  private mutating func emit(
    _ operation: lgc_operation, _ d: Int, _ sources: [Int], more: [Int16] = []
  ) {
    var instruction = lgc_instruction()
    instruction.operation = operation.rawValue
    instruction.d = Int16(d)
    instruction.a = Int16(sources[0])
    instruction.b = Int16(sources.count > 1 ? sources[1] : sources[0])
    instruction.c = Int16(sources.count > 2 ? sources[2] : sources[0])
    withUnsafeMutableBytes(of: &instruction.more) { bytes in
      _ = bytes.bindMemory(to: Int16.self).update(fromContentsOf: more)
    }
    loop.instructions.append(instruction)
  }

  // MARK: items

  private mutating func write(_ item: LoopItems.Item, at position: Int) {
    let sources = item.sources.map { operand($0) }
    releaseTiles(item, at: position)
    let target = slots[item.result] ?? target(for: item.result, at: position)
    slots[item.result] = target
    emit(item.operation, target, sources, more: item.more)
  }

  /// Tiles whose value this item reads last may take its result: operations read an element before
  /// they write it.
  private mutating func releaseTiles(_ item: LoopItems.Item, at position: Int) {
    for case .value(let node) in Set(item.sources) {
      guard items.lastUse[node] == position, node != item.result, let slot = slots[node],
        loop.operands[slot].layout == LGC_TEMPORARY
      else { continue }
      freeTiles.append(slot)
    }
  }

  private mutating func newTile() -> Int { add(LGC_TEMPORARY, .temporary) }

  /// The operand that an item writes: a tile, or memory if others need the value.
  private mutating func target(for node: Int, at position: Int) -> Int {
    // The sum of a divided product belongs to a node of another step.
    guard planner.graph.nodes[node].isMap, planner.escapes(node) else {
      return freeTiles.popLast() ?? newTile()
    }
    let buffer: Int
    if let leaf = planner.precedence.writes[node] {
      // Readers of the old state come first in rank, but one may have been taken into a later item.
      let state = planner.buffer(leaf)
      let isReadLater = items.lastRead[state] ?? -1 > position
      buffer = planner.resultBuffer(node, reading: isReadLater ? [state] : [])
    } else if !planner.isRequired(node), planner.options.inPlace,
      let dying = dyingBuffer(at: position)
    {
      taken.insert(dying)
      planner.setStorage(node, .whole(dying))
      buffer = dying
    } else {
      buffer = planner.resultBuffer(node, reading: [])
    }
    return operand(.memory(layout: LGC_FULL, buffer: buffer))
  }

  /// A buffer of this loop's extent whose value nothing reads after this item. What is as large as
  /// the loop is read element by element, so an item may write where it reads.
  private func dyingBuffer(at position: Int) -> Int? {
    for node in planner.dying {
      let buffers =
        switch planner.storage[node] {
        case .whole(let buffer): [buffer]
        case .parts(let parts): parts
        case nil: [Int]()
        }
      for buffer in buffers {
        let planned = planner.plan.buffers[buffer]
        guard planned.place == .arena, planned.count == loop.space.rows * loop.space.columns,
          !taken.contains(buffer), let last = items.lastRead[buffer], last <= position
        else { continue }
        return buffer
      }
    }
    return nil
  }

  private mutating func write(_ item: LoopItems.Item, _ adam: AdamUpdate) {
    let sources = item.sources.map { operand($0) }
    func state(_ leaf: Int) -> LoopItems.Source {
      .memory(layout: LGC_FULL, buffer: planner.buffer(leaf))
    }
    let p = operand(state(adam.parameter))
    let m = operand(state(adam.first))
    let v = operand(state(adam.second))
    emit(LGC_ADAM, p, [sources[0], m, v], more: sources.dropFirst().map { Int16($0) })
    let stored = [
      (item.result, adam.parameter, p), (adam.newFirst, adam.first, m),
      (adam.newSecond, adam.second, v),
    ]
    for (node, leaf, slot) in stored {
      slots[node] = slot
      planner.setStorage(node, .whole(planner.buffer(leaf)))
    }
  }

  // MARK: reductions

  private mutating func write(_ fold: LoopItems.Fold) {
    var source = operand(fold.source)
    // The kernels add what an instruction wrote or memory holds over the whole space.
    if loop.operands[source].layout != LGC_FULL, loop.operands[source].layout != LGC_TEMPORARY {
      let tile = newTile()
      emit(LGC_COPY, tile, [source])
      source = tile
    }
    // A number per row may be written while the loop runs, others are when it has ended.
    let buffers = fold.kept == LGC_KEEP_ROWS || fold.kept == LGC_KEEP_CELLS ? Array(items.lastRead.keys) : []
    let buffer = planner.resultBuffer(fold.node, reading: buffers)
    loop.reductions.append(
      .init(
        kept: fold.kept, maximum: fold.maximum, source: source, buffer: buffer,
        cells: fold.cells ?? .none))
  }
}

extension LoopItems.Fold {
  fileprivate var name: String {
    (maximum ? "maximum" : "sum") + kept.arrow
  }
}
