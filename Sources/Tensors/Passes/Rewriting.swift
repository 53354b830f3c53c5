extension Program {
  /// The program rebuilt node by node: `rule` gets the new graph, an old node and its operands in
  /// the new graph, and returns what stands for the node there. New nodes take the old one's
  /// origin.
  func rewritten(_ rule: (GraphBuilder, GraphNode, [Value]) -> Value) -> Program {
    let g = GraphBuilder()
    g.reserve(graph.nodes.count)
    var map: [Value] = []
    map.reserveCapacity(graph.nodes.count)
    for node in graph.nodes {
      g.origin = node.origin
      map.append(rule(g, node, node.operands.map { map[$0.index] }))
    }
    return remapped(to: g.graph, map)
  }

  /// The same program over `graph`, where `map` says what each old node became.
  func remapped(to graph: Graph, _ map: [Value]) -> Program {
    var result = self
    result.graph = graph
    result.outputs = outputs.map { Output($0.name, map[$0.value.index]) }
    result.updates = updates.map { Update($0.state, map[$0.value.index]) }
    return result
  }
}

extension GraphBuilder {
  /// The number that a tensor holds at every element, if it is a constant.
  func number(_ value: Value) -> Double? {
    if case .constant(let constant) = graph[value].op { return constant.number }
    return nil
  }
}
