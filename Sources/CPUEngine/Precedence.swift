/// Which computed nodes must run before which: producers before readers, and the readers of a
/// state before the node that writes over it.
struct Precedence {
  /// Node → the state leaf that it writes directly. Updates that are not here are copied at the end
  /// of the program: two states that swap cannot both be written over in any order.
  private(set) var writes: [Int: Int] = [:]
  /// Node → computed nodes that run before it.
  private(set) var before: [[Int]]
  /// Position of each computed node in an order that respects `before`; −1 for others.
  private(set) var rank: [Int]

  init(_ reads: Reads, inPlace: Bool) {
    let nodes = reads.graph.nodes.indices
    before = nodes.map { index in reads.sources[index].filter { reads.isComputed($0) } }
    rank = [Int](repeating: -1, count: nodes.count)
    if inPlace {
      for (leaf, writer) in reads.graph.updates {
        let readers = reads.readers[leaf].filter { $0 != writer }
        if reaches(writer, from: readers) { continue }
        writes[writer] = leaf
        before[writer] += readers.filter { !before[writer].contains($0) }
      }
    }
    sort(nodes.filter { reads.isComputed($0) })
  }

  /// Whether `target` must run before (or is) one of `starts`.
  private func reaches(_ target: Int, from starts: [Int]) -> Bool {
    var seen = Set(starts)
    var stack = starts
    while let index = stack.popLast() {
      if index == target { return true }
      for next in before[index] where seen.insert(next).inserted { stack.append(next) }
    }
    return false
  }

  /// Depth first without recursion: graphs are thousands of nodes deep.
  private mutating func sort(_ nodes: [Int]) {
    var next = [Int](repeating: 0, count: before.count)
    var position = 0
    for start in nodes where rank[start] < 0 {
      var stack = [start]
      while let index = stack.last {
        if next[index] < before[index].count {
          let child = before[index][next[index]]
          next[index] += 1
          if rank[child] < 0 && next[child] == 0 { stack.append(child) }
        } else {
          stack.removeLast()
          if rank[index] < 0 {
            rank[index] = position
            position += 1
          }
        }
      }
    }
  }
}
