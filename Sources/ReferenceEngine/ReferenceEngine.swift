import Tensors

/// Evaluates programs in float64, one primitive after the other, exactly as the primitives are
/// documented: the oracle that gradients, passes and the other engines are tested against.
public struct ReferenceEngine: Engine {
  public init() {}
  public var name: String { "reference" }

  public func compile(
    _ programs: [Program], options: EngineOptions
  ) throws(EngineError) -> any Executable { try executable(programs) }

  /// The same, with access to the values in Double. Threads would change nothing: there is one.
  public func executable(_ programs: [Program]) throws(EngineError) -> ReferenceExecutable {
    try ReferenceExecutable(programs)
  }

  /// Runs a program once and returns its outputs by name; `state` gives the state it reads.
  public func evaluate(
    _ program: Program, inputs: [String: [Double]] = [:], state: [String: [Double]] = [:]
  ) throws(EngineError) -> [String: [Double]] {
    let executable = try executable([program])
    for (name, values) in inputs { try executable.writeInput(name, of: program.name, values) }
    for (name, values) in state { try executable.writeState(name, values) }
    try executable.run(program.name)
    var results: [String: [Double]] = [:]
    for output in program.outputs {
      results[output.name] = try executable.readOutput(output.name, of: program.name)
    }
    return results
  }

  /// One primitive other than `input` and `state` on row-major operands; `shape` is the result's.
  public static func apply(
    _ op: Op, to operands: [(shape: Shape, values: [Double])], shape: Shape
  ) -> [Double] {
    interpret(op, operands.map { Tensor($0.shape, $0.values) }, shape: shape)
  }
}
