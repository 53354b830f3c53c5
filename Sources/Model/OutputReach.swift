import Rounding
import Tensors

/// How large the elements of a layer's output can be: what bounds the input of a layer that is
/// Lipschitz only where its input is bounded.
public enum OutputReach: Sendable, Hashable {
  case unknown
  /// |y| ≤ factor · max |scale| + Σ max |addend| at every element, whatever is read; scale and
  /// addends are stored tensors, a factor alone where there is no scale.
  case within(Double, scale: String? = nil, plus: [String] = [])
  /// max |f(0)| ≤ constant + Σ max |addend|, so that max |f(x)| is at most that and the layer's linf
  /// constant times max |x|.
  case fromZero(Double, plus: [String] = [])
}

/// max |x| over the elements of the values of a network under construction, from the domain of its
/// input on, for the layers that ask.
struct ElementRanges {
  /// What the elements of the network's input lie in; nil: anywhere.
  let domain: ClosedRange<Double>?
  private var known: [NetworkValue: Range?] = [:]

  private struct Range {
    let largest: StoredBound
    let readsDomain: Bool
  }

  init(domain: ClosedRange<Double>?) { self.domain = domain }

  /// The constants of a layer that is Lipschitz on bounded inputs, and whether they hold on the
  /// domain of the network's input only; nil where an input has no bound.
  mutating func constants(
    of layer: any Layer, _ inputs: [NetworkValue], _ shapes: [Shape], _ nodes: [LayerNode]
  ) -> (constants: StoredConstants, readsDomain: Bool)? {
    guard layer.needsBoundedInput else { return nil }
    var ranges: [Range] = []
    for input in inputs {
      guard let range = range(of: input, nodes) else { return nil }
      ranges.append(range)
    }
    guard let constants = layer.constants(shapes, within: ranges.map(\.largest)) else { return nil }
    return (constants, ranges.contains(where: \.readsDomain))
  }

  private mutating func range(of value: NetworkValue, _ nodes: [LayerNode]) -> Range? {
    if let range = known[value] { return range }
    let result: Range?
    switch value {
    case .input:
      result = domain.map { domain in
        let steps = BoundSteps()
        let largest = max(abs(domain.lowerBound), abs(domain.upperBound))
        return Range(largest: steps.bound(steps.number(largest)), readsDomain: true)
      }
    case .node(let index):
      result = range(behind: nodes[index], nodes)
    }
    known[value] = .some(result)
    return result
  }

  private mutating func range(behind node: LayerNode, _ nodes: [LayerNode]) -> Range? {
    let steps = BoundSteps()
    // Of another layer's tensors the constant speaks by their full names.
    func full(_ weight: String) -> String { "/" + node.tensorName(weight) }
    func sum(_ first: BoundSteps.Term, _ addends: [String]) -> BoundSteps.Term {
      addends.reduce(first) { $0 + steps.largest(full($1)) }
    }
    switch node.layer.reach(node.inputShapes) {
    case .unknown: return nil
    case .within(let factor, let scale, let addends):
      var first = steps.number(factor)
      if let scale { first = first * steps.largest(full(scale)) }
      return Range(largest: steps.bound(sum(first, addends)), readsDomain: false)
    case .fromZero(let constant, let addends):
      var operands: [BoundSteps.Term] = []
      var readsDomain = false
      for input in node.inputs {
        guard let range = range(of: input, nodes) else { return nil }
        operands.append(steps.embed(range.largest))
        readsDomain = readsDomain || range.readsDomain
      }
      guard let image = steps.image(of: operands, node.operation, full) else { return nil }
      let whole = constant == 0 ? image : image + steps.number(constant)
      return Range(largest: steps.bound(sum(whole, addends)), readsDomain: readsDomain)
    }
  }
}

extension BoundSteps {
  /// The steps of another bound, each weight by the name that `name` gives it.
  public func embed(_ bound: StoredBound, _ name: (String) -> String = { $0 }) -> Term {
    var terms: [Term] = []
    for step in bound.steps {
      switch step {
      case .number(let value): terms.append(number(value))
      case .norm(let rows, let norm):
        terms.append(
          self.norm(
            StoredRows(
              name(rows.weight), rows: rows.rows, of: rows.height, columns: rows.columns), norm))
      case .largest(let weight): terms.append(largest(name(weight)))
      case .sum(let a, let b): terms.append(terms[a] + terms[b])
      case .product(let a, let b): terms.append(terms[a] * terms[b])
      case .maximum(let a, let b): terms.append(terms[a].maximum(terms[b]))
      case .root(let a): terms.append(terms[a].squareRoot())
      }
    }
    return terms.last!
  }

  /// The linf constant of an operation times max |x| of what it reads; nil where none is stated.
  fileprivate func image(
    of operands: [Term], _ operation: LayerOperation, _ name: (String) -> String
  ) -> Term? {
    guard let first = operands.first else { return nil }
    let largest = operands.dropFirst().reduce(first) { $0.maximum($1) }
    switch operation {
    case .elementwise(let slopes): return max(abs(slopes.lower), abs(slopes.upper)) * largest
    case .known(let constants): return constants.linf.value * largest
    case .stored(let constants): return embed(constants.linf, name) * largest
    case .weightedSum(let coefficients):
      let terms = zip(coefficients, operands).map { abs($0) * $1 }
      return terms.dropFirst().reduce(terms[0], +)
    case .linear(.scaling(let factor)): return abs(factor) * largest
    case .linear(.diagonal(let weight, _)): return self.largest(name(weight)) * largest
    case .linear(.dense(let weight, let outputs, let inputs)):
      return norm(
        StoredRows(name(weight), rows: 0..<outputs, of: outputs, columns: inputs), .linf) * largest
    case .linear(.convolution(let weight, let geometry)):
      // An output sums one filter's taps, each with some element of the padded input or with 0.
      let taps = geometry.axes.reduce(geometry.inputs / geometry.groups) { $0 * $1.kernel }
      let outputs = geometry.outputs
      return norm(StoredRows(name(weight), rows: 0..<outputs, of: outputs, columns: taps), .linf)
        * largest
    case .linear(.separable(_, let axes)):
      return axes.reduce(UpperBound.one) { $0 * $1.largestRow }.value * largest
    case .linear(.transposedConvolution), .linear(.normalisation), .unbounded: return nil
    }
  }
}

extension AxisMap {
  /// Σ |entries| of a row, at most.
  fileprivate var largestRow: UpperBound {
    rows.map { row in
      UpperBound(proved: row.numerators.reduce(0) { $0 + Double(abs($1)) })
        / LowerBound(proved: Double(abs(row.divisor)))
    }.max() ?? .zero
  }
}

extension DataSection {
  /// What the elements of the model's input lie in where the data are bytes mapped onto `range`, as
  /// real numbers and as float32 has them; nil where nothing bounds them.
  public var inputDomain: ClosedRange<Double>? {
    guard let range, standardize != nil || !standardizesByData else { return nil }
    var (mean, deviation) = ([0.0], [1.0])
    if let standardize { (mean, deviation) = (standardize.mean, standardize.deviation) }
    guard mean.count == deviation.count else { return nil }
    let ends = zip(mean, deviation).flatMap { mean, deviation in
      [range.lowerBound, range.upperBound].map { ($0 - mean) / deviation }
    }
    // The quotient is off by 2⁻⁵² of it at most, and the difference by as much of its operands.
    let slack = standardize == nil ? 0 : ends.reduce(1) { max($0, abs($1)) } * 0x1p-40
    let all = ends.flatMap { [$0 - slack, $0 + slack, Double(Float($0))] }
    return all.min()!...all.max()!
  }
}
