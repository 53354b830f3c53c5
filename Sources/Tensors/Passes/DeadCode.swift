extension Program {
  /// Without the nodes that no output and no update needs. Input leaves stay: a caller may write
  /// every input that it was told of.
  public func withoutDeadCode() -> Program {
    var live = [Bool](repeating: false, count: graph.nodes.count)
    for output in outputs { live[output.value.index] = true }
    for update in updates { live[update.value.index] = true }
    for index in graph.nodes.indices.reversed() {
      if case .input = graph.nodes[index].op { live[index] = true }
      guard live[index] else { continue }
      for operand in graph.nodes[index].operands { live[operand.index] = true }
    }
    if live.allSatisfy(\.self) { return self }
    var map = [Value](repeating: Value(-1), count: live.count)
    var result = Graph()
    result.nodes.reserveCapacity(live.count)
    for (index, node) in graph.nodes.enumerated() where live[index] {
      map[index] = Value(result.nodes.count)
      result.nodes.append(node.reading(node.operands.map { map[$0.index] }))
    }
    return remapped(to: result, map)
  }
}
