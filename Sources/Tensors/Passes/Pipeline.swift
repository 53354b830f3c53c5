extension Program {
  /// All passes to a fixpoint, the verifier after each. Meaning is kept over the real numbers; the
  /// result's nodes are in topological order, and every input leaf stays, used or not.
  ///
  /// Safe before differentiation: `stop_gradient` is left where it is.
  public func optimized() -> Program {
    let passes: [(Program) -> Program] = [
      { $0.simplified() }, { $0.withScalarsOutOfDots() }, { $0.withoutCommonSubexpressions() },
      { $0.withoutDeadCode() },
    ]
    var program = self
    program.checked()
    // Each round only removes or moves work outward, so a few suffice; the limit is a fuse.
    for _ in 0..<16 {
      let before = program.graph.nodes
      for pass in passes {
        program = pass(program)
        program.checked()
      }
      if program.graph.nodes == before { break }
    }
    return program
  }

  private func checked() {
    do throws(VerifierError) { try verify() } catch { fatalError(error.description) }
  }

  /// The program rebuilt node by node: `rule` gets the new graph, an old node and its operands in
  /// the new graph, and returns what stands for the node there.
  func rewritten(_ rule: (GraphBuilder, GraphNode, [Value]) -> Value) -> Program {
    let g = GraphBuilder()
    var map: [Value] = []
    map.reserveCapacity(graph.nodes.count)
    for node in graph.nodes {
      g.origin = node.origin
      map.append(rule(g, node, node.operands.map { map[$0.index] }))
    }
    var result = self
    result.graph = g.graph
    result.outputs = outputs.map { Output($0.name, map[$0.value.index]) }
    result.updates = updates.map { Update($0.state, map[$0.value.index]) }
    return result
  }
}
