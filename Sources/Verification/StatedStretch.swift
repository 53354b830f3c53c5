/// Multipliers that are said to prove ‖Δexit‖₂ ≤ √square·‖Δentry‖₂.
struct StatedStretch {
  let entry: StatedGraph.Source
  let exit: Int
  /// Node → λ, one per element.
  let multipliers: [Int: [Double]]
  let square: Double

  init(_ fields: Fields, _ graph: StatedGraph) throws(VerificationError) {
    func place(_ field: Fields) throws(VerificationError) -> Int {
      let name = try field.string()
      guard let index = graph.nodes.firstIndex(where: { $0.name == name }) else {
        throw field.fault("names no node")
      }
      return index
    }
    let entry = try fields.field("entry")
    if case .null = entry.json { self.entry = nil } else { self.entry = try place(entry) }
    exit = try place(try fields.field("exit"))
    var multipliers: [Int: [Double]] = [:]
    for activation in try fields.field("activations").list() {
      let node = try place(try activation.field("node"))
      let values = try activation.field("multipliers").reals()
      guard values.count == graph.nodes[node].count, values.allSatisfy({ $0 > 0 }) else {
        throw .refused(
          "a stretch has not one positive multiplier per element", at: graph.nodes[node].name)
      }
      guard multipliers.updateValue(values, forKey: node) == nil else {
        throw .refused("a stretch has two lists of multipliers", at: graph.nodes[node].name)
      }
    }
    self.multipliers = multipliers
    square = try fields.field("square").real()
    guard square >= 0 else { throw fields.fault("has a negative square") }
  }
}
