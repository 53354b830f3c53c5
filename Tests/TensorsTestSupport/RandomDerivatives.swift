import Tensors

extension RandomGraph {
  /// The program with its derivatives beside its own results: outputs `d.NAME`, the gradient of a
  /// random functional Σ ⟨r, y⟩ of all outputs y, and `d.d.NAME`, the gradient of a random
  /// functional of those, by every input and state; `passes` runs before each differentiation.
  public func differentiated(_ passes: (Program) -> Program = { $0 }) -> Program {
    var result = passes(program)
    for order in 1...2 {
      let g = GraphBuilder(result.graph)
      let mark = order == 1 ? "" : "d."
      let targets = result.outputs.filter { order == 1 || $0.name.hasPrefix(mark) }
      var functional = g.constant(0)
      for target in targets {
        // Of the name, so that another result more or less changes nothing.
        let stream = target.name.utf8.reduce(UInt64(order)) { $0 &* 31 &+ UInt64($1) }
        let shape = g.shape(target.value)
        let factors = g.add(g.random(stream: stream, counter: g.constant(0), shape), -0.5)
        functional = g.add(functional, g.sum(g.multiply(factors, target.value)))
      }
      var leaves: [(name: String, value: Value)] = []
      for (index, node) in result.graph.nodes.enumerated() {
        switch node.op {
        case .input(let leaf): leaves.append((leaf.name, Value(index)))
        case .state(let leaf): leaves.append((leaf.name, Value(index)))
        default: break
        }
      }
      let slopes = g.gradient(of: functional, with: leaves.map(\.value))
      result.graph = g.graph
      result.outputs += zip(leaves, slopes).map { .init("d.\(mark)\($0.name)", $1) }
      result = passes(result)
    }
    return result
  }
}
