import Tensors

/// Row-major values and their shape.
struct Tensor {
  let shape: Shape
  let values: [Double]
  init(_ shape: Shape, _ values: [Double]) {
    self.shape = shape
    self.values = values
  }
}

/// The result of one primitive other than `input` and `state`.
func interpret(_ op: Op, _ operands: [Tensor], shape: Shape) -> [Double] {
  switch op {
  case .input, .state: preconditionFailure("leaves hold their values elsewhere")
  case .constant(let p): return [Double](repeating: p.number, count: shape.elementCount)
  case .iota(let p):
    return offsets(shape, strides: shape.indices.map { $0 == p.axis ? 1 : 0 }).map(Double.init)
  case .random(let p): return random(p, counter: operands[0].values[0])
  case .unary(let p): return operands[0].values.map(p.apply)
  case .binary(let p):
    let (x, y) = (operands[0].values, operands[1].values)
    return x.indices.map { p.apply(x[$0], y[$0]) }
  case .select:
    let (condition, x, y) = (operands[0].values, operands[1].values, operands[2].values)
    return condition.indices.map { condition[$0] != 0 ? x[$0] : y[$0] }
  case .exchange(let p):
    let (key, x) = (operands[0].values, operands[1].values)
    let stride = shape.rowMajorStrides[p.axis]
    var result = x
    for low in x.indices {
      let place = low / stride % shape[p.axis]
      let high = low + ((place ^ p.mask) - place) * stride
      if low < high, key[low] > key[high] { (result[low], result[high]) = (x[high], x[low]) }
    }
    return result
  case .reduce(let p): return reduce(p, operands[0], shape: shape)
  case .broadcast(let p):
    var strides = [Int](repeating: 0, count: shape.count)
    for (axis, stride) in zip(p.axes, operands[0].shape.rowMajorStrides) { strides[axis] = stride }
    return gather(operands[0], offsets(shape, strides: strides))
  case .reshape, .stopGradient: return operands[0].values
  case .transpose(let p):
    let strides = operands[0].shape.rowMajorStrides
    return gather(operands[0], offsets(shape, strides: p.permutation.map { strides[$0] }))
  case .slice(let p):
    let strides = operands[0].shape.rowMajorStrides
    return gather(
      operands[0],
      offsets(
        shape, strides: zip(strides, p.strides).map(*), start: zip(strides, p.starts).map(*).sum))
  case .pad(let p):
    let strides = shape.rowMajorStrides
    let places = offsets(
      operands[0].shape, strides: zip(strides, p.interior).map { $0 * ($1 + 1) },
      start: zip(strides, p.low).map(*).sum)
    var result = [Double](repeating: 0, count: shape.elementCount)
    scatter(operands[0], to: places, in: &result)
    return result
  case .concatenate(let p):
    let strides = shape.rowMajorStrides
    var result = [Double](repeating: 0, count: shape.elementCount)
    var position = 0
    for operand in operands {
      let start = position * strides[p.axis]
      scatter(operand, to: offsets(operand.shape, strides: strides, start: start), in: &result)
      position += operand.shape[p.axis]
    }
    return result
  case .take(let p):
    return places(p.places, axis: p.axis, of: operands[0].shape).map { operands[0].values[$0] }
  case .put(let p):
    var result = [Double](repeating: 0, count: shape.elementCount)
    for (value, place) in zip(operands[0].values, places(p.places, axis: p.axis, of: shape)) {
      result[place] += value
    }
    return result
  case .dot(let p): return dot(p, operands[0], operands[1], shape: shape)
  case .convolution(let p): return convolve(p, operands[0], operands[1], shape: shape)
  case .window(let p): return pool(p, operands, shape: shape)
  }
}

// MARK: random numbers

private func random(_ op: Random, counter: Double) -> [Double] {
  let high = UInt64(counter)
  var result: [Double] = []
  result.reserveCapacity(op.declared.elementCount + 3)
  for index in 0..<(op.declared.elementCount + 3) / 4 {
    let words = Philox.block(key: op.stream, index: UInt64(index), high: high)
    for word in [words.0, words.1, words.2, words.3] { result.append(Double(word >> 8) * 0x1p-24) }
  }
  return Array(result.prefix(op.declared.elementCount))
}

// MARK: reindexing

/// `start + Σₖ iₖ·strides[k]` for every index (i₀, i₁, …) of `shape` in row-major order.
private func offsets(_ shape: Shape, strides: [Int], start: Int = 0) -> [Int] {
  var result = [start]
  for (extent, stride) in zip(shape, strides) {
    var next: [Int] = []
    next.reserveCapacity(result.count * extent)
    for offset in result {
      for index in 0..<extent { next.append(offset + index * stride) }
    }
    result = next
  }
  return result
}

/// For every element of `shape` with `places.count` elements along `axis` instead, the offset of
/// place `places[i]` in `shape`.
private func places(_ places: [Int], axis: Int, of shape: Shape) -> [Int] {
  let strides = shape.rowMajorStrides
  var counts = shape
  counts[axis] = places.count
  var zeroed = strides
  zeroed[axis] = 0
  let ordinals = offsets(counts, strides: counts.indices.map { $0 == axis ? 1 : 0 })
  return zip(offsets(counts, strides: zeroed), ordinals).map { $0 + places[$1] * strides[axis] }
}

private func gather(_ x: Tensor, _ places: [Int]) -> [Double] { places.map { x.values[$0] } }

private func scatter(_ x: Tensor, to places: [Int], in result: inout [Double]) {
  for (value, place) in zip(x.values, places) { result[place] = value }
}

extension [Int] {
  fileprivate var sum: Int { reduce(0, +) }
}

// MARK: contractions

private func reduce(_ op: Reduce, _ x: Tensor, shape: Shape) -> [Double] {
  var strides = [Int](repeating: 0, count: x.shape.count)
  let kept = x.shape.indices.filter { !op.axes.contains($0) }
  for (axis, stride) in zip(kept, shape.rowMajorStrides) { strides[axis] = stride }
  let places = offsets(x.shape, strides: strides)
  switch op.kind {
  case .sum:
    var result = [Double](repeating: 0, count: shape.elementCount)
    for (value, place) in zip(x.values, places) { result[place] += value }
    return result
  case .maximum:
    var result = [Double](repeating: -.infinity, count: shape.elementCount)
    for (value, place) in zip(x.values, places) where value > result[place] || value.isNaN {
      result[place] = value
    }
    return result
  }
}

/// Row i of the result is Σₚ A[i, p] · row p of B: contiguous inner loops whatever was transposed.
private func dot(_ op: Dot, _ a: Tensor, _ b: Tensor, shape: Shape) -> [Double] {
  let left = op.transposeLeft ? transposed(a) : a.values
  let right = op.transposeRight ? transposed(b) : b.values
  let (m, n) = (shape[0], shape[1])
  let k = op.transposeLeft ? a.shape[0] : a.shape[1]
  var result = [Double](repeating: 0, count: m * n)
  result.withUnsafeMutableBufferPointer { result in
    right.withUnsafeBufferPointer { right in
      for i in 0..<m {
        for p in 0..<k {
          let factor = left[i * k + p]
          for j in 0..<n { result[i * n + j] += factor * right[p * n + j] }
        }
      }
    }
  }
  return result
}

private func transposed(_ x: Tensor) -> [Double] {
  gather(x, offsets([x.shape[1], x.shape[0]], strides: [1, x.shape[1]]))
}
