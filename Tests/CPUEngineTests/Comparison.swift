import ReferenceEngine
import Tensors
import Testing

@testable import CPUEngine

/// Reproducible numbers for tests.
struct Numbers: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func values(_ count: Int, in range: ClosedRange<Float> = -2...2) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }
}

/// Every way to plan a program; all of them must give the same values.
let everyPlan: [PlanOptions] = [true, false].flatMap { fusion in
  [true, false].flatMap { inPlace in
    [true, false].map { reuse in
      PlanOptions(fusion: fusion, inPlace: inPlace, reuse: reuse)
    }
  }
}

/// Runs programs on the reference engine and on the CPU engine under every given plan and thread
/// count, and expects equal outputs and states after every run.
struct Comparison {
  var programs: [Program]
  /// Program names in the order of the runs.
  var runs: [String]
  var inputs: [String: [String: [Float]]] = [:]
  var states: [String: [Float]] = [:]
  /// Relative to the largest magnitude of a tensor, at least 1.
  var tolerance: Double = 3e-6
  var plans: [PlanOptions] = [PlanOptions()]
  var threads: [Int] = [1, 2]

  /// All inputs and states random.
  init(
    _ programs: [Program], runs: [String], seed: UInt64, range: ClosedRange<Float> = -2...2
  ) {
    self.programs = programs
    self.runs = runs
    var numbers = Numbers(seed: seed)
    for program in programs {
      for (name, shape) in program.inputs.sorted(by: { $0.key < $1.key }) {
        inputs[program.name, default: [:]][name] =
          numbers.values(shape.elementCount, in: range)
      }
      for (name, shape) in program.states.sorted(by: { $0.key < $1.key }) {
        states[name] = numbers.values(shape.elementCount, in: range)
      }
    }
  }

  func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let expected = try results(of: ReferenceEngine(), EngineOptions())
    for plan in plans {
      for count in threads {
        let got = try results(of: CPUEngine(plan: plan), EngineOptions(threads: count))
        for (name, values) in expected.sorted(by: { $0.key < $1.key }) {
          let error = largestError(got[name]!, values)
          #expect(
            error <= tolerance, "\(name) is off by \(error), \(plan), \(count) threads",
            sourceLocation: sourceLocation)
        }
      }
    }
  }

  /// Outputs after every run and states after the last, by name.
  func results(
    of engine: some Engine, _ options: EngineOptions
  ) throws -> [String: [Float]] {
    let executable = try engine.compile(programs, options: options)
    for (program, values) in inputs {
      for (name, numbers) in values {
        try executable.writeInput(name, of: program, numbers)
      }
    }
    for (name, numbers) in states { try executable.writeState(name, numbers) }
    var results: [String: [Float]] = [:]
    for (index, run) in runs.enumerated() {
      try executable.run(run)
      let program = programs.first { $0.name == run }!
      for output in program.outputs {
        results["\(index).\(run).\(output.name)"] = try executable.readOutput(
          output.name, of: run, count: program.graph.shape(output.value).elementCount)
      }
    }
    for (name, shape) in executable.states {
      results["state \(name)"] = try executable.readState(name, count: shape.elementCount)
    }
    return results
  }
}

/// max |a − b| relative to max(1, max |b|); infinite where only one is not finite.
func largestError(_ a: [Float], _ b: [Float]) -> Double {
  guard a.count == b.count else { return .infinity }
  var error = 0.0
  var scale = 1.0
  for (x, y) in zip(a, b) {
    if x.isNaN && y.isNaN || x == y { continue }
    guard x.isFinite, y.isFinite else { return .infinity }
    error = max(error, Double(abs(x - y)))
  }
  for y in b where y.isFinite { scale = max(scale, Double(abs(y))) }
  return error / scale
}
