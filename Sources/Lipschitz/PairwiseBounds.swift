import Diagnostics
import Formats
import Model
import Rounding
import Tensors

/// Lipschitz bounds of the differences fᵢ − fⱼ of a classifier's outputs, per unit of model input.
///
/// A change δ of the input with ‖δ‖ < m/L, where m = f_y(x) − f_j(x) > 0 and L bounds f_y − f_j,
/// cannot bring output j up to output y. One bound for each pair is never worse than what the bound
/// of the whole network gives, ‖e_y − e_j‖·‖f‖ in the dual norm, and of a linear classifier exact.
///
/// Each is the least of what is proved by
/// - the network's bound: 1, √2 or 2 times it in L1, L2, L∞;
/// - the last layer, y = W·h + b: ‖W_y − W_j‖ in the dual norm times the bound of all before it;
/// - L1 and L∞: |W_y − W_j| carried through the absolute values of all matrices;
/// - L2: multipliers for the stretch that ends in the one number f_y − f_j.
///
/// Of a network with one output, the only bound is its own.
public struct PairwiseBounds: Sendable {
  public enum Method: String, Sendable, CaseIterable {
    case network
    case lastLayer = "last layer"
    case absoluteValues = "absolute values"
    case joint
  }

  public let norm: Norm
  public let outputs: Int
  /// Row-major, outputs × outputs, symmetric, 0 on the diagonal; of one output its bound.
  private var constants: [UpperBound]
  private var methods: [Method]

  fileprivate init(norm: Norm, outputs: Int, network: UpperBound) {
    self.norm = norm
    self.outputs = outputs
    constants = [UpperBound](repeating: network, count: outputs * outputs)
    methods = [Method](repeating: .network, count: outputs * outputs)
    if outputs > 1 { for i in 0..<outputs { constants[i * outputs + i] = .zero } }
  }

  public subscript(i: Int, j: Int) -> UpperBound { constants[i * outputs + j] }

  /// The least and the largest of all pairs.
  public var range: (least: UpperBound, largest: UpperBound) {
    let all = pairs.map { self[$0, $1] }
    return (all.min() ?? constants[0], all.max() ?? constants[0])
  }

  /// How many pairs rest on what; without those that none does.
  public var methodCounts: [(method: Method, count: Int)] {
    Method.allCases.map { method in
      (method, pairs.count { methods[$0.0 * outputs + $0.1] == method })
    }.filter { $0.1 > 0 }
  }

  fileprivate var pairs: [(Int, Int)] {
    (0..<outputs).flatMap { i in (i + 1..<max(i + 1, outputs)).map { (i, $0) } }
  }

  fileprivate mutating func lower(_ i: Int, _ j: Int, to bound: UpperBound, by method: Method) {
    // Equal up to rounding is not tighter.
    guard bound.value < self[i, j].value * (1 - 1e-12) else { return }
    for place in [i * outputs + j, j * outputs + i] {
      constants[place] = bound
      methods[place] = method
    }
  }
}

/// Outputs up to which each pair gets a proof of its own.
private let mostOutputs = 20

/// Proves the pairwise bounds of a network whose bound in the same norm is `report`.
public func pairwiseBounds(
  _ weights: NetworkWeights, _ report: BoundReport
) throws(DiagnosticError) -> PairwiseBounds {
  do throws(ProofError) {
    return try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
      try provedPairs(weights, report)
    }
  } catch {
    throw DiagnosticError(error.diagnostic)
  }
}

private func provedPairs(
  _ weights: NetworkWeights, _ report: BoundReport
) throws(ProofError) -> PairwiseBounds {
  let outputs = weights.network.outputShape.elementCount
  guard outputs > 1 else {
    return PairwiseBounds(norm: report.norm, outputs: outputs, network: report.upper)
  }
  // ‖e_i − e_j‖ in the dual norm.
  let spread = dualLength([1, -1].map { UpperBound(proved: abs($0)) }, report.norm)
  var bounds = PairwiseBounds(
    norm: report.norm, outputs: outputs, network: spread * report.upper)
  guard let head = LinearHead(weights) else { return bounds }
  let before = weights.truncated(to: head.operand)
  let body = try networkReport(before, norm: report.norm, layers: report.layers).upper
  let factors = report.norm == .linf ? elementBounds(before) : nil
  for (i, j) in bounds.pairs {
    let row = head.difference(i, j).sizes
    bounds.lower(i, j, to: dualLength(row, report.norm) * body, by: .lastLayer)
    switch report.norm {
    case .linf:
      guard let factors else { continue }
      let total = zip(row, factors).reduce(UpperBound.zero) {
        $0 + $1.0 * UpperBound(proved: $1.1)
      }
      bounds.lower(i, j, to: total, by: .absoluteValues)
    case .l1:
      guard outputs <= mostOutputs, let total = functionalBound(before, row.map(\.value)) else {
        continue
      }
      bounds.lower(i, j, to: total, by: .absoluteValues)
    case .l2:
      guard outputs <= mostOutputs, !report.stretches.isEmpty else { continue }
      let row = head.difference(i, j)
      guard let joint = try jointBound(weights, head, row, report) else { continue }
      // What the rounded row lacks.
      let rest = dualLength(row.errors, .l2) * body
      bounds.lower(i, j, to: joint + rest, by: .joint)
    }
  }
  return bounds
}

/// The norm of a linear functional, as ‖·‖ → |·|: Σ|r| for L∞, max|r| for L1.
private func dualLength(_ row: [UpperBound], _ norm: Norm) -> UpperBound {
  switch norm {
  case .l1: row.max() ?? .zero
  case .l2: row.reduce(.zero) { $0 + $1 * $1 }.squareRoot()
  case .linf: row.reduce(.zero, +)
  }
}

/// The dense layer whose results are the network's outputs, up to their shape.
private struct LinearHead {
  let node: Int
  let operand: NetworkValue
  private let weight: [Double]
  private let inputs: Int

  init?(_ weights: NetworkWeights) {
    let network = weights.network
    var value = network.output
    while case .node(let index) = value, case .linear(.scaling(1)) = network.nodes[index].operation,
      network.nodes[index].inputs.count == 1
    { value = network.nodes[index].inputs[0] }
    guard case .node(let index) = value,
      case .linear(.dense(let weight, let outputs, let inputs)) = network.nodes[index].operation,
      outputs == network.outputShape.elementCount,
      inputs == network.nodes[index].inputShapes[0].elementCount
    else { return nil }
    node = index
    operand = network.nodes[index].inputs[0]
    self.weight = weights.doubles(weight, of: index)
    self.inputs = inputs
  }

  struct Difference {
    /// W_i − W_j rounded to nearest, bounds of |W_i − W_j|, and of what the rounding took.
    var values: [Double] = []
    var sizes: [UpperBound] = []
    var errors: [UpperBound] = []
  }

  func difference(_ i: Int, _ j: Int) -> Difference {
    var result = Difference()
    for column in 0..<inputs {
      let (a, b) = (weight[i * inputs + column], weight[j * inputs + column])
      let up = Directed.sumUp(a, -b)
      let down = Directed.sumDown(a, -b)
      let size = max(up.magnitude, down.magnitude)
      result.values.append(a - b)
      result.sizes.append(UpperBound(proved: size))
      result.errors.append(up == down ? .zero : UpperBound(proved: up - down))
    }
    return result
  }
}

/// f_i − f_j as a network of its own: the last layer has the one row `row`.
private func jointBound(
  _ weights: NetworkWeights, _ head: LinearHead, _ row: LinearHead.Difference,
  _ report: BoundReport
) throws(ProofError) -> UpperBound? {
  guard row.values.contains(where: { $0 != 0 }) else { return nil }
  let single = weights.withHead(head.node, row: row.values)
  var evidence: [JointEvidence] = []
  for stretch in single.network.jointStretches() {
    guard single.network.shape(stretch.entry).elementCount <= 16_384,
      let bound = try JointBound(single, stretch)
    else { continue }
    // The network's own multipliers are good ones for each pair, too.
    let activations = stretch.nodes.filter { single.network.nodes[$0].activationSlopes != nil }
    let known = report.stretches.first {
      $0.entry == stretch.entry && $0.activations.map(\.node) == activations
    }
    let proofs = [
      known.flatMap { bound.proved($0.activations.map { $0.multipliers.map(Double.init) }) },
      bound.fast()?.evidence,
    ].compactMap(\.self)
    if let best = proofs.min(by: { $0.square < $1.square }) { evidence.append(best) }
  }
  guard !evidence.isEmpty else { return nil }
  let layers = report.layers
  let length = dualLength(row.sizes, .l2)
  let fused = report.fused.filter { !$0.nodes.contains(head.node) }
  return compose(single.network, stretches: evidence, fused: fused) {
    $0 == head.node ? length : layers[$0].bound.upper
  }.total
}

extension NetworkWeights {
  /// The same tensors, with `value` for the output.
  fileprivate func truncated(to value: NetworkValue) -> NetworkWeights {
    NetworkWeights(network.with(output: value, nodes: network.nodes), checked: tensors)
  }

  /// One output: the dense layer `index` with one row in place of its matrix.
  fileprivate func withHead(_ index: Int, row: [Double]) -> NetworkWeights {
    let node = network.nodes[index]
    let declaration = WeightDeclaration("row", [1, row.count], .constant(0))
    let replacement = LayerNode(
      name: node.name, kind: node.kind, layer: node.layer, inputs: node.inputs,
      inputShapes: node.inputShapes, outputShape: [1], weights: [declaration],
      operation: .linear(.dense(weight: "row", outputs: 1, inputs: row.count)), declared: nil,
      span: node.span, kindSpan: node.kindSpan, scope: node.scope)
    var nodes = network.nodes
    nodes[index] = replacement
    let name = replacement.tensorName("row")
    var tensors = tensors
    tensors[name] = NamedTensor(name: name, shape: [1, row.count], values: .float64(row))
    return NetworkWeights(network.with(output: .node(index), nodes: nodes), checked: tensors)
  }
}

extension Network {
  fileprivate func with(output: NetworkValue, nodes: [LayerNode]) -> Network {
    Network(
      name: name, inputShape: inputShape, norm: norm, nodes: nodes, output: output, blocks: [],
      span: span, noise: noise, classes: classes)
  }
}
