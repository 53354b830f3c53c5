import Tensors
import TensorsTestSupport

/// One use of a primitive for the gradient tests: y = body(x₀, x₁, …).
struct GradientSample: CustomStringConvertible {
  /// What the numbers of an operand are drawn from: away from poles, jumps and bends.
  enum Domain {
    case any
    /// 0.2 … 2
    case positive
    /// magnitude 0.2 … 2
    case nonzero
    /// Distinct multiples of 0.1, so that none is near another.
    case distinct
  }
  let description: String
  let shapes: [Shape]
  var domains: [Domain]
  /// Operands (by number) through which no cotangent flows though y depends on them.
  var stopped: Set<Int> = []
  let body: (GraphBuilder, [Value]) -> Value

  init(
    _ description: String, _ shapes: [Shape], _ domains: [Domain]? = nil, stopped: Set<Int> = [],
    _ body: @escaping (GraphBuilder, [Value]) -> Value
  ) {
    self.description = description
    self.shapes = shapes
    self.domains = domains ?? shapes.map { _ in .any }
    self.stopped = stopped
    self.body = body
  }
}

/// Samples of every case of `Op`; a new case stops the build here.
func gradientSamples(of kind: OpKind) -> [GradientSample] {
  switch kind {
  // For leaves: used beside an operand, they pass through and take nothing.
  case .input, .state:
    return [GradientSample(kind.rawValue, [[2, 3]]) { g, x in x[0] }]
  case .constant:
    return [GradientSample("constant", [[2, 3]]) { g, x in g.multiply(x[0], 1.7) }]
  case .iota:
    return [
      GradientSample("iota", [[2, 3]]) { g, x in g.multiply(x[0], g.iota([2, 3], axis: 1)) }
    ]
  case .random:
    return [
      GradientSample("random", [[2, 3]]) { g, x in
        g.multiply(x[0], g.random(stream: 5, counter: g.constant(3), [2, 3]))
      }
    ]
  case .unary: return Unary.allCases.flatMap(samples)
  case .binary: return Binary.allCases.flatMap(samples)
  case .select:
    return [
      GradientSample("select", [[2, 3], [2, 3], [2, 3]], [.nonzero, .any, .any]) { g, x in
        g.select(g.unary(.step, x[0]), g.square(x[1]), g.multiply(x[1], x[2]))
      }
    ]
  case .exchange:
    return [([2, 4], 1, 1), ([2, 4], 1, 3), ([2, 3], 0, 1), ([1, 4, 2], 1, 2)].flatMap {
      (shape: Shape, axis: Int, mask: Int) in
      [
        GradientSample("exchange \(mask) of \(shape)", [shape, shape], [.distinct, .any]) { g, x in
          g.square(g.add(.exchange(Exchange(axis: axis, mask: mask)), [x[0], x[1]]))
        },
        GradientSample("pairs \(mask) of \(shape) in order", [shape], [.distinct]) { g, x in
          g.square(g.exchange(x[0], axis: axis, mask: mask))
        },
      ]
    }
  case .reduce: return Reduce.Kind.allCases.flatMap(samples)
  case .broadcast:
    return [([3], [2, 3], [1]), ([], [2, 3], []), ([1], [1, 1], [0]), ([2, 4], [2, 3, 4], [0, 2])]
      .map { (from: Shape, to: Shape, axes: [Int]) in
        GradientSample("broadcast \(from) to \(to)", [from]) { g, x in
          g.square(g.add(.broadcast(Broadcast(to: to, axes: axes)), [x[0]]))
        }
      }
  case .reshape:
    return [GradientSample("reshape", [[2, 6]]) { g, x in g.square(g.reshape(x[0], to: [3, 4])) }]
  case .transpose:
    return [[0, 1, 2], [1, 0, 2], [2, 0, 1], [1, 2, 0]].map { permutation in
      GradientSample("transpose \(permutation)", [[2, 1, 4]]) { g, x in
        g.square(g.transpose(x[0], permutation))
      }
    }
  case .slice:
    return [
      ([0, 0], [3, 7], [1, 1]), ([1, 2], [3, 7], [1, 2]), ([0, 1], [3, 6], [2, 3]),
      ([2, 6], [3, 7], [1, 1]),
    ].map { (starts: [Int], limits: [Int], strides: [Int]) in
      GradientSample("slice \(starts)..<\(limits) by \(strides)", [[3, 7]]) { g, x in
        g.square(g.slice(x[0], starts: starts, limits: limits, strides: strides))
      }
    }
  case .pad:
    return [([0, 0], [0, 0], [0, 0]), ([1, 0], [0, 2], [0, 1]), ([0, 2], [1, 0], [2, 3])].map {
      (low: [Int], high: [Int], interior: [Int]) in
      GradientSample("pad \(low) \(high) \(interior)", [[2, 3]]) { g, x in
        g.square(g.pad(x[0], low: low, high: high, interior: interior))
      }
    }
  case .concatenate:
    return [
      GradientSample("concatenate", [[2, 1], [2, 3]]) { g, x in
        g.square(g.concatenate([x[0], x[1], x[0]], axis: 1))
      },
      GradientSample("concatenate", [[1, 2, 2], [3, 2, 2]]) { g, x in
        g.square(g.concatenate([x[0], x[1]], axis: 0))
      },
    ]
  case .take:
    return [[0], [2, 0, 2, 1], [1, 1]].map { (places: [Int]) in
      GradientSample("take \(places)", [[2, 3, 2]]) { g, x in
        g.square(g.take(x[0], axis: 1, places: places))
      }
    }
  case .put:
    return [[0, 1, 2], [3, 0, 3]].map { (places: [Int]) in
      GradientSample("put \(places)", [[2, 3, 2]]) { g, x in
        g.square(g.add(.put(Put(axis: 1, places: places, extent: 4)), [x[0]]))
      }
    }
  case .dot: return dotSamples()
  case .convolution: return convolutionSamples()
  case .window: return windowSamples()
  case .stopGradient:
    return [
      GradientSample("stop_gradient", [[2, 3], [2, 3]], stopped: [1]) { g, x in
        g.multiply(x[0], g.stopGradient(g.square(x[1])))
      }
    ]
  }
}

private func samples(of op: Unary) -> [GradientSample] {
  let domain: GradientSample.Domain =
    switch op {
    case .log, .squareRoot, .reciprocalSquareRoot: .positive
    case .reciprocal, .relu, .absolute, .sign, .step: .nonzero
    case .negate, .exp, .tanh, .sigmoid, .softplus, .square, .sine, .cosine, .erf: .any
    }
  return [[], [1], [2, 3]].map { (shape: Shape) in
    GradientSample("\(op) of \(shape.shapeText)", [shape], [domain]) { g, x in g.unary(op, x[0]) }
  }
}

private func samples(of op: Binary) -> [GradientSample] {
  let domains: [GradientSample.Domain] =
    switch op {
    case .divide, .maskPositive: [.any, .nonzero]
    case .power: [.positive, .any]
    case .maximum, .minimum, .greater, .greaterOrEqual, .equal: [.distinct, .distinct]
    case .add, .subtract, .multiply: [.any, .any]
    }
  var result = [[], [1], [2, 3]].map { (shape: Shape) in
    GradientSample("\(op) of \(shape.shapeText)", [shape, shape], domains) { g, x in
      g.binary(op, x[0], x[1])
    }
  }
  let scalar = GradientSample("\(op), scalar right", [[2, 3], []], domains) { g, x in
    g.binary(op, x[0], x[1])
  }
  result.append(scalar)
  if op == .power {
    for exponent in [0.0, 1, 2, 3, -1] {
      result.append(
        GradientSample("power \(exponent) of any base", [[2, 3]], [.nonzero]) { g, x in
          g.binary(.power, x[0], g.constant(exponent, [2, 3]))
        })
    }
  }
  return result
}

private func samples(of kind: Reduce.Kind) -> [GradientSample] {
  [[], [0], [1], [0, 2], [0, 1, 2]].map { (axes: [Int]) in
    GradientSample("\(kind) over \(axes)", [[2, 1, 3]], [.distinct]) { g, x in
      g.add(.reduce(Reduce(kind, axes: axes)), [g.square(x[0])])
    }
  }
}

private func dotSamples() -> [GradientSample] {
  var result: [GradientSample] = []
  for (left, right) in [(false, false), (false, true), (true, false), (true, true)] {
    for (m, k, n) in [(2, 3, 4), (1, 3, 1), (2, 1, 2)] {
      result.append(
        GradientSample(
          "dot \(left) \(right) \(m) \(k) \(n)", [left ? [k, m] : [m, k], right ? [n, k] : [k, n]]
        ) { g, x in
          g.dot(x[0], x[1], transposeLeft: left, transposeRight: right)
        })
    }
  }
  result.append(
    GradientSample("dot of a matrix with itself", [[3, 2]]) { g, x in
      g.dot(x[0], x[0], transposeLeft: true)
    })
  return result
}
