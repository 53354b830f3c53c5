import Diagnostics
import Model
import ReferenceEngine
import Tensors

/// The experiment of a description, or why there is none.
func experiment(_ text: String) throws -> Experiment {
  let (experiment, diagnostics) = loadExperiment(
    SourceFile(path: "example.yaml", text: text), catalogs: catalogs, directory: ".")
  guard let experiment else { throw DiagnosticError(diagnostics) }
  return experiment
}

/// A whole training step, compiled, in Double: the direction its update goes against the slopes of
/// its own objective, taken by running it at weights a little off.
struct StepSlopes {
  let program: Program
  let executable: ReferenceExecutable
  private var start: [String: [Double]] = [:]

  /// - Parameters:
  ///   - program: a step of plain descent, `sgd` without momentum.
  ///   - scale: of the standard normal numbers that every parameter starts at.
  ///   - fixed: parameters that start elsewhere.
  ///   - warmup: run once before the first step.
  init(
    _ program: Program, _ initial: [InitialState], inputs: [String: [Double]],
    scale: Double = 0.5, fixed: [String: [Double]] = [:], warmup: Program? = nil
  ) throws {
    self.program = program
    executable = try ReferenceEngine().executable([program] + (warmup.map { [$0] } ?? []))
    for state in initial where executable.states[state.name] != nil {
      let isWeight = state.name.hasSuffix("weight") || state.name.hasSuffix("bias")
      start[state.name] =
        isWeight
        ? normals(state.shape, seed: Philox.hash(of: state.name)).map { $0 * scale }
        : materialise(state.initializer, shape: state.shape, name: state.name, seed: 3)
          .map(Double.init)
    }
    start.merge(fixed) { _, given in given }
    try reset()
    if let warmup {
      try executable.run(warmup.name)
      for name in start.keys { start[name] = try executable.readState(name) as [Double] }
    }
    for (name, values) in inputs where program.inputs[name] != nil {
      try executable.writeInput(name, of: program.name, values)
    }
    try executable.writeInput("learning_rate", of: program.name, [1.0])
  }

  private func reset() throws {
    for (name, values) in start { try executable.writeState(name, values) }
  }

  /// A step from the start, with some states replaced; the named output of it.
  @discardableResult
  func run(_ output: String, _ changed: [String: [Double]] = [:]) throws -> Double {
    try reset()
    for (name, values) in changed { try executable.writeState(name, values) }
    try executable.run(program.name)
    return try executable.readOutput(output, of: program.name)[0]
  }

  func state(_ name: String) -> [Double] { start[name]! }

  /// What the step subtracts from a parameter.
  func gradient(_ parameter: String) throws -> [Double] {
    try run("loss")
    let after: [Double] = try executable.readState(parameter)
    return zip(start[parameter]!, after).map(-)
  }

  /// ∂(sum of the named outputs)/∂parameter by central differences.
  func differences(of outputs: [String], in parameter: String) throws -> [Double] {
    let step = 1e-5
    return try start[parameter]!.indices.map { index in
      let ends = try [step, -step].map { offset in
        var moved = start[parameter]!
        moved[index] += offset
        return try outputs.reduce(0.0) { try $0 + run($1, [parameter: moved]) }
      }
      return (ends[0] - ends[1]) / (2 * step)
    }
  }

  /// ‖gradient − differences‖ / ‖gradient‖ over all parameters whose names begin so.
  func error(of outputs: [String], prefix: String = "") throws -> (relative: Double, size: Double) {
    var (wrong, size) = (0.0, 0.0)
    for name in start.keys.sorted()
    where name.hasPrefix(prefix) && (name.hasSuffix("weight") || name.hasSuffix("bias")) {
      let gradient = try gradient(name)
      let differences = try differences(of: outputs, in: name)
      wrong += zip(gradient, differences).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      size += gradient.reduce(0) { $0 + $1 * $1 }
    }
    return ((wrong / size).squareRoot(), size.squareRoot())
  }
}
