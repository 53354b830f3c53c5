import Tensors

/// Programs under interpretation and the state they share, in Double.
public final class ReferenceExecutable: Executable {
  private struct Loaded {
    let program: Program
    /// For each node the index of its last reader; outputs and updates live to the end.
    let lastUse: [Int]
    var inputs: [String: [Double]] = [:]
    var outputs: [String: [Double]] = [:]
  }

  private var programs: [String: Loaded] = [:]
  private var state: [String: [Double]] = [:]
  public private(set) var states: [String: Shape] = [:]
  public let workingBytes: Int
  public var stateBytes: Int { state.values.reduce(0) { $0 + 8 * $1.count } }

  init(_ programs: [Program]) throws(EngineError) {
    var working = 0
    for program in programs {
      guard self.programs[program.name] == nil else {
        throw EngineError("two programs are named '\(program.name)'")
      }
      do { try program.verify() } catch { throw EngineError(error.description) }
      for (name, shape) in program.states {
        if let known = states[name], known != shape {
          throw EngineError(
            "state '\(name)' is \(known.shapeText) in one program and \(shape.shapeText) in another"
          )
        }
        states[name] = shape
        state[name] = [Double](repeating: 0, count: shape.elementCount)
      }
      let lastUse = Self.lastUses(in: program)
      working = max(working, Self.peakBytes(of: program, lastUse: lastUse))
      self.programs[program.name] = Loaded(program: program, lastUse: lastUse)
    }
    workingBytes = working
  }

  public func run(_ name: String) throws(EngineError) {
    var loaded = try find(name)
    let program = loaded.program
    var values: [[Double]] = []
    values.reserveCapacity(program.graph.nodes.count)
    for (index, node) in program.graph.nodes.enumerated() {
      values.append(try evaluate(node, loaded: loaded, values))
      for operand in node.operands where loaded.lastUse[operand.index] == index {
        values[operand.index] = []
      }
      if loaded.lastUse[index] == index { values[index] = [] }
    }
    for output in program.outputs { loaded.outputs[output.name] = values[output.value.index] }
    for update in program.updates { state[update.state] = values[update.value.index] }
    programs[name] = loaded
  }

  private func evaluate(
    _ node: GraphNode, loaded: Loaded, _ values: [[Double]]
  ) throws(EngineError) -> [Double] {
    switch node.op {
    case .input(let leaf):
      guard let value = loaded.inputs[leaf.name] else {
        throw EngineError(
          "input '\(leaf.name)' of '\(loaded.program.name)' was never written", origin: node.origin)
      }
      return value
    case .state(let leaf): return state[leaf.name]!
    default:
      let operands = node.operands.map { Tensor(loaded.program.graph.shape($0), values[$0.index]) }
      return interpret(node.op, operands, shape: node.shape)
    }
  }

  private func find(_ program: String) throws(EngineError) -> Loaded {
    guard let loaded = programs[program] else { throw EngineError("no program '\(program)'") }
    return loaded
  }

  // MARK: lifetimes

  private static func lastUses(in program: Program) -> [Int] {
    var last = Array(program.graph.nodes.indices)
    for (index, node) in program.graph.nodes.enumerated() {
      for operand in node.operands { last[operand.index] = index }
    }
    for output in program.outputs { last[output.value.index] = .max }
    for update in program.updates { last[update.value.index] = .max }
    return last
  }

  private static func peakBytes(of program: Program, lastUse: [Int]) -> Int {
    var live = 0
    var peak = 0
    var freed: [Int: Int] = [:]
    for (index, node) in program.graph.nodes.enumerated() {
      live += 8 * node.shape.elementCount
      peak = max(peak, live)
      freed[lastUse[index], default: 0] += 8 * node.shape.elementCount
      live -= freed[index] ?? 0
    }
    return peak
  }
}

// MARK: values in Double

extension ReferenceExecutable {
  public func writeState(_ name: String, _ values: [Double]) throws(EngineError) {
    guard let shape = states[name] else { throw EngineError("no state '\(name)'") }
    try Self.check(values.count, shape, "state '\(name)'")
    state[name] = values
  }

  public func readState(_ name: String) throws(EngineError) -> [Double] {
    guard let values = state[name] else { throw EngineError("no state '\(name)'") }
    return values
  }

  public func writeInput(
    _ name: String, of program: String, _ values: [Double]
  ) throws(EngineError) {
    guard let shape = try find(program).program.inputs[name] else {
      throw EngineError("program '\(program)' has no input '\(name)'")
    }
    try Self.check(values.count, shape, "input '\(name)' of '\(program)'")
    programs[program]!.inputs[name] = values
  }

  public func readOutput(_ name: String, of program: String) throws(EngineError) -> [Double] {
    let loaded = try find(program)
    guard let values = loaded.outputs[name] else {
      let exists = loaded.program.outputs.contains { $0.name == name }
      throw EngineError(
        exists
          ? "program '\(program)' has not run yet" : "program '\(program)' has no output '\(name)'")
    }
    return values
  }

  private static func check(_ count: Int, _ shape: Shape, _ what: String) throws(EngineError) {
    guard count == shape.elementCount else {
      throw EngineError("\(count) numbers given for \(what), which is \(shape.shapeText)")
    }
  }
}

// MARK: values in Float

extension ReferenceExecutable {
  public func writeState(
    _ name: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError) { try writeState(name, values.map(Double.init)) }

  public func readState(
    _ name: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) { try Self.copy(try readState(name), into: values) }

  public func writeInput(
    _ name: String, of program: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError) { try writeInput(name, of: program, values.map(Double.init)) }

  public func readOutput(
    _ name: String, of program: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) { try Self.copy(try readOutput(name, of: program), into: values) }

  private static func copy(
    _ source: [Double], into target: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) {
    guard source.count == target.count else {
      throw EngineError("\(target.count) numbers asked for, there are \(source.count)")
    }
    for (index, value) in source.enumerated() { target[index] = Float(value) }
  }
}
