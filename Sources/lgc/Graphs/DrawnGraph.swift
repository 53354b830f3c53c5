import Lipschitz
import Model
import Rounding
import Tensors

/// A network as `lgc graph` draws it: what the formats have in common.
struct DrawnGraph {
  struct Node {
    let name: String
    let kind: String
    let shape: String
    /// `≤ 1`; `no bound` where none is known before training.
    let bound: String
    let isBounded: Bool
    let hasWeights: Bool
    /// Indices of the nodes it reads; nil: the network's input.
    let inputs: [Int?]
    /// `x + 0.5·f(x)` of a residual connection.
    let formula: String?
  }
  let title: String
  let norm: String
  let input: String
  let nodes: [Node]
  /// nil: the input itself.
  let output: Int?
  let total: String

  init(_ analysis: NetworkAnalysis, title: String) {
    let network = analysis.network
    func index(_ value: NetworkValue) -> Int? {
      if case .node(let index) = value { index } else { nil }
    }
    self.title = title
    norm = analysis.norm.rawValue
    input = network.inputShape.shapeText
    output = index(network.output)
    total = Self.text(analysis.total[analysis.norm] ?? .unknown)
    nodes = network.nodes.indices.map { number in
      let node = network.nodes[number]
      let bound = analysis.layers[number].bound
      let block = network.blocks.first { $0.merge == .node(number) }
      return Node(
        name: node.name, kind: node.kind, shape: node.outputShape.shapeText,
        bound: Self.text(bound), isBounded: bound.isFinite, hasWeights: node.parameterCount > 0,
        inputs: node.inputs.map(index), formula: block.map(Self.formula))
    }
  }

  private static func text(_ bound: UpperBound) -> String {
    bound.isFinite ? "≤ \(bound.text(significant: 4))" : "no bound"
  }

  private static func formula(_ block: ResidualBlock) -> String {
    func factor(_ weight: Double) -> String {
      weight == 1 ? "" : "\(weight == weight.rounded() ? String(Int(weight)) : "\(weight)")·"
    }
    switch block.mode {
    case .sum: return "x + \(factor(block.weight))f(x)"
    case .convex:
      return block.weight == 0.5
        ? "½·x + ½·f(x)" : "(1 − w)·x + w·f(x), w = \(block.weight)"
    }
  }

  /// The name of what a node reads.
  func name(_ value: Int?) -> String { value.map { nodes[$0].name } ?? "input" }
}
