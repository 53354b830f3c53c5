extension GraphBuilder {
  /// The rules of `simplified` for what only moves elements.
  func reindexed(_ op: Op, _ x: [Value], _ shape: Shape) -> Value? {
    if let value = number(x[0]), x.allSatisfy({ number($0) == value }) {
      if case .pad = op, value != 0 { return nil }
      return constant(value, shape)
    }
    let inner = graph[x[0]]
    switch op {
    case .broadcast(let op):
      if inner.shape.elementCount == shape.elementCount { return reshape(x[0], to: shape) }
      if case .broadcast(let first) = inner.op {
        return broadcast(inner.operands[0], to: shape, axes: first.axes.map { op.axes[$0] })
      }
    case .reshape:
      if inner.shape == shape { return x[0] }
      if case .reshape = inner.op { return reshape(inner.operands[0], to: shape) }
      // The only number there is, whatever it passes through, is copied everywhere.
      if case .broadcast(let broadcast) = inner.op, broadcast.axes.isEmpty {
        return self.broadcast(inner.operands[0], to: shape, axes: [])
      }
    case .transpose(let op):
      // Axes of extent 1 hold nothing to move.
      let moved = op.permutation.filter { inner.shape[$0] != 1 }
      if moved == moved.sorted() { return reshape(x[0], to: shape) }
      if case .transpose(let first) = inner.op {
        return transpose(inner.operands[0], op.permutation.map { first.permutation[$0] })
      }
    case .slice, .pad:
      if inner.shape == shape { return x[0] }
    case .concatenate:
      if x.count == 1 { return x[0] }
    default: break
    }
    return nil
  }
}
