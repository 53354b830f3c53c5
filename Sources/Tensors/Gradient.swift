/// Reverse-mode differentiation, graph to graph: the result is made of the same primitives, so a
/// gradient of a gradient needs nothing else.
extension GraphBuilder {
  /// ∂⟨seed, y⟩/∂x for each x in `sources`, where `seed` defaults to ones (for a scalar y: ∂y/∂x).
  /// A source that y does not depend on gets zeros.
  public func gradient(of y: Value, with sources: [Value], seed: Value? = nil) -> [Value] {
    var depends = [Bool](repeating: false, count: y.index + 1)
    let sourceSet = Set(sources)
    for index in 0...y.index {
      if sourceSet.contains(Value(index)) {
        depends[index] = true
      } else if case .stopGradient = graph.nodes[index].op {
        depends[index] = false
      } else {
        depends[index] = graph.nodes[index].operands.contains { depends[$0.index] }
      }
    }
    var cotangents: [Int: Value] = [y.index: seed ?? constant(1, shape(y))]
    for index in stride(from: y.index, through: 0, by: -1) where depends[index] {
      guard let cotangent = cotangents[index] else { continue }
      let node = graph.nodes[index]
      guard node.operands.contains(where: { depends[$0.index] }) else { continue }
      let products = with(origin: node.origin) {
        node.op.primitive.gradient(
          self, value: Value(index), operands: node.operands, cotangent: cotangent)
      }
      for (operand, product) in zip(node.operands, products) where depends[operand.index] {
        guard let product else { continue }
        cotangents[operand.index] = cotangents[operand.index].map { add($0, product) } ?? product
      }
    }
    return sources.map { cotangents[$0.index] ?? constant(0, shape($0)) }
  }
}
