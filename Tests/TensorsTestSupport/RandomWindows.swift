import Tensors

// Convolutions and pooling of random geometry on values made to fit.
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
    switch form {
    case .forward: _ = emit(op, [value(x), value(w)])
    case .data: _ = emit(op, [value(y), value(w)])
    case .weights: _ = emit(op, [value(x), value(y)])
    }
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
}
