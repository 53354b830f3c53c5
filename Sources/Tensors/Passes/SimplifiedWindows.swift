extension GraphBuilder {
  // MARK: windows

  func simplified(_ op: Window, _ x: [Value], _ result: Shape) -> Value? {
    let isTrivial = op.axes.allSatisfy {
      $0.kernel == 1 && $0.stride == 1 && $0.low == 0 && $0.high == 0
    }
    switch op.form {
    case .sum:
      if isTrivial { return x[0] }
      guard let value = number(x[0]) else { return nil }
      let isPadded = op.axes.contains { $0.low > 0 || $0.high > 0 }
      if isPadded, value != 0 { return nil }
      return constant(value * Double(op.axes.reduce(1) { $0 * $1.kernel }), result)
    case .spread:
      if isTrivial { return x[0] }
      return number(x[0]) == 0 ? constant(0, result) : nil
    case .argument: return nil
    case .gather: return number(x[1]).map { constant($0, result) }
    case .scatter: return number(x[1]) == 0 ? constant(0, result) : nil
    }
  }

  // MARK: places

  func simplified(_ op: Take, _ x: Value, _ result: Shape) -> Value? {
    if let value = number(x) { return constant(value, result) }
    if op.places == Array(0..<op.extent) { return x }
    let inner = graph[x]
    switch inner.op {
    case .take(let first) where first.axis == op.axis:
      return take(inner.operands[0], axis: op.axis, places: op.places.map { first.places[$0] })
    case .broadcast(let first) where !first.axes.contains(op.axis):
      return broadcast(inner.operands[0], to: result, axes: first.axes)
    default: break
    }
    // A slice is a walk with a stride, which engines read in place.
    guard let step = step(op.places) else { return nil }
    var (starts, limits) = (inner.shape.map { _ in 0 }, inner.shape)
    var strides = inner.shape.map { _ in 1 }
    (starts[op.axis], limits[op.axis]) = (op.places[0], op.places[op.places.count - 1] + 1)
    strides[op.axis] = step
    return slice(x, starts: starts, limits: limits, strides: strides)
  }

  func simplified(_ op: Put, _ x: Value, _ result: Shape) -> Value? {
    if number(x) == 0 { return constant(0, result) }
    if op.places == Array(0..<op.extent) { return x }
    let inner = graph[x]
    if case .put(let first) = inner.op, first.axis == op.axis {
      let places = first.places.map { op.places[$0] }
      return add(.put(Put(axis: op.axis, places: places, extent: op.extent)), inner.operands)
    }
    if op.places.count == op.extent, Set(op.places).count == op.extent {
      // Another order: reading is cheaper than adding.
      var inverse = op.places
      for (from, to) in op.places.enumerated() { inverse[to] = from }
      return take(x, axis: op.axis, places: inverse)
    }
    guard let step = step(op.places) else { return nil }
    let zeros = inner.shape.map { _ in 0 }
    var (low, high, interior) = (zeros, zeros, zeros)
    low[op.axis] = op.places[0]
    high[op.axis] = op.extent - 1 - op.places[op.places.count - 1]
    interior[op.axis] = step - 1
    return pad(x, low: low, high: high, interior: interior)
  }

  /// The distance of equally distant, ascending places; 1 for a single one.
  private func step(_ places: [Int]) -> Int? {
    guard let first = places.first else { return nil }
    let step = places.count > 1 ? places[1] - first : 1
    let isEven = zip(places, places.dropFirst()).allSatisfy { $1 - $0 == step }
    return step > 0 && isEven ? step : nil
  }
}
