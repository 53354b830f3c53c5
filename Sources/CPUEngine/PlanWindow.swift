import CKernels
import Tensors

/// Pooling over images × positions × lanes.
struct PlannedWindow {
  var form: lgc_window_form
  var axes: [WindowAxis]
  var images: Int
  var lanes = 1
  /// Every position lies in its own window.
  var inside = false
  var positions: Int?
  var from: Int
  var to: Int?

  var buffers: [Int] { [from] + [positions, to].compactMap { $0 } }
}

extension EngineNode {
  /// Whether this reads `x` at the positions `argument` along the same windows.
  func isGather(
    along axes: [WindowAxis], at argument: Int, of x: Int, in graph: EngineGraph
  ) -> Bool {
    guard case .window(let window, _) = kind, window.form == .gather, window.axes == axes else {
      return false
    }
    return graph.root(operands[0]) == argument && graph.root(operands[1]) == x
  }
}

extension Planner {
  /// A pooling node, or an `argument` together with the maxima that it finds.
  func planWindow(_ index: Int, pooled: Int?) throws(EngineError) {
    let node = graph.nodes[index]
    guard case .window(let window, let lanes) = node.kind else { return }
    guard window.axes.count <= 2 else { throw .tooManyWindowAxes(node) }
    let sources = node.operands.map { reads.source($0, readBy: index) }
    let from = sources.map { buffer($0) }
    let isSmall = window.form != .spread && window.form != .scatter
    let places = window.axes.reduce(1) { $0 * (isSmall ? $1.outputs : $1.extent) }
    var planned = PlannedWindow(
      form: window.form.kernel, axes: window.axes, images: node.count / (places * lanes),
      lanes: lanes, from: from.last!)
    switch window.form {
    case .sum, .spread: planned.to = resultBuffer(index, reading: from)
    case .argument:
      // Nobody may want the positions when nothing is differentiated.
      let isNeeded = pooled == nil || escapes(index)
      if isNeeded { planned.positions = resultBuffer(index, reading: from) }
      if let pooled {
        let taken = from + (planned.positions.map { [$0] } ?? [])
        planned.to = resultBuffer(pooled, reading: taken)
      }
    case .gather, .scatter:
      planned.positions = from[0]
      planned.inside = areInside(sources[0], window.axes)
      planned.to = resultBuffer(index, reading: from)
    }
    let name = pooled == nil ? window.form.rawValue : "maximum"
    let shape = graph.nodes[node.operands.last!].shape.shapeText
    add(.window(planned), "window \(name) \(window.attributes) of \(shape)", node.origin)
  }

  /// Whether every position lies in its own window.
  private func areInside(_ positions: Int, _ axes: [WindowAxis]) -> Bool {
    guard case .window(let other, _) = graph.nodes[positions].kind, other.form == .argument,
      other.axes == axes
    else { return false }
    return Planner.areInside(axes)
  }

  /// Whether no window along `axes` is all padding.
  static func areInside(_ axes: [WindowAxis]) -> Bool {
    axes.allSatisfy { axis in
      (0..<axis.outputs).allSatisfy { output in
        (0..<axis.kernel).contains { axis.position(output: output, tap: $0) != nil }
      }
    }
  }
}

extension Window.Form {
  var kernel: lgc_window_form {
    switch self {
    case .sum: LGC_WINDOW_SUM
    case .spread: LGC_WINDOW_SPREAD
    case .argument: LGC_WINDOW_LARGEST
    case .gather: LGC_WINDOW_GATHER
    case .scatter: LGC_WINDOW_SCATTER
    }
  }
}

extension BoundSteps {
  func bind(_ planned: PlannedWindow) -> UnsafeRawPointer {
    var window = lgc_window()
    window.form = planned.form.rawValue
    window.threads = threads
    window.inside = planned.inside ? 1 : 0
    window.images = Int64(planned.images)
    window.lanes = Int64(planned.lanes)
    let single = lgc_window_axis(
      extent: 1, outputs: 1, kernel: 1, stride: 1, dilation: 1, low: 0)
    let axes = planned.axes.map { axis in
      lgc_window_axis(
        extent: Int64(axis.extent), outputs: Int64(axis.outputs), kernel: Int64(axis.kernel),
        stride: Int64(axis.stride), dilation: Int64(axis.dilation), low: Int64(axis.low))
    }
    window.axes = (axes.count > 1 ? axes[0] : single, axes.last!)
    window.positions = planned.positions.map { address($0) }
    window.from = UnsafePointer(address(planned.from))
    window.to = planned.to.map { address($0) }
    return own(window)
  }
}

extension EngineError {
  fileprivate static func tooManyWindowAxes(_ node: EngineNode) -> EngineError {
    EngineError("the CPU engine pools along one or two axes", origin: node.origin)
  }
}
