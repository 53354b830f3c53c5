import CKernels
import Tensors

/// `take` or, adjoint, `put` along the middle axis of outer × extent × inner.
struct PlannedTake {
  var isPut: Bool
  var outer: Int
  var extent: Int
  var inner: Int
  var places: [Int]
  var to: Int
  var from: Int
}

extension Planner {
  func planTake(_ index: Int, to: Int, from: Int) {
    let node = graph.nodes[index]
    let (axis, places, extent, isPut): (Int, [Int], Int, Bool)
    switch node.kind {
    case .take(let op): (axis, places, extent, isPut) = (op.axis, op.places, op.extent, false)
    case .put(let op): (axis, places, extent, isPut) = (op.axis, op.places, op.extent, true)
    default: return
    }
    let inner = node.shape[(axis + 1)...].reduce(1, *)
    let take = PlannedTake(
      isPut: isPut, outer: node.shape[..<axis].reduce(1, *), extent: extent, inner: inner,
      places: places, to: to, from: from)
    let name = isPut ? "put" : "take"
    add(.take(take), "\(name) \(places.count) of axis \(axis) to \(node.shape.shapeText)",
      node.origin)
  }
}

extension BoundSteps {
  func bind(_ planned: PlannedTake) -> UnsafeRawPointer {
    var take = lgc_take()
    take.adjoint = planned.isPut ? 1 : 0
    take.threads = threads
    take.outer = Int64(planned.outer)
    take.extent = Int64(planned.extent)
    take.inner = Int64(planned.inner)
    take.count = Int64(planned.places.count)
    take.places = UnsafePointer(own(planned.places.map { Int32($0) }))
    take.to = address(planned.to)
    take.from = UnsafePointer(address(planned.from))
    return own(take)
  }
}
