import Tensors

// Convolutions and pooling of random geometry on values made to fit, and random places.
extension RandomGraph {
  private mutating func axis() -> WindowAxis {
    let (kernel, stride) = (integer(1..<4), integer(1..<4))
    let (dilation, low, high) = (integer(1..<3), integer(0..<kernel), integer(0..<kernel))
    let reach = (kernel - 1) * dilation + 1
    return WindowAxis(
      extent: max(1, reach - low - high) + integer(0..<5), kernel: kernel, stride: stride,
      dilation: dilation, low: low, high: high)
  }

  mutating func growConvolution() {
    let axes = (0..<integer(1..<3)).map { _ in axis() }
    let groups = integer(1..<3)
    let (batch, inputs, outputs) = (integer(1..<4), integer(1..<4), groups * integer(1..<4))
    let x = [batch, inputs * groups] + axes.map(\.extent)
    let w = [outputs, inputs] + axes.map(\.kernel)
    let y = [batch, outputs] + axes.map(\.outputs)
    let form = pick(Convolution.Form.allCases)
    let op = Op.convolution(Convolution(form, axes: axes, groups: groups))
    let shapes =
      switch form {
      case .forward: [x, w]
      case .data: [y, w]
      case .weights: [x, y]
      }
    var (a, b) = (value(shapes[0]), value(shapes[1]))
    if integer(0..<3) == 0 { a = scaled(a) ?? a }
    if integer(0..<3) == 0 { b = scaled(b) ?? b }
    _ = emit(op, [a, b])
  }

  mutating func growWindow() {
    let axes = (0..<integer(1..<3)).map { _ in axis() }
    let leading = (0..<integer(0..<3)).map { _ in integer(1..<4) }
    let x = value(leading + axes.map(\.extent))
    func op(_ form: Window.Form) -> Op { .window(Window(form, axes: axes)) }
    switch pick(Window.Form.allCases) {
    case .sum: _ = emit(op(.sum), [x])
    case .spread: _ = emit(op(.spread), [value(leading + axes.map(\.outputs))])
    case .argument, .gather:
      if let places = emit(op(.argument), [x]) { _ = emit(op(.gather), [places, x]) }
    case .scatter:
      if let places = emit(op(.argument), [x]) {
        _ = emit(op(.scatter), [places, value(leading + axes.map(\.outputs))])
      }
    }
  }

  /// Sometimes of places that are a slice, or all of them.
  mutating func growTake() {
    let x = someValue()
    guard let axis = g.shape(x).indices.randomElement(using: &generator) else { return }
    let extent = g.shape(x)[axis]
    let places: [Int]
    switch integer(0..<4) {
    case 0: places = Array(0..<extent)
    case 1: places = Array(stride(from: integer(0..<extent), to: extent, by: integer(1..<3)))
    default: places = (0..<integer(1..<5)).map { _ in integer(0..<extent) }
    }
    let taken = emit(.take(Take(axis: axis, places: places, extent: extent)), [x])
    guard integer(0..<3) == 0, let taken else { return }
    let again = (0..<integer(1..<5)).map { _ in integer(0..<places.count) }
    _ = emit(.take(Take(axis: axis, places: again, extent: places.count)), [taken])
  }

  /// Sometimes to places that are a stride, or all of them.
  mutating func growPut() {
    let x = someValue()
    guard let axis = g.shape(x).indices.randomElement(using: &generator) else { return }
    let count = g.shape(x)[axis]
    var extent = integer(1..<6)
    let places: [Int]
    switch integer(0..<4) {
    case 0:
      extent = count
      places = (0..<count).shuffled(using: &generator)
    case 1:
      let (first, step) = (integer(0..<3), integer(1..<3))
      places = (0..<count).map { first + $0 * step }
      extent += places[count - 1]
    default: places = (0..<count).map { _ in integer(0..<extent) }
    }
    let result = emit(.put(Put(axis: axis, places: places, extent: extent)), [x])
    guard integer(0..<3) == 0, let result else { return }
    let wider = integer(1..<6)
    let again = (0..<extent).map { _ in integer(0..<wider) }
    _ = emit(.put(Put(axis: axis, places: again, extent: wider)), [result])
  }
}
