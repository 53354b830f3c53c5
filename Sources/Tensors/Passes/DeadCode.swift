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
    var map = [Value](repeating: Value(-1), count: live.count)
    var result = self
    result.graph.nodes = []
    for (index, node) in graph.nodes.enumerated() where live[index] {
      map[index] = Value(result.graph.nodes.count)
      result.graph.nodes.append(
        GraphNode(
          op: node.op, operands: node.operands.map { map[$0.index] }, shape: node.shape,
          origin: node.origin))
    }
    result.outputs = outputs.map { Output($0.name, map[$0.value.index]) }
    result.updates = updates.map { Update($0.state, map[$0.value.index]) }
    return result
  }
}
