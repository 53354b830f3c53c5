import Model
import Tensors

/// A weight as matrices: a dense one as it is, a kernel [out, in/groups, taps…] as one matrix
/// [out/groups, in/groups · taps] for each group.
struct KernelMatrices {
  let count: Int
  /// Rows and columns of each.
  let shape: Shape
  /// Whether each has one row: then an orthogonal one is a unit vector.
  var areRows: Bool { shape[0] == 1 }

  init(_ weight: Shape, _ linear: LinearOperator) {
    switch linear {
    case .convolution(_, let geometry), .transposedConvolution(_, let geometry):
      count = geometry.groups
    default: count = 1
    }
    shape = [weight[0] / count, weight[1...].reduce(1, *)]
  }

  func list(_ weight: Value, _ g: GraphBuilder) -> [Value] {
    let all = g.reshape(weight, to: [count * shape[0], shape[1]])
    if count == 1 { return [all] }
    return (0..<count).map { index in
      g.slice(
        all, starts: [index * shape[0], 0], limits: [(index + 1) * shape[0], shape[1]],
        strides: [1, 1])
    }
  }

  /// Each matrix replaced by one of its shape.
  func map(
    _ weight: Value, _ g: GraphBuilder, _ body: (Value, Int) -> Value
  ) -> Value {
    let results = list(weight, g).enumerated().map { body($0.element, $0.offset) }
    return g.reshape(g.concatenate(results, axis: 0), to: g.shape(weight))
  }

  /// Every row over its length, and 0 for 0.
  func unitRows(_ weight: Value, _ g: GraphBuilder) -> Value {
    let all = g.reshape(weight, to: [count * shape[0], shape[1]])
    let squares = g.add(g.sum(g.square(all), [1]), tinyNorm * tinyNorm)
    let factor = g.unary(.reciprocal, g.unary(.squareRoot, squares))
    let unit = g.multiply(all, g.broadcast(leading: factor, to: g.shape(all)))
    return g.reshape(unit, to: g.shape(weight))
  }
}

extension GraphBuilder {
  /// Tensors of one shape as one, along a new first axis.
  func stacked(_ parts: [Value]) -> Value {
    concatenate(parts.map { reshape($0, to: [1] + shape($0)) }, axis: 0)
  }
  /// One of what is stacked.
  func element(_ index: Int, of stack: Value) -> Value {
    let rest = Array(shape(stack)[1...])
    let zeros = rest.map { _ in 0 }
    let part = slice(
      stack, starts: [index] + zeros, limits: [index + 1] + rest, strides: [1] + rest.map { _ in 1 })
    return reshape(part, to: rest)
  }
  func identity(_ extent: Int) -> Value {
    binary(.equal, iota([extent, extent], axis: 0), iota([extent, extent], axis: 1))
  }
  func maximumSum(_ matrix: Value, _ axis: Int) -> Value {
    maximum(over: [0], sum(unary(.absolute, matrix), [axis]))
  }
}
