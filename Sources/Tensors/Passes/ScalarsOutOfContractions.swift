extension Program {
  /// A scalar factor (a number, a sign, a broadcast scalar) of either operand of a dot or of a
  /// convolution in any of its forms moves to the result: x·(s·W) → s·(x·W).
  ///
  /// A factor moves where the operand that then need not be scaled is larger than the result, or as
  /// large and read by nobody else: the multiplication, and with it the sum that is the factor's
  /// gradient, then runs over the smaller of the two. It must run before differentiation for the
  /// gradient to profit. So spectral normalisation of a dense layer never holds W/σ; of a
  /// convolution it does where the kernel is smaller than the images, which is the cheaper way.
  public func withScalarsOutOfContractions() -> Program {
    let readers = readerCounts
    return rewritten { g, node, operands in
      switch node.op {
      case .dot, .convolution: break
      default: return g.keep(node, operands)
      }
      let result = node.shape.elementCount
      var factors = operands
      var scale = Scale()
      for side in 0...1 {
        let size = g.shape(operands[side]).elementCount
        let isAlone = readers[node.operands[side].index] == 1
        guard size > result || size == result && isAlone else { continue }
        while let unscaled = g.peel(factors[side], &scale) { factors[side] = unscaled }
      }
      if factors == operands { return g.keep(node, operands) }
      return g.multiply(g.keep(node, factors), by: scale)
    }
  }

  /// How many operands, outputs and updates each node is.
  private var readerCounts: [Int] {
    var counts = [Int](repeating: 0, count: graph.nodes.count)
    for node in graph.nodes { for operand in node.operands { counts[operand.index] += 1 } }
    for output in outputs { counts[output.value.index] += 1 }
    for update in updates { counts[update.value.index] += 1 }
    return counts
  }
}

/// number · Π scalars / Π divisors
private struct Scale {
  var number = 1.0
  var scalars: [Value] = []
  var divisors: [Value] = []
}

extension GraphBuilder {
  /// The tensor under one factor of `value`, the factor gathered in `scale`; nil if there is none.
  fileprivate func peel(_ value: Value, _ scale: inout Scale) -> Value? {
    let node = graph[value]
    switch node.op {
    case .unary(.negate):
      scale.number = -scale.number
      return node.operands[0]
    case .binary(.multiply):
      for (tensor, factor) in [(0, 1), (1, 0)] {
        if let number = number(node.operands[factor]) {
          scale.number *= number
        } else if let scalar = scalar(node.operands[factor]) {
          scale.scalars.append(scalar)
        } else {
          continue
        }
        return node.operands[tensor]
      }
      return nil
    case .binary(.divide):
      guard let divisor = scalar(node.operands[1]) else { return nil }
      scale.divisors.append(divisor)
      return node.operands[0]
    default: return nil
    }
  }

  /// The scalar that `value` holds at every element.
  private func scalar(_ value: Value) -> Value? {
    guard case .broadcast(let broadcast) = graph[value].op, broadcast.axes.isEmpty else {
      return nil
    }
    return graph[value].operands[0]
  }

  /// One multiplication of the whole tensor, whatever the number of factors.
  fileprivate func multiply(_ product: Value, by scale: Scale) -> Value {
    var factors = scale.scalars
    if let first = scale.divisors.first {
      let divisor = scale.divisors.dropFirst().reduce(first) { multiply($0, $1) }
      factors.append(unary(.reciprocal, divisor))
    }
    guard let first = factors.first else { return multiply(product, scale.number) }
    var factor = factors.dropFirst().reduce(first) { multiply($0, $1) }
    if scale.number != 1 { factor = multiply(factor, scale.number) }
    return multiply(product, factor)
  }
}
