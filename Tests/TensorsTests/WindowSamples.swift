import Tensors

/// Spatial axes of every awkward kind: strides that do not divide, dilation, one-sided padding.
private let someAxes: [[WindowAxis]] = [
  [WindowAxis(extent: 5, kernel: 3)],
  [WindowAxis(extent: 6, kernel: 3, stride: 2, dilation: 2, low: 2, high: 1)],
  [WindowAxis(extent: 3, kernel: 2, low: 1), WindowAxis(extent: 4, kernel: 3, stride: 2, high: 1)],
  [
    WindowAxis(extent: 5, kernel: 2, stride: 3, low: 1, high: 1),
    WindowAxis(extent: 3, kernel: 2, dilation: 2, low: 1),
  ],
]

func convolutionSamples() -> [GradientSample] {
  someAxes.flatMap { axes in
    [1, 2].flatMap { groups in
      Convolution.Form.allCases.map { form in
        let op = Convolution(form, axes: axes, groups: groups)
        let x = [2, 2 * groups] + axes.map(\.extent)
        let w = [2 * groups, 2] + axes.map(\.kernel)
        let y = [2, 2 * groups] + axes.map(\.outputs)
        let operands =
          switch form {
          case .forward: [x, w]
          case .data: [y, w]
          case .weights: [x, y]
          }
        return GradientSample("\(op.mnemonic) \(op.attributes)", operands) { g, x in
          g.square(g.add(.convolution(op), x))
        }
      }
    }
  }
}

func windowSamples() -> [GradientSample] {
  someAxes.flatMap { axes in
    let x = [2, 2] + axes.map(\.extent)
    let y = [2, 2] + axes.map(\.outputs)
    return [
      GradientSample("window_sum", [x]) { g, x in g.square(g.window(.sum, x[0], axes: axes)) },
      GradientSample("window_spread", [y]) { g, y in
        g.square(g.window(.spread, y[0], axes: axes))
      },
      GradientSample("window_gather", [x]) { g, x in g.square(g.windowMaximum(x[0], axes: axes)) },
      GradientSample("window_scatter", [x, y], stopped: [0]) { g, v in
        let places = g.window(.argument, v[0], axes: axes)
        return g.square(g.add(.window(Window(.scatter, axes: axes)), [places, v[1]]))
      },
    ]
  }
}
