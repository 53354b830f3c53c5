import Rounding

extension StatedGraph {
  /// The bound of the whole network that the operators' bounds compose to, rounded up.
  ///
  /// L(input) = 1; an operator of constant K has L = K·‖(L(x₁), L(x₂), …)‖ in the norm, and a
  /// weighted sum Σ |cᵢ|·L(xᵢ). Where every operand is constant (L = 0), or K is 0, so is the result.
  /// At the end of a stretch √square·L(entry) holds too, and behind a pair its bound times L of what
  /// the first of the two reads.
  func composed(
    _ norm: Norm, _ bounds: [Double], stretches: [StatedStretch] = [], pairs: [StatedPair] = []
  ) -> Double {
    var values: [Double] = []
    func times(_ a: Double, _ b: Double) -> Double {
      a == 0 || b == 0 ? 0 : Directed.productUp(a, b)
    }
    func plus(_ a: Double, _ b: Double) -> Double { Directed.sumUp(a, b) }
    func shorten(_ index: Int) {
      for pair in pairs where pair.second == index {
        let entry = nodes[pair.first].inputs[0].map { values[$0] } ?? 1
        values[index] = min(values[index], times(pair.bound, entry))
      }
      for stretch in stretches where stretch.exit == index {
        let entry = stretch.entry.map { values[$0] } ?? 1
        values[index] = min(
          values[index], times(Directed.squareRootUp(stretch.square), entry))
      }
    }
    for (index, node) in nodes.enumerated() {
      let operands = node.inputs.map { $0.map { values[$0] } ?? 1 }
      if case .weightedSum(let coefficients) = node.operation {
        values.append(
          zip(coefficients, operands).reduce(0) { plus($0, times($1.0.magnitude, $1.1)) })
        shorten(index)
        continue
      }
      let stacked: Double
      switch norm {
      case _ where operands.count == 1: stacked = operands[0]
      case .l1: stacked = operands.reduce(0, plus)
      case .l2: stacked = lengthUp(operands)
      case .linf: stacked = operands.max() ?? 0
      }
      values.append(times(bounds[index], stacked))
      shorten(index)
    }
    return output.map { values[$0] } ?? 1
  }
}
