import Tensors

/// One tap of a window at one output: offsets within the spatial axes, row-major.
private struct Tap {
  let output: Int
  let tap: Int
  let position: Int
}

/// Every (output, tap) that reads an element and not padding, outputs ascending, taps in order.
private func taps(_ axes: [WindowAxis]) -> [Tap] {
  axes.reduce([Tap(output: 0, tap: 0, position: 0)]) { outer, axis in
    var result: [Tap] = []
    for before in outer {
      for output in 0..<axis.outputs {
        for tap in 0..<axis.kernel {
          guard let position = axis.position(output: output, tap: tap) else { continue }
          result.append(
            Tap(
              output: before.output * axis.outputs + output, tap: before.tap * axis.kernel + tap,
              position: before.position * axis.extent + position))
        }
      }
    }
    return result
  }
}

func convolve(_ op: Convolution, _ a: Tensor, _ b: Tensor, shape: Shape) -> [Double] {
  let plane = op.axes.reduce(1) { $0 * $1.extent }
  let outputs = op.axes.reduce(1) { $0 * $1.outputs }
  let kernel = op.axes.reduce(1) { $0 * $1.kernel }
  let weight: Shape
  switch op.form {
  case .forward, .data: weight = b.shape
  case .weights: weight = shape
  }
  let batch = a.shape[0]
  let (filters, depth) = (weight[0], weight[1])
  let filtersPerGroup = filters / op.groups
  let channels = depth * op.groups
  let places = taps(op.axes)
  var result = [Double](repeating: 0, count: shape.elementCount)
  // Pointers, and the form decided outside: all test samples of a network pass through here.
  a.values.withUnsafeBufferPointer { a in
    b.values.withUnsafeBufferPointer { b in
      places.withUnsafeBufferPointer { places in
        result.withUnsafeMutableBufferPointer { result in
          for sample in 0..<batch {
            for filter in 0..<filters {
              for channel in 0..<depth {
                let input = filter / filtersPerGroup * depth + channel
                let x = (sample * channels + input) * plane
                let y = (sample * filters + filter) * outputs
                let w = (filter * depth + channel) * kernel
                switch op.form {
                case .forward:
                  for p in places { result[y + p.output] += a[x + p.position] * b[w + p.tap] }
                case .data:
                  for p in places { result[x + p.position] += a[y + p.output] * b[w + p.tap] }
                case .weights:
                  for p in places { result[w + p.tap] += a[x + p.position] * b[y + p.output] }
                }
              }
            }
          }
        }
      }
    }
  }
  return result
}

func pool(_ op: Window, _ operands: [Tensor], shape: Shape) -> [Double] {
  let plane = op.axes.reduce(1) { $0 * $1.extent }
  let outputs = op.axes.reduce(1) { $0 * $1.outputs }
  let places = taps(op.axes)
  let isSmall = op.form != .spread && op.form != .scatter
  let images = shape.elementCount / (isSmall ? outputs : plane)
  var result = [Double](repeating: 0, count: shape.elementCount)
  for image in 0..<images {
    let (x, y) = (image * plane, image * outputs)
    switch op.form {
    case .sum:
      for place in places { result[y + place.output] += operands[0].values[x + place.position] }
    case .spread:
      for place in places { result[x + place.position] += operands[0].values[y + place.output] }
    case .argument:
      var best = [Double](repeating: -.infinity, count: outputs)
      var found = [Bool](repeating: false, count: outputs)
      for place in places {
        let value = operands[0].values[x + place.position]
        let current = best[place.output]
        guard !found[place.output] || value > current || (value.isNaN && !current.isNaN) else {
          continue
        }
        found[place.output] = true
        best[place.output] = value
        result[y + place.output] = Double(place.position)
      }
    case .gather:
      for output in 0..<outputs {
        result[y + output] = operands[1].values[x + Int(operands[0].values[y + output])]
      }
    case .scatter:
      for output in 0..<outputs {
        result[x + Int(operands[0].values[y + output])] += operands[1].values[y + output]
      }
    }
  }
  return result
}
