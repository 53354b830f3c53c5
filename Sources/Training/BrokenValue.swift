import Diagnostics
import Tensors

/// Where a step's computation first meets a value that is not finite.
struct BrokenValue {
  /// As a note says it.
  let sentence: String
  /// The layer.
  let span: Span?
}

extension BrokenValue {
  /// Looks at the state, then computes the program on it and looks at every value that passes from
  /// one layer to the next, in order. The state stays as it is; nil: all values are finite.
  init?(
    in program: Program, inputs: [String: [Float]], stateOf executable: any Executable,
    engine: any Engine, threads: Int?
  ) throws(DiagnosticError) {
    let (tracing, values) = program.tracing()
    do {
      var states: [String: [Float]] = [:]
      for (name, shape) in tracing.states.sorted(by: { $0.key < $1.key }) {
        let state = try executable.readState(name, count: shape.elementCount)
        guard state.allSatisfy(\.isFinite) else {
          sentence = "`\(name)` was not finite before the step: the update before it went too far"
          span = nil
          return
        }
        states[name] = state
      }
      let traced = try engine.compile([tracing], options: EngineOptions(threads: threads))
      for (name, values) in states { try traced.writeState(name, values) }
      for (name, values) in inputs { try traced.writeInput(name, of: tracing.name, values) }
      try traced.run(tracing.name)
      for value in values {
        let found = try traced.readOutput(
          value.output, of: tracing.name, count: value.shape.elementCount)
        guard !found.allSatisfy(\.isFinite) else { continue }
        let place = (value.isGradient ? "the gradient of " : "") + "`\(value.origin.name)`"
        sentence = "the first values that are not finite are in \(place)"
        span = value.origin.span
        return
      }
    } catch {
      throw DiagnosticError(error)
    }
    return nil
  }
}
