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
  var cells: Cells?
}

/// Which number of a smaller tensor belongs to an element (r, c) of a space: number
/// `((r / divisor) mod period)·width + c mod width`.
struct Cells: Hashable {
  var divisor: Int
  var period: Int
  var width: Int

  /// Nothing, a row or a column in the words of the kernels.
  static let none = Cells(divisor: 1, period: 1, width: 1)
  var value: lgc_cells {
    lgc_cells(divisor: Int64(divisor), period: Int64(period), width: Int64(width))
  }
}

/// What a reduction keeps of the space it runs over.
struct Keeping {
  var kept: lgc_kept
  var space: Space?
  var cells: Cells?
}

extension EngineNode {
  /// The division of this shape in which the numbers that `axes` count are cells: along the other
  /// axes they repeat. nil where they alternate more than twice (`[a, c]` of `[a, b, c, d]`), or
  /// where all or none repeat.
  private func cells(axes: [Int]) -> (space: Space, cells: Cells)? {
    // Runs of axes: repeated, counted, repeated, counted.
    var extents = [1, 1, 1, 1]
    var run = 0
    for axis in shape.indices where shape[axis] != 1 {
      let isCounted = axes.contains(axis)
      while run < 4, (run % 2 == 1) != isCounted { run += 1 }
      if run == 4 { return nil }
      extents[run] *= shape[axis]
    }
    guard extents[1] > 1, extents[2] > 1 else { return nil }
    if extents[3] == 1 || extents[3] == Int(LGC_LANE) {
      return (
        Space(rows: extents[0] * extents[1], columns: extents[2] * extents[3]),
        Cells(divisor: 1, period: extents[1], width: extents[3]))
    }
    return (
      Space(rows: extents[0] * extents[1] * extents[2], columns: extents[3]),
      Cells(divisor: extents[2], period: extents[1], width: extents[3]))
  }

  /// How a broadcast of this shape along other axes lies in the flattened result; nil if no
  /// division into rows and columns tells (`[n, h]` to `[n, c, h, w]`).
  func broadcastLayout(
    axes: [Int]
  ) -> (layout: lgc_layout, space: Space?, cells: Cells?)? {
    let wide = shape.indices.filter { shape[$0] != 1 }
    let kept = axes.filter { shape[$0] != 1 }
    let inner = kept.reduce(1) { $0 * shape[$1] }
    if kept.isEmpty { return (LGC_SCALAR, nil, nil) }
    if kept == Array(wide.suffix(kept.count)) {
      return (LGC_ROW, Space(rows: count / inner, columns: inner), nil)
    }
    if kept == Array(wide.prefix(kept.count)) {
      return (LGC_COLUMN, Space(rows: inner, columns: count / inner), nil)
    }
    return cells(axes: kept).map { (LGC_CELLS, $0.space, $0.cells) }
  }

  /// How a reduction of a tensor of this shape runs over its rows and columns; nil if no division
  /// into rows and columns tells.
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
    return cells(axes: wide.filter { !reduced.contains($0) }).map {
      Keeping(kept: LGC_KEEP_CELLS, space: $0.space, cells: $0.cells)
    }
  }
}

extension EngineNode {
  /// Neighbours of a pair lie so far apart in memory; nil for what exchanges nothing.
  private var pairDistance: Int? {
    guard case .exchange(let op) = kind else { return nil }
    return shape[(op.axis + 1)...].reduce(1, *)
  }

  /// The division into rows and columns in which exchanged pairs are pairs of rows; nil where they
  /// lie in a row.
  var pairedRows: Space? {
    guard let distance = pairDistance, distance > 1 else { return nil }
    return Space(rows: count / distance, columns: distance)
  }

  /// What the columns of a loop must be a multiple of, so that no pair lies in two rows.
  var pairWidth: Int {
    guard case .exchange(let op) = kind, pairDistance == 1 else { return 1 }
    return op.width
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
    guard let (layout, space, cells) = node(root).broadcastLayout(axes: axes) else { return nil }
    return Access(layout: layout, root: source, space: space, cells: cells)
  }

  /// The division into rows and columns that a looped node needs, nil for none.
  func space(_ index: Int) -> Space? {
    if let space = keeping(index)?.space ?? node(index).pairedRows { return space }
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
      var space = keeping(index)?.space ?? node.pairedRows
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
