extension Program {
  /// A readable, stable form, one node a line:
  ///
  ///     program train
  ///     %0 = input "x" : 128×784
  ///     %2 = dot NT %0 %1 : 128×512  # fc1
  ///     output loss = %40
  ///     state fc1.weight ← %61
  public var text: String {
    var lines = ["program \(name)"]
    for (index, node) in graph.nodes.enumerated() {
      let primitive = node.op.primitive
      var words = ["%\(index) = \(primitive.mnemonic)"]
      if !primitive.attributes.isEmpty { words.append(primitive.attributes) }
      words += node.operands.map { "%\($0.index)" }
      var line = words.joined(separator: " ") + " : " + node.shape.shapeText
      if let origin = node.origin { line += "  # \(origin.name)" }
      lines.append(line)
    }
    lines += outputs.map { "output \($0.name) = %\($0.value.index)" }
    lines += updates.map { "state \($0.state) ← %\($0.value.index)" }
    return lines.joined(separator: "\n") + "\n"
  }
}
