/// What a program must satisfy before and after every pass. A fault found here was made by lgc,
/// never by a description, and the message says so.
extension Program {
  /// Checks in time linear in the graph: operands stand before their users; every shape is the one
  /// its primitive computes; a name of an input or of state has one shape; outputs and updates name
  /// existing values, each name once; an update has its state's shape.
  public func verify() throws(VerifierError) {
    var inputs: [String: Shape] = [:]
    var states: [String: Shape] = [:]
    for (index, node) in graph.nodes.enumerated() {
      try verify(node, at: index)
      switch node.op {
      case .input(let leaf): try verify(leaf.name, node.shape, oneOf: &inputs, "input")
      case .state(let leaf): try verify(leaf.name, node.shape, oneOf: &states, "state")
      default: break
      }
    }
    var outputNames: Set<String> = []
    for output in outputs {
      try verify(output.value, of: "output '\(output.name)'")
      guard outputNames.insert(output.name).inserted else {
        throw fault("two outputs are named '\(output.name)'")
      }
    }
    var updated: Set<String> = []
    for update in updates {
      try verify(update.value, of: "the update of '\(update.state)'")
      guard updated.insert(update.state).inserted else {
        throw fault("state '\(update.state)' is updated twice")
      }
      try verify(update.state, graph.shape(update.value), oneOf: &states, "state")
    }
  }

  private func verify(_ node: GraphNode, at index: Int) throws(VerifierError) {
    // Built only for a fault: this runs for every node after every pass.
    var place: String { "%\(index) (\(node.op.primitive.mnemonic))" }
    var operands: [Shape] = []
    operands.reserveCapacity(node.operands.count)
    for operand in node.operands {
      guard 0..<index ~= operand.index else {
        throw fault("\(place) reads %\(operand.index), which does not stand before it", node.origin)
      }
      operands.append(graph.nodes[operand.index].shape)
    }
    let shape: Shape
    do throws(ShapeError) {
      shape = try node.op.primitive.shape(of: operands)
    } catch {
      throw fault("\(place): \(error)", node.origin)
    }
    guard shape == node.shape else {
      throw fault(
        "\(place) is recorded as \(node.shape.shapeText) but is \(shape.shapeText)", node.origin)
    }
  }

  private func verify(
    _ name: String, _ shape: Shape, oneOf known: inout [String: Shape], _ kind: String
  ) throws(VerifierError) {
    if let first = known.updateValue(shape, forKey: name), first != shape {
      throw fault("\(kind) '\(name)' is both \(first.shapeText) and \(shape.shapeText)")
    }
  }

  private func verify(_ value: Value, of user: String) throws(VerifierError) {
    guard graph.nodes.indices.contains(value.index) else {
      throw fault("\(user) is %\(value.index), which does not exist")
    }
  }

  private func fault(_ message: String, _ origin: Origin? = nil) -> VerifierError {
    VerifierError(program: name, message: message, origin: origin)
  }
}

/// A malformed program: a fault in lgc.
public struct VerifierError: Error, CustomStringConvertible {
  public let program: String
  public let message: String
  public let origin: Origin?

  public var description: String {
    let layer = origin.map { " (made for \($0.name))" } ?? ""
    return "lgc's own bug: program '\(program)' is malformed: \(message)\(layer)"
  }
}
