import CKernels
import Tensors

extension Arrangement {
  /// A node that moves or pools the elements of tensors of its own rank, on memory arranged like
  /// this; nil if the arrangement has none.
  func kind(of node: EngineNode, _ graph: EngineGraph) -> EngineNode.Kind? {
    let shapes = node.operands.map { graph.nodes[$0].shape }
    guard node.shape.count > 2, shapes.allSatisfy({ $0.count == node.shape.count }),
      (shapes + [node.shape]).allSatisfy(holds)
    else { return nil }
    switch node.kind {
    case .window(let window, _):
      guard window.axes.count == node.shape.count - 2 else { return nil }
      return .window(window, lanes: self == .channelsLast ? node.shape[1] : Int(LGC_BLOCK))
    case .slice(let op):
      let channels = shapes[0][1]
      guard isFree(op.starts[1] == 0 && op.limits[1] == channels && op.strides[1] == 1) else {
        return nil
      }
      let memory = memory(shapes[0])
      return .slice(
        Slice(
          starts: moved(op.starts, 0, 0), limits: moved(op.limits, memory[1], Int(LGC_BLOCK)),
          strides: moved(op.strides, 1, 1)))
    case .pad(let op):
      guard isFree(op.low[1] == 0 && op.high[1] == 0 && op.interior[1] == 0) else { return nil }
      return .pad(
        Pad(
          low: moved(op.low, 0, 0), high: moved(op.high, 0, 0),
          interior: moved(op.interior, 0, 0)))
    case .concatenate(let axis): return .concatenate(axis: axes([axis], of: node.shape)[0])
    case .exchange(let op):
      // Blocked channels keep their pairs, as groups are no wider than a block.
      let axis = axes([op.axis], of: node.shape).last!
      return .exchange(Exchange(axis: axis, mask: op.mask))
    case .take(let op):
      guard isFree(op.axis != 1) else { return nil }
      let axis = axes([op.axis], of: node.shape)[0]
      return .take(Take(axis: axis, places: op.places, extent: op.extent))
    case .put(let op):
      guard isFree(op.axis != 1) else { return nil }
      let axis = axes([op.axis], of: node.shape)[0]
      return .put(Put(axis: axis, places: op.places, extent: op.extent))
    default: return nil
    }
  }

  /// Whether a tensor of this shape can be arranged like this.
  private func holds(_ shape: Shape) -> Bool {
    self != .channelsBlocked || shape[1] % Int(LGC_BLOCK) == 0
  }

  /// Whether a node can be moved that leaves channels alone, or not.
  private func isFree(_ leavesChannels: Bool) -> Bool {
    leavesChannels || self == .channelsLast
  }

  /// A number for each axis in the order of memory; blocked channels get those given.
  private func moved(_ numbers: [Int], _ outer: Int, _ inner: Int) -> [Int] {
    switch self {
    case .channelsFirst: numbers
    case .channelsLast: [numbers[0]] + numbers[2...] + [numbers[1]]
    case .channelsBlocked: [numbers[0], outer] + numbers[2...] + [inner]
    }
  }
}
