import Formats
import Rounding

/// The bound of a whole network in L∞ or L1 through absolute values, computed anew, rounded up.
///
/// L∞: a(input) = 1, a(W·x) = |W|·a(x), a(φ(x)) = max|φ′|·a(x), a(Σ cₖxₖ) = Σ |cₖ|·a(xₖ), and
/// K·max a(x) everywhere for an operation of which only the constant K is known; the largest
/// element at the output. L1: the same transposed, from the output back to the input.
struct AbsoluteValueCheck {
  let graph: StatedGraph
  let weights: StoredWeights
  /// What was proved of each node by itself in the norm asked for.
  let operatorBounds: [Double]

  func bound(_ norm: Norm) throws(VerificationError) -> Double {
    switch norm {
    case .linf: try forward()
    case .l1: try backward()
    case .l2: throw .refused("absolute values bound l1 and linf only")
    }
  }

  private func forward() throws(VerificationError) -> Double {
    var values: [[Double]] = []
    let ones = [Double](repeating: 1, count: graph.inputCount)
    for node in graph.nodes {
      let operands = node.inputs.map { $0.map { values[$0] } ?? ones }
      switch node.operation {
      case .linear(let linear):
        values.append(try image(of: operands[0], through: linear, node, isTransposed: false))
      case .elementwise(let lower, let upper):
        let slope = max(lower.magnitude, upper.magnitude)
        values.append(operands[0].map { Directed.productUp($0, slope) })
      case .weightedSum(let coefficients):
        var sum = [Double](repeating: 0, count: node.count)
        for (coefficient, operand) in zip(coefficients, operands) {
          add(operand, times: coefficient.magnitude, to: &sum)
        }
        values.append(sum)
      case .known(let constants):
        let largest = operands.compactMap { $0.max() }.max() ?? 0
        values.append(
          [Double](repeating: try spread(largest, constants[.linf]!, node), count: node.count))
      case .stored:
        let largest = operands.compactMap { $0.max() }.max() ?? 0
        let constant = operatorBounds[values.count]
        values.append(
          [Double](repeating: try spread(largest, constant, node), count: node.count))
      case .unbounded: throw unbounded(node)
      }
    }
    return graph.output.map { values[$0].max() ?? 0 } ?? 1
  }

  private func backward() throws(VerificationError) -> Double {
    var cotangents = graph.nodes.map { [Double](repeating: 0, count: $0.count) }
    var atInput = [Double](repeating: 0, count: graph.inputCount)
    func add(_ terms: [Double], to source: StatedGraph.Source) {
      if let source {
        self.add(terms, times: 1, to: &cotangents[source])
      } else {
        self.add(terms, times: 1, to: &atInput)
      }
    }
    add([Double](repeating: 1, count: graph.count(graph.output)), to: graph.output)
    for (index, node) in graph.nodes.enumerated().reversed() {
      let cotangent = cotangents[index]
      if cotangent.allSatisfy({ $0 == 0 }) { continue }
      for (position, source) in node.inputs.enumerated() {
        switch node.operation {
        case .linear(let linear):
          add(try image(of: cotangent, through: linear, node, isTransposed: true), to: source)
        case .elementwise(let lower, let upper):
          let slope = max(lower.magnitude, upper.magnitude)
          add(cotangent.map { Directed.productUp($0, slope) }, to: source)
        case .weightedSum(let coefficients):
          let factor = coefficients[position].magnitude
          add(cotangent.map { Directed.productUp($0, factor) }, to: source)
        case .known(let constants):
          let value = try spread(cotangent.max() ?? 0, constants[.l1]!, node)
          add([Double](repeating: value, count: graph.count(source)), to: source)
        case .stored:
          let value = try spread(cotangent.max() ?? 0, operatorBounds[index], node)
          add([Double](repeating: value, count: graph.count(source)), to: source)
        case .unbounded: throw unbounded(node)
        }
      }
      cotangents[index] = []
    }
    return atInput.max() ?? 0
  }

  private func unbounded(_ node: StatedGraph.Node) -> VerificationError {
    .refused("it has no finite constant, and a bound is stated", at: node.name)
  }

  private func spread(
    _ value: Double, _ constant: Double, _ node: StatedGraph.Node
  ) throws(VerificationError) -> Double {
    guard constant.isFinite else { throw unbounded(node) }
    return value == 0 ? 0 : Directed.productUp(value, constant)
  }

  private func add(_ terms: [Double], times factor: Double, to sum: inout [Double]) {
    for index in sum.indices {
      sum[index] = Directed.sumUp(sum[index], Directed.productUp(terms[index], factor))
    }
  }

  /// |T|·x, or |T|ᵀ·x.
  private func image(
    of x: [Double], through linear: StatedOperator, _ node: StatedGraph.Node, isTransposed: Bool
  ) throws(VerificationError) -> [Double] {
    switch linear {
    case .dense(let weight, let outputs, let inputs):
      switch try weights.tensor(weight, shape: [outputs, inputs]).values {
      case .float32(let values):
        return absoluteProduct(values, outputs, inputs, x, isTransposed: isTransposed)
      case .float64(let values):
        return absoluteProduct(values, outputs, inputs, x, isTransposed: isTransposed)
      }
    case .diagonal(let weight, let count):
      let numbers = try weights.numbers(weight, shape: [count])
      let size = x.count / count
      return x.indices.map { Directed.productUp(x[$0], numbers[$0 / size].magnitude) }
    case .scaling(let factor): return x.map { Directed.productUp($0, factor.magnitude) }
    case .convolution(let weight, let geometry, let isAdjoint):
      let numbers = try weights.numbers(weight, shape: geometry.weightShape)
      return AbsoluteConvolutionCheck(geometry, numbers)
        .image(of: x, isTransposed: isAdjoint != isTransposed)
    case .separable(let channels, let axes):
      return absoluteSeparable(axes, channels: channels, x, isTransposed: isTransposed)
    case .normalisation(let scale, let variance, let epsilon, let channels, let count):
      let factors = try OperatorCheck(weights: weights, norm: .linf)
        .normalisationFactors(scale, variance, epsilon, channels: channels).map(\.upper)
      return x.indices.map { Directed.productUp(x[$0], factors[$0 / count]) }
    }
  }
}

/// |W|·x or |W|ᵀ·x rounded up, W row-major, x ≥ 0.
private func absoluteProduct<Number: StoredNumber>(
  _ weight: [Number], _ rows: Int, _ columns: Int, _ x: [Double], isTransposed: Bool
) -> [Double] {
  var sums = [ExactSum](repeating: ExactSum(), count: isTransposed ? columns : rows)
  weight.withUnsafeBufferPointer { w in
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        for column in 0..<columns {
          let size = Double(w[row * columns + column].magnitude)
          if isTransposed {
            sums[column].add(size, times: x[row])
          } else {
            sums[row].add(size, times: x[column])
          }
        }
      }
    }
  }
  return sums.map(\.upper)
}
