import CKernels
import Tensors

/// What moves elements, folds over middle axes or draws numbers: one kernel per node.
extension Planner {
  func planArray(_ index: Int) throws(EngineError) {
    let node = graph.nodes[index]
    let sources = node.operands.map { reads.source($0, readBy: index) }
    let from = sources.map { buffer($0) }
    let to = resultBuffer(index, reading: from)
    let first = graph.nodes[node.operands[0]].shape
    let inner = first.rowMajorStrides
    let outer = node.shape.rowMajorStrides
    switch node.kind {
    case .broadcast(let axes):
      var steps = [Int](repeating: 0, count: node.shape.count)
      if graph.nodes[sources[0]].count > 1 {
        for (k, axis) in axes.enumerated() { steps[axis] = inner[k] }
      }
      try planCopy(node, "broadcast", to, from[0], (node.shape, outer, steps))
    case .transpose(let permutation):
      let steps = permutation.map { inner[$0] }
      try planCopy(node, "transpose", to, from[0], (node.shape, outer, steps))
    case .slice(let slice):
      let steps = inner.indices.map { inner[$0] * slice.strides[$0] }
      let start = inner.indices.reduce(0) { $0 + inner[$1] * slice.starts[$1] }
      try planCopy(node, "slice", to, from[0], (node.shape, outer, steps), fromOffset: start)
    case .pad(let pad):
      add(.fill(buffer: to, value: 0), "zeros \(node.shape.shapeText)", node.origin)
      let steps = outer.indices.map { outer[$0] * (pad.interior[$0] + 1) }
      let start = outer.indices.reduce(0) { $0 + outer[$1] * pad.low[$1] }
      try planCopy(node, "pad", to, from[0], (first, steps, inner), toOffset: start)
    case .concatenate(let axis):
      var position = 0
      for (operand, buffer) in zip(node.operands, from) {
        let shape = graph.nodes[operand].shape
        try planCopy(
          node, "concatenate", to, buffer, (shape, outer, shape.rowMajorStrides),
          toOffset: position * outer[axis])
        position += shape[axis]
      }
    case .reduce(let maximum, let axes):
      var steps = [Int](repeating: 0, count: first.count)
      let kept = first.indices.filter { !axes.contains($0) }
      for (k, axis) in kept.enumerated() { steps[axis] = outer[k] }
      var walk = StridedWalk(extents: first, to: steps, from: inner)
      walk.arrangeForFold()
      try check(walk, node)
      let label = "\(maximum ? "maximum" : "sum") of \(first.shapeText) over \(axes)"
      add(
        .fold(PlannedFold(to: to, from: from[0], maximum: maximum, walk: walk)), label, node.origin)
    case .random(let stream):
      add(
        .random(buffer: to, counter: from[0], stream: stream), "random \(node.shape.shapeText)",
        node.origin)
    case .take, .put: planTake(index, to: to, from: from[0])
    case .input, .state, .constant, .iota, .map, .exchange, .alias, .dot, .convolution, .window:
      preconditionFailure("lgc's own bug: node \(index) is no array step")
    }
  }

  private func planCopy(
    _ node: EngineNode, _ name: String, _ to: Int, _ from: Int,
    _ axes: (extents: [Int], to: [Int], from: [Int]), toOffset: Int = 0, fromOffset: Int = 0
  ) throws(EngineError) {
    var walk = StridedWalk(extents: axes.extents, to: axes.to, from: axes.from)
    walk.arrangeForCopy()
    try check(walk, node)
    add(
      .copy(
        PlannedCopy(to: to, from: from, toOffset: toOffset, fromOffset: fromOffset, walk: walk)),
      "\(name) to \(node.shape.shapeText)", node.origin)
  }

  private func check(_ walk: StridedWalk, _ node: EngineNode) throws(EngineError) {
    guard walk.axes.count <= Int(LGC_MAX_RANK) else { throw .tooManyAxes(node) }
  }
}

extension EngineError {
  fileprivate static func tooManyAxes(_ node: EngineNode) -> EngineError {
    EngineError(
      "the CPU engine moves arrays of at most \(LGC_MAX_RANK) axes, not \(node.shape.shapeText)",
      origin: node.origin)
  }
}
