import Model
import Rounding

/// Lipschitz bounds of every value of a network, seen from its input.
public struct Composition: Sendable {
  /// `values[i]` bounds the map from the network's input to the output of node i.
  public let values: [UpperBound]
  /// The bound of the whole network: input to output.
  public let total: UpperBound

  public init(values: [UpperBound], total: UpperBound) {
    self.values = values
    self.total = total
  }
}

/// Carries layer bounds through the graph in execution order.
///
/// With L(input) = 1, a layer with constant K reading one value has L = K·L(operand); a weighted
/// sum y = Σ cᵢ·xᵢ has L = Σ |cᵢ|·L(xᵢ). A layer that reads several values has its constant with
/// respect to all of them side by side, so L = K·‖(L(x₁), L(x₂), …)‖ in the same norm. Every
/// operation rounds up.
///
/// - Parameter layerBound: the layer's own constant by node index; not asked for weighted sums.
public func compose(
  _ network: Network, norm: Norm, layerBound: (Int) -> UpperBound
) -> Composition {
  compose(network, norm: norm, from: .input, layerBound: layerBound)
}

/// The same in L2 with stretches that are proved as a whole, where L(exit) is the smaller of what the
/// layers compose to and factor·L(entry), and with pairs of layers that are bounded as one operator.
public func compose(
  _ network: Network, stretches: [JointEvidence] = [], fused: [FusedBound] = [],
  layerBound: (Int) -> UpperBound
) -> Composition {
  compose(
    network, norm: .l2, from: .input, stretches: stretches, fused: fused, layerBound: layerBound)
}

/// The same seen from another value than the input, for what lies between the ends of a block:
/// L(source) = 1, and 0 for every value that does not depend on it. Nodes after `last` are left out.
func compose(
  _ network: Network, norm: Norm, from source: NetworkValue, through last: Int? = nil,
  stretches: [JointEvidence] = [], fused: [FusedBound] = [], layerBound: (Int) -> UpperBound
) -> Composition {
  var first = 0
  if case .node(let index) = source { first = index + 1 }
  var values = [UpperBound](repeating: .zero, count: first)
  values.reserveCapacity(network.nodes.count)
  func bound(of value: NetworkValue) -> UpperBound {
    switch value {
    case source: .one
    case .input: .zero
    case .node(let index): values[index]
    }
  }
  let end = last ?? network.nodes.count - 1
  guard first <= end else { return Composition(values: values, total: bound(of: network.output)) }
  for index in first...end {
    let node = network.nodes[index]
    let operands = node.inputs.map(bound)
    if case .weightedSum(let coefficients) = node.operation {
      values.append(
        zip(coefficients, operands).reduce(.zero) { $0 + UpperBound(proved: abs($1.0)) * $1.1 })
    } else {
      let stacked = stack(operands, norm: norm)
      values.append(stacked == .zero ? .zero : layerBound(index) * stacked)
    }
    for pair in fused where pair.nodes.last == index {
      values[index] = min(values[index], pair.upper * bound(of: pair.entry))
    }
    for stretch in stretches where stretch.exit == .node(index) {
      values[index] = min(values[index], stretch.factor * bound(of: stretch.entry))
    }
  }
  return Composition(
    values: values, total: last == nil ? bound(of: network.output) : values[end])
}

extension Network {
  /// The bounds of `values` as maps of the value `entry` alone, all computed up to node `last`.
  func bounds(
    of values: [NetworkValue], from entry: NetworkValue, through last: NetworkValue, norm: Norm,
    layerBound: (Int) -> UpperBound
  ) -> [UpperBound] {
    guard case .node(let index) = last else { return values.map { _ in .one } }
    let inside = compose(self, norm: norm, from: entry, through: index, layerBound: layerBound)
    return values.map { value in
      if value == entry { return .one }
      if case .node(let index) = value { return inside.values[index] }
      return .zero
    }
  }
}

extension ResidualBlock {
  /// What the block contributes, per unit of its input: f alone, its shortcut, and their sum.
  func bounds(
    in network: Network, norm: Norm, layerBound: (Int) -> UpperBound
  ) -> (body: UpperBound, shortcut: UpperBound, sum: UpperBound) {
    let bounds = network.bounds(
      of: [body, shortcut, merge], from: entry, through: merge, norm: norm, layerBound: layerBound)
    return (bounds[0], bounds[1], bounds[2])
  }
}

extension Branching {
  /// The bound of each branch, and of the whole block, per unit of its input.
  func bounds(
    in network: Network, norm: Norm, layerBound: (Int) -> UpperBound
  ) -> (branches: [UpperBound], whole: UpperBound) {
    let bounds = network.bounds(
      of: branches + [merge], from: entry, through: merge, norm: norm, layerBound: layerBound)
    return (Array(bounds.dropLast()), bounds.last!)
  }
}

/// ‖(a₁, a₂, …)‖ rounded up: the bound of the map to all of (x₁, x₂, …) side by side.
private func stack(_ bounds: [UpperBound], norm: Norm) -> UpperBound {
  if bounds.count == 1 { return bounds[0] }
  switch norm {
  case .l1: return bounds.reduce(.zero, +)
  case .l2: return bounds.reduce(.zero) { $0 + $1 * $1 }.squareRoot()
  case .linf: return bounds.max() ?? .zero
  }
}

/// The constant that an operation has whatever the stored tensors are; nil where they decide
/// (`.linear` of a stored tensor), `.unknown` where none exists.
///
/// For `.weightedSum` it is the constant with respect to all operands side by side:
/// max |cᵢ| in L1, (Σ cᵢ²)^½ in L2, Σ |cᵢ| in L∞. `compose` does better and does not ask for it.
public func operationBound(_ operation: LayerOperation, norm: Norm) -> UpperBound? {
  switch operation {
  case .linear(.scaling(let factor)):
    return UpperBound(proved: abs(factor))
  case .linear(.separable(_, let axes)):
    func sums(_ norm: Norm) -> UpperBound {
      (try? separableBound(axes, norm: norm))?.upper ?? .unknown
    }
    // ‖A‖₂² ≤ ‖A‖₁·‖A‖∞, exact for windows that do not overlap; a proof of the singular value, which
    // may be less, is not for every check.
    return norm == .l2 ? (sums(.l1) * sums(.linf)).squareRoot() : sums(norm)
  case .linear:
    return nil
  case .stored(let constants):
    return constants[norm].number
  case .elementwise(let slopes):
    return UpperBound(proved: max(abs(slopes.lower), abs(slopes.upper)))
  case .known(let constants):
    return constants[norm]
  case .weightedSum(let coefficients):
    let sizes = coefficients.map { UpperBound(proved: abs($0)) }
    switch norm {
    case .l1: return sizes.max() ?? .zero
    case .l2: return stack(sizes, norm: .l2)
    case .linf: return stack(sizes, norm: .l1)
    }
  case .unbounded:
    return .unknown
  }
}
