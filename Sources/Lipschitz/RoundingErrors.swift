import Model
import Rounding
import Tensors

/// How far a float64 evaluation of the network may lie from the real-valued function, for each
/// element of the output and every input x with |x| ≤ `magnitude`; nil where nothing is known.
///
/// Carries m ≥ |value| and e ≥ |computed − exact| through the graph, both rounded up:
/// for W·x + b with n columns, m′ = |W|m + |b| and e′ = |W|e + γ(|W|(m + e) + |b|) with
/// γ = 1.01(n + 8)u, valid for sums in any order; an element-wise φ with slopes at most s has
/// e′ = s·e + 64u(m′ + 1), where the last term is what the library functions are trusted to keep.
func roundingErrors(_ weights: NetworkWeights, magnitude: [Double]) -> [Double]? {
  struct Range {
    var m: [Double]
    var e: [Double]
  }
  let network = weights.network
  let u = 0x1p-53
  var ranges: [Range] = []
  let input = Range(m: magnitude, e: magnitude.map { _ in 0 })
  func range(of value: NetworkValue) -> Range {
    switch value {
    case .input: input
    case .node(let index): ranges[index]
    }
  }
  for (index, node) in network.nodes.enumerated() {
    let operands = node.inputs.map(range)
    let errors = operands.map(\.e)
    // What is added to the operator: biases, by their largest number.
    let added = weights.largestAddend(of: index)
    // Batch normalisation multiplies the mean that it subtracts, too.
    let isNormalisation = if case .linear(.normalisation) = node.operation { true } else { false }
    let read = operands.map { isNormalisation ? $0.m.map { $0 + added } : $0.m }
    guard var m = weights.absoluteImage(of: read, through: index) else { return nil }
    var e: [Double]
    switch node.operation {
    // Many steps whose sizes between are not known.
    case .stored: return nil
    case .linear(let linear) where linear.terms > 1:
      let gamma = Double(linear.terms + 8) * 1.01 * u
      let through = zip(operands[0].m, errors[0]).map { ($1 + gamma * ($0 + $1)) * (1 + 0x1p-40) }
      guard let image = weights.absoluteImage(of: [through], through: index) else { return nil }
      m = m.map { ($0 + added) * (1 + 0x1p-40) }
      e = image.map { ($0 + gamma * added) * (1 + 0x1p-40) }
    default:
      guard let image = weights.absoluteImage(of: errors, through: index) else { return nil }
      // φ(0) is no larger than 1, nor is what a layer adds beside its tensors unless it says so.
      var constant = 1.0
      if case .fromZero(let number, _) = node.layer.reach(node.inputShapes) {
        constant = max(1, number)
      }
      m = m.map { ($0 + added + constant) * (1 + 0x1p-40) }
      e = zip(image, m).map { ($0 + 64 * u * ($1 + 1)) * (1 + 0x1p-40) }
    }
    e = e.map { $0 + 0x1p-900 }
    guard m.allSatisfy(\.isFinite), e.allSatisfy(\.isFinite) else { return nil }
    ranges.append(Range(m: m, e: e))
  }
  return range(of: network.output).e
}

extension LinearOperator {
  /// Products that one element of the result sums up at most.
  fileprivate var terms: Int {
    switch self {
    case .dense(_, _, let inputs): inputs
    case .convolution(_, let geometry):
      geometry.inputs / geometry.groups * geometry.axes.reduce(1) { $0 * $1.kernel }
    case .transposedConvolution(_, let geometry):
      geometry.outputs / geometry.groups * geometry.axes.reduce(1) { $0 * $1.kernel }
    case .separable(_, let axes):
      axes.reduce(0) { sum, axis in sum + 2 * (axis.rows.map(\.columns.count).max() ?? 0) }
    case .diagonal, .scaling, .normalisation: 1
    }
  }
}

extension NetworkWeights {
  fileprivate func largestAddend(of index: Int) -> Double {
    let node = network.nodes[index]
    let multiplied: String? = switch node.operation {
    case .linear(.dense(let weight, _, _)), .linear(.diagonal(let weight, _)): weight
    case .linear(.convolution(let weight, _)), .linear(.transposedConvolution(let weight, _)):
      weight
    default: nil
    }
    return node.readWeights.filter { $0.name != multiplied }.reduce(0) { sum, declaration in
      switch tensor(declaration.name, of: index).values {
      case .float32(let values): sum + Double(values.lazy.map(\.magnitude).max() ?? 0)
      case .float64(let values): sum + (values.lazy.map(\.magnitude).max() ?? 0)
      }
    }
  }
}
