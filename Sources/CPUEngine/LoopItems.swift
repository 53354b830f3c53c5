import CKernels
import Tensors

/// A loop's work before registers and memory are given out.
struct LoopItems {
  enum Source: Hashable {
    /// Computed in this loop.
    case value(Int)
    case memory(layout: lgc_layout, buffer: Int, cells: Cells = .none)
    case constant(Float)
  }
  struct Item {
    var operation: lgc_operation
    /// The node whose value this is.
    var result: Int
    var sources: [Source]
    var adam: AdamUpdate?
    /// What the instruction needs beside its operands.
    var more: [Int16] = []
  }
  struct Fold {
    var node: Int
    var kept: lgc_kept
    var cells: Cells?
    var maximum: Bool
    var source: Source
  }

  private(set) var items: [Item] = []
  private(set) var folds: [Fold] = []
  /// Value → the item that reads it last; folds read after all items.
  private(set) var lastUse: [Int: Int] = [:]
  /// Buffer → the item that reads it last.
  private(set) var lastRead: [Int: Int] = [:]

  private let planner: Planner
  private let members: Set<Int>
  private var summed: Set<Int> = []

  /// Nodes of `patterns` are computed by the instruction of the pattern that they belong to.
  init(_ planner: Planner, _ group: Group, adam: [Int: AdamUpdate]) {
    self.planner = planner
    members = Set(group.members)
    var absorbed = Set(adam.values.flatMap(\.absorbed))
    let products =
      planner.options.fusion ? LoopItems.foldedProducts(planner, group, excluding: absorbed) : [:]
    absorbed.formUnion(products.values)
    for member in group.members where !absorbed.contains(member) {
      if let update = adam[member] {
        let sources = [source(update.gradient)] + update.scalars.map { scalar($0) }
        items.append(
          Item(operation: LGC_ADAM, result: member, sources: sources, adam: update))
      } else if let product = products[member] {
        appendProduct(member, product)
      } else {
        append(member)
      }
    }
    findLastReads()
  }

  private func node(_ index: Int) -> EngineNode { planner.graph.nodes[index] }

  private mutating func append(_ member: Int) {
    let node = node(member)
    switch node.kind {
    case .map(let operation):
      let sources = node.operands.map { source($0) }
      items.append(Item(operation: operation, result: member, sources: sources))
    case .exchange(let op):
      let sources = node.operands.map { source($0) }
      let more = [Int16(op.mask), node.pairedRows == nil ? 0 : 1]
      items.append(
        Item(operation: LGC_EXCHANGE, result: member, sources: sources, more: more))
    case .reduce(let maximum, _):
      let keeping = planner.reads.keeping(member)!
      folds.append(
        Fold(
          node: member, kept: keeping.kept, cells: keeping.cells, maximum: maximum,
          source: source(node.operands[0])))
    default: preconditionFailure("lgc's own bug: node \(member) in a loop")
    }
  }

  private mutating func source(_ operand: Int) -> Source {
    let access = planner.reads.access(operand)!
    if let number = node(access.root).constant { return .constant(number) }
    if access.layout == LGC_FULL {
      if members.contains(access.root) || summed.contains(access.root) {
        return .value(access.root)
      }
      if case .parts(let parts) = planner.storage[access.root] {
        return sum(parts, access.root)
      }
    }
    return .memory(
      layout: access.layout, buffer: planner.buffer(access.root), cells: access.cells ?? .none)
  }

  private mutating func scalar(_ scalar: AdamUpdate.Scalar) -> Source {
    switch scalar {
    case .operand(let operand): source(operand)
    case .one: .constant(1)
    }
  }

  private mutating func sum(_ parts: [Int], _ root: Int) -> Source {
    let parts = parts.map { Source.memory(layout: LGC_FULL, buffer: $0) }
    var total = parts[0]
    for part in parts.dropFirst() {
      items.append(Item(operation: LGC_ADD, result: root, sources: [total, part]))
      total = .value(root)
    }
    summed.insert(root)
    return total
  }

  private mutating func findLastReads() {
    func note(_ source: Source, _ position: Int) {
      switch source {
      case .value(let node): lastUse[node] = position
      case .memory(_, let buffer, _): lastRead[buffer] = position
      case .constant: break
      }
    }
    for (position, item) in items.enumerated() {
      for source in item.sources { note(source, position) }
    }
    for fold in folds { note(fold.source, .max) }
  }

  // MARK: a·b + c

  /// Sum or difference → the product that it takes in, which nothing else reads.
  private static func foldedProducts(
    _ planner: Planner, _ group: Group, excluding absorbed: Set<Int>
  ) -> [Int: Int] {
    let members = Set(group.members)
    var found: [Int: Int] = [:]
    for member in group.members where !absorbed.contains(member) {
      let node = planner.graph.nodes[member]
      guard node.isMap(LGC_ADD) || node.isMap(LGC_SUBTRACT) else { continue }
      let roots = node.operands.map { planner.reads.access($0)!.root }
      guard roots[0] != roots[1] else { continue }
      found[member] = roots.first { root in
        members.contains(root) && !absorbed.contains(root) && !planner.escapes(root)
          && planner.graph.nodes[root].isMap(LGC_MULTIPLY)
          && planner.reads.readers[root].count == 1
      }
    }
    return found
  }

  private mutating func appendProduct(_ member: Int, _ product: Int) {
    let operands = node(member).operands
    let productFirst = planner.reads.access(operands[0])!.root == product
    let other = source(operands[productFirst ? 1 : 0])
    let factors = node(product).operands.map { source($0) }
    let operation: lgc_operation =
      node(member).isMap(LGC_ADD)
      ? LGC_MULTIPLY_ADD : productFirst ? LGC_MULTIPLY_SUBTRACT : LGC_SUBTRACT_PRODUCT
    items.append(Item(operation: operation, result: member, sources: factors + [other]))
  }
}
