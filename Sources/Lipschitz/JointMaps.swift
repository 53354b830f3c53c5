import Model
import Tensors

/// The values of a stretch as linear maps of its variables: variable 0 is the difference at the
/// entry, variable k the difference of what the k-th activation writes.
struct JointMaps {
  struct Activation {
    let node: Int
    let slopes: SlopeRange
    /// uₖ by variable.
    let argument: [Int: LinearPart]
    let count: Int
  }
  /// Elements of variable 0.
  let entryCount: Int
  private(set) var activations: [Activation] = []
  /// The exit by variable.
  private(set) var exit: [Int: LinearPart] = [:]
  let exitCount: Int

  /// - Parameters:
  ///   - matrices: the dense weights by node, column-major.
  ///   - start: where variable 0 stands, and what it is multiplied by to give that value.
  init(
    _ weights: NetworkWeights, _ stretch: JointStretch, matrices: [Int: JointWeight],
    from start: (value: NetworkValue, part: LinearPart), withRadii: Bool
  ) {
    let network = weights.network
    entryCount = start.part.columns
    exitCount = network.shape(stretch.exit).elementCount
    var values: [NetworkValue: [Int: LinearPart]] = [start.value: [0: start.part]]
    var first = 0
    if case .node(let index) = start.value { first = index + 1 }
    for index in stretch.nodes where index >= first {
      let node = network.nodes[index]
      let operand = values[node.inputs[0]]!
      var result: [Int: LinearPart]
      if let slopes = node.activationSlopes {
        let count = node.outputShape.elementCount
        activations.append(
          Activation(node: index, slopes: slopes, argument: operand, count: count))
        result = [activations.count: .identity(count)]
      } else {
        switch node.operation {
        case .linear(.dense):
          let weight = matrices[index]!
          result = operand.mapValues {
            $0.multiplied(by: weight.matrix, isShort: weight.isShort, withRadii: withRadii)
          }
        case .linear(.scaling(let factor)):
          result = operand.mapValues { $0.scaled(by: factor) }
        case .elementwise(let slopes):
          result = operand.mapValues { $0.scaled(by: slopes.lower) }
        case .weightedSum(let coefficients):
          result = [:]
          for (coefficient, input) in zip(coefficients, node.inputs) where coefficient != 0 {
            for (variable, part) in values[input]! {
              let term = part.scaled(by: coefficient)
              result[variable] = result[variable].map { $0 + term } ?? term
            }
          }
        default:
          let (factors, radii, isShort) = weights.diagonalFactors(of: index)
          result = operand.mapValues { $0.scaled(by: factors, radii: radii, isShort: isShort) }
        }
      }
      values[.node(index)] = result
    }
    exit = values[stretch.exit]!
  }
}

extension JointMaps {
  /// The same with only the first activations.
  func prefix(_ count: Int) -> JointMaps {
    var result = self
    result.activations = Array(activations.prefix(count))
    return result
  }
}

/// The weight of a dense layer for the joint bound.
struct JointWeight {
  let matrix: DoubleMatrix
  /// Whether it came as float32.
  let isShort: Bool
}

extension NetworkWeights {
  func jointWeights(_ stretch: JointStretch) -> [Int: JointWeight] {
    var result: [Int: JointWeight] = [:]
    for index in stretch.nodes {
      guard case .linear(.dense(let weight, let outputs, let inputs)) =
        network.nodes[index].operation
      else { continue }
      switch tensor(weight, of: index).values {
      case .float32(let values):
        result[index] = JointWeight(
          matrix: DoubleMatrix(rowMajor: values, rows: outputs, columns: inputs), isShort: true)
      case .float64(let values):
        result[index] = JointWeight(
          matrix: DoubleMatrix(rowMajor: values, rows: outputs, columns: inputs), isShort: false)
      }
    }
    return result
  }

  private func doubles(_ weight: String, of index: Int) -> (values: [Double], isShort: Bool) {
    switch tensor(weight, of: index).values {
    case .float32(let values): (values.map(Double.init), true)
    case .float64(let values): (values, false)
    }
  }

  /// The numbers by which a diagonal layer multiplies, element by element, with what they may be
  /// off by; `isShort` tells that they are exact and float32.
  fileprivate func diagonalFactors(
    of index: Int
  ) -> (factors: [Double], radii: [Double]?, isShort: Bool) {
    let node = network.nodes[index]
    switch node.operation {
    case .linear(.diagonal(let weight, _)):
      let (values, isShort) = doubles(weight, of: index)
      return (values, nil, isShort)
    case .linear(.normalisation(let scale, let variance, let epsilon, let channels, let count)):
      let scales = scale.map { doubles($0, of: index).values } ?? .init(repeating: 1, count: channels)
      var factors: [Double] = []
      var radii: [Double] = []
      for (a, v) in zip(scales, doubles(variance, of: index).values) {
        // Sum, root and quotient are each rounded once: below 4u relative.
        let factor = a / (v + epsilon).squareRoot()
        factors += [Double](repeating: factor, count: count)
        radii += [Double](
          repeating: 8 * PartRounding.u * factor.magnitude + PartRounding.tiny, count: count)
      }
      return (factors, radii, false)
    default:
      fatalError("lgc's own bug: \(node.kind) is no diagonal layer of a joint bound")
    }
  }
}
