import CKernels
import Tensors

/// The iteration space of element-wise work, rows × columns, in row-major order.
struct Space: Equatable {
  var rows: Int
  var columns: Int
}

/// How an operand is read by element-wise work: whose storage, laid how over the space. The space
/// is nil where any division into rows and columns will do.
struct Access {
  var layout: lgc_layout
  var root: Int
  var space: Space?
}

/// What a reduction keeps of the space it runs over.
struct Keeping {
  var kept: lgc_kept
  var space: Space?
}

extension EngineNode {
  /// How a broadcast of this shape along other axes lies in the flattened result; nil if the
  /// operand is neither whole rows nor whole columns (`[n, c]` to `[n, h, c]`).
  func broadcastLayout(axes: [Int]) -> (layout: lgc_layout, space: Space?)? {
    let wide = shape.indices.filter { shape[$0] != 1 }
    let kept = axes.filter { shape[$0] != 1 }
    let inner = kept.reduce(1) { $0 * shape[$1] }
    if kept.isEmpty { return (LGC_SCALAR, nil) }
    if kept == Array(wide.suffix(kept.count)) {
      return (LGC_ROW, Space(rows: count / inner, columns: inner))
    }
    if kept == Array(wide.prefix(kept.count)) {
      return (LGC_COLUMN, Space(rows: inner, columns: count / inner))
    }
    return nil
  }

  /// How a reduction of a tensor of this shape runs over its rows and columns; nil for axes in the
  /// middle.
  func keeping(reducing axes: [Int]) -> Keeping? {
    let wide = shape.indices.filter { shape[$0] != 1 }
    let reduced = axes.filter { shape[$0] != 1 }
    let inner = reduced.reduce(1) { $0 * shape[$1] }
    if reduced == wide { return Keeping(kept: LGC_KEEP_NONE, space: nil) }
    if reduced == Array(wide.prefix(reduced.count)) {
      return Keeping(
        kept: LGC_KEEP_COLUMNS, space: Space(rows: inner, columns: count / inner))
    }
    if reduced == Array(wide.suffix(reduced.count)) {
      return Keeping(kept: LGC_KEEP_ROWS, space: Space(rows: count / inner, columns: inner))
    }
    return nil
  }
}

/// Which nodes are computed into storage, what each reads, and who reads it.
struct Reads {
  let graph: EngineGraph
  /// Broadcasts that some reader cannot read in place and that are therefore written out.
  private(set) var materialized: [Bool]
  /// Node → storage nodes that it reads, without repetition; empty for what is not computed.
  private(set) var sources: [[Int]] = []
  /// Storage node → computed nodes that read it, ascending.
  private(set) var readers: [[Int]] = []

  init(_ graph: EngineGraph) {
    self.graph = graph
    materialized = [Bool](repeating: false, count: graph.nodes.count)
    materialize()
    sources = graph.nodes.indices.map { index in
      guard isComputed(index) else { return [] }
      var found: [Int] = []
      for operand in graph.nodes[index].operands {
        let root = source(operand, readBy: index)
        if !found.contains(root) { found.append(root) }
      }
      return found
    }
    readers = [[Int]](repeating: [], count: graph.nodes.count)
    for index in graph.nodes.indices {
      for source in sources[index] { readers[source].append(index) }
    }
  }

  private func node(_ index: Int) -> EngineNode { graph.nodes[index] }

  /// Whether some step computes this node: not leaves, aliases and broadcasts read in place.
  func isComputed(_ index: Int) -> Bool {
    let node = node(index)
    return !node.isLeaf && !node.isAlias && !(node.isBroadcast && !materialized[index])
  }

  /// Whether element-wise loops compute this node.
  func isLooped(_ index: Int) -> Bool {
    node(index).isMap || keeping(index) != nil
  }

  func keeping(_ index: Int) -> Keeping? {
    guard case .reduce(_, let axes) = node(index).kind else { return nil }
    return node(node(index).operands[0]).keeping(reducing: axes)
  }

  /// The storage node that `reader` reads for an operand.
  func source(_ operand: Int, readBy reader: Int) -> Int {
    if isLooped(reader), let access = access(operand) { return access.root }
    let root = graph.root(operand)
    return isComputed(root) || node(root).isLeaf ? root : number(root)!
  }

  /// The one number that a value repeats, however often it was broadcast.
  private func number(_ index: Int) -> Int? {
    let root = graph.root(index)
    if node(root).count == 1 { return root }
    return node(root).isBroadcast ? number(node(root).operands[0]) : nil
  }

  /// How element-wise work reads an operand; nil if it cannot.
  func access(_ operand: Int) -> Access? {
    let root = graph.root(operand)
    if node(root).constant != nil { return Access(layout: LGC_SCALAR, root: root) }
    guard case .broadcast(let axes) = node(root).kind, !materialized[root] else {
      return Access(layout: LGC_FULL, root: root)
    }
    if let number = number(root) { return Access(layout: LGC_SCALAR, root: number) }
    let source = graph.root(node(root).operands[0])
    if node(source).isBroadcast && !materialized[source] { return nil }
    guard let (layout, space) = node(root).broadcastLayout(axes: axes) else { return nil }
    return Access(layout: layout, root: source, space: space)
  }

  /// The division into rows and columns that a looped node needs, nil for none.
  func space(_ index: Int) -> Space? {
    if let space = keeping(index)?.space { return space }
    for operand in node(index).operands {
      if let space = access(operand)?.space { return space }
    }
    return nil
  }

  /// Elements that a looped node runs over.
  func extent(_ index: Int) -> Int {
    node(index).isReduction ? node(node(index).operands[0]).count : node(index).count
  }

  private mutating func materialize() {
    for index in graph.nodes.indices {
      // Operands stand before their reader, so what they can be read as is known here. Of two
      // divisions into rows and columns the first stays. An alias leaves it to its readers.
      let node = node(index)
      var space = keeping(index)?.space
      for operand in node.isAlias ? [] : node.operands {
        let root = graph.root(operand)
        guard self.node(root).isBroadcast, !materialized[root] else { continue }
        guard let access = access(operand), isLooped(index) || node.isBroadcast else {
          materialized[root] = true
          continue
        }
        if access.layout == LGC_SCALAR { continue }
        if space == nil { space = access.space }
        if node.isBroadcast || access.space != space { materialized[root] = true }
      }
      if node.isBroadcast, access(index) == nil { materialized[index] = true }
    }
  }
}
