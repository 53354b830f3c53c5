/// The network that a certificate is about.
struct StatedGraph {
  /// What a node reads: nil for the network's input, else the index of an earlier node.
  typealias Source = Int?

  struct Node {
    let name: String
    let inputs: [Source]
    let operation: StatedOperation
    /// Elements of the output.
    let count: Int
  }

  let inputCount: Int
  let nodes: [Node]
  let output: Source
  /// What every element of the inputs lies in that the claims are about; nil: anywhere.
  let domain: ClosedRange<Double>?

  func count(_ source: Source) -> Int { source.map { nodes[$0].count } ?? inputCount }

  init(_ fields: Fields) throws(VerificationError) {
    inputCount = try Self.elements(try fields.field("input"))
    var nodes: [Node] = []
    var places: [String: Int] = [:]
    func source(_ field: Fields) throws(VerificationError) -> Source {
      if case .null = field.json { return nil }
      guard let index = places[try field.string()] else {
        throw field.fault("names no earlier node")
      }
      return index
    }
    for field in try fields.field("nodes").list() {
      let name = try field.field("name").string()
      var inputs: [Source] = []
      for input in try field.field("inputs").list() { inputs.append(try source(input)) }
      guard !inputs.isEmpty else { throw field.fault("reads nothing") }
      let node = Node(
        name: name, inputs: inputs,
        operation: try StatedOperation(try field.field("operation")),
        count: try Self.elements(try field.field("shape")))
      guard places.updateValue(nodes.count, forKey: name) == nil else {
        throw field.fault("has the name of an earlier node")
      }
      nodes.append(node)
    }
    self.nodes = nodes
    output = try source(try fields.field("output"))
    if let stated = fields.optional("domain") {
      let ends = try stated.reals()
      guard ends.count == 2, ends[0] <= ends[1] else { throw stated.fault("is no interval") }
      domain = ends[0]...ends[1]
    } else {
      domain = nil
    }
    for node in nodes { try check(node) }
  }

  private static func elements(_ field: Fields) throws(VerificationError) -> Int {
    var count = 1
    for extent in try field.integers(in: 1...(1 << 31)) {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 40 else { throw field.fault("is too large") }
      count = product
    }
    return count
  }

  /// Whether the operation fits what the node reads and writes.
  private func check(_ node: Node) throws(VerificationError) {
    func require(_ fits: Bool) throws(VerificationError) {
      if !fits { throw .refused("its operation does not fit its shapes", at: node.name) }
    }
    let inputs = node.inputs.map(count)
    switch node.operation {
    case .linear(let linear):
      try require(inputs.count == 1)
      switch linear {
      case .diagonal(_, let count):
        try require(count > 0 && inputs[0] % count == 0 && node.count == inputs[0])
      case .scaling: try require(node.count == inputs[0])
      case .dense, .convolution, .separable, .normalisation:
        try require(inputs[0] == linear.inputCount && node.count == linear.outputCount)
      }
    case .elementwise: try require(inputs == [node.count])
    case .weightedSum(let coefficients):
      try require(
        coefficients.count == inputs.count && inputs.allSatisfy { $0 == node.count })
    case .known, .stored, .unbounded: break
    }
  }
}
