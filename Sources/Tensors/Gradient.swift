/// Reverse-mode differentiation, graph to graph: the result is made of the same primitives, so a
/// gradient of a gradient needs nothing else.
extension GraphBuilder {
  /// ∂⟨seed, y⟩/∂x for each x in `sources`, where `seed`, of y's shape, defaults to ones (for a
  /// scalar y: ∂y/∂x). A source that y does not depend on gets zeros. Sources may depend on each
  /// other; each derivative is then the total one.
  public func gradient(of y: Value, with sources: [Value], seed: Value? = nil) -> [Value] {
    if let seed {
      precondition(
        shape(seed) == shape(y),
        "lgc's own bug: a seed of \(shape(seed).shapeText) for \(shape(y).shapeText)")
    }
    let depends = dependence(of: y, on: Set(sources))
    var cotangents = [Value?](repeating: nil, count: y.index + 1)
    cotangents[y.index] = seed ?? constant(1, shape(y))
    for index in stride(from: y.index, through: 0, by: -1) where depends[index] {
      guard let cotangent = cotangents[index] else { continue }
      let node = graph.nodes[index]
      guard node.operands.contains(where: { depends[$0.index] }) else { continue }
      with(origin: node.origin) {
        let products = node.op.primitive.gradient(
          self, value: Value(index), operands: node.operands, cotangent: cotangent)
        for (operand, product) in zip(node.operands, products) where depends[operand.index] {
          guard let product else { continue }
          let sum = cotangents[operand.index].map { add($0, product) }
          cotangents[operand.index] = sum ?? product
        }
      }
    }
    return sources.map { source in
      source <= y ? cotangents[source.index] ?? zeros(source) : zeros(source)
    }
  }

  /// For each node up to y, whether a cotangent that reaches it can reach a source.
  private func dependence(of y: Value, on sources: Set<Value>) -> [Bool] {
    var depends = [Bool](repeating: false, count: y.index + 1)
    for (index, node) in graph.nodes[...y.index].enumerated() {
      if sources.contains(Value(index)) {
        depends[index] = true
      } else if case .stopGradient = node.op {
        depends[index] = false
      } else {
        depends[index] = node.operands.contains { depends[$0.index] }
      }
    }
    return depends
  }

  private func zeros(_ value: Value) -> Value { constant(0, shape(value)) }
}
