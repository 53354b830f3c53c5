/// A value that passes from one layer of the description to another.
public struct TracedValue: Sendable {
  /// The output of the tracing program that holds it.
  public let output: String
  public let shape: Shape
  /// What it was made for.
  public let origin: Origin
  /// Whether it is of the backward pass.
  public let isGradient: Bool
}

extension Program {
  /// The same computation, whose outputs are all values that pass from one origin to another, in
  /// the order of the computation; no state is changed.
  ///
  /// - Parameter result: the output that the forward pass ends with.
  public func tracing(
    after result: String = "loss"
  ) -> (program: Program, values: [TracedValue]) {
    let end = outputs.first { $0.name == result }?.value.index ?? graph.nodes.count
    var passes = [Bool](repeating: false, count: graph.nodes.count)
    for node in graph.nodes {
      for operand in node.operands where graph[operand].origin != node.origin {
        passes[operand.index] = true
      }
    }
    for output in outputs { passes[output.value.index] = true }
    for update in updates { passes[update.value.index] = true }
    var values: [TracedValue] = []
    var traced = self
    traced.updates = []
    traced.outputs = []
    for (index, node) in graph.nodes.enumerated() where passes[index] {
      guard let origin = node.origin, !node.operands.isEmpty else { continue }
      let value = TracedValue(
        output: "trace \(index)", shape: node.shape, origin: origin, isGradient: index > end)
      values.append(value)
      traced.outputs.append(.init(value.output, Value(index)))
    }
    return (traced, values)
  }
}
