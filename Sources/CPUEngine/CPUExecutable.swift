import CKernels
import Tensors

/// Compiled programs over one block of state. A run allocates nothing.
public final class CPUExecutable: ProfilingExecutable {
  /// One program, ready to run.
  private struct Runnable {
    var plan: Plan
    var steps: BoundSteps
    var kept: Pages
    var preparation: Preparation?
    /// Numbers of the states that a run changes.
    var updated: [Int]
  }

  /// Steps that must have run since any of some states was last changed.
  private final class Preparation {
    let steps: BoundSteps
    let states: [Int]
    /// The moment of the last run; 0 before the first.
    var moment: UInt64 = 0
    init(_ steps: BoundSteps, _ states: [Int]) {
      self.steps = steps
      self.states = states
    }
  }

  public let states: [String: Shape]
  public let stateBytes: Int
  public let workingBytes: Int
  /// Threads that compute.
  public let threads: Int
  private var programs: [String: Runnable] = [:]
  private var stateAddresses: [String: UnsafeMutableRawPointer] = [:]
  private let planned: PlannedPrograms
  /// State → its number, and by number the moment of its last change; moments count changes.
  private let stateNumbers: [String: Int]
  private var changes: [UInt64]
  private var moment: UInt64 = 1
  private let state: Pages
  private let working: Pages

  init(_ planned: PlannedPrograms) throws(EngineError) {
    self.planned = planned
    threads = planned.threads
    states = planned.states
    stateBytes = planned.stateBytes
    workingBytes = planned.workingBytes
    let names = planned.stateOffsets.keys.sorted()
    let numbers = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    stateNumbers = numbers
    changes = [UInt64](repeating: 1, count: numbers.count)
    state = try Pages(planned.stateBytes)
    for (name, offset) in planned.stateOffsets { stateAddresses[name] = state.base + offset }
    working = try Pages(planned.sharedBytes)
    for plan in planned.plans {
      let kept = try Pages(plan.keptBytes)
      let tiles = working.base + planned.arenaBytes
      let addresses = Addresses(
        arena: working.base, kept: kept.base, states: stateAddresses, scratch: tiles,
        partials: tiles + planned.tileBytes, threads: planned.threads)
      let steps = try BoundSteps(plan, addresses)
      var preparation: Preparation?
      if !plan.preparation.isEmpty {
        preparation = Preparation(
          try BoundSteps(plan, addresses, only: plan.preparation),
          plan.preparedStates.map { numbers[$0]! })
      }
      for constant in plan.constants {
        constant.numbers.write(
          to: steps.address(constant.buffer), count: plan.buffers[constant.buffer].count)
      }
      programs[plan.name] = Runnable(
        plan: plan, steps: steps, kept: kept, preparation: preparation,
        updated: plan.updatedStates.map { numbers[$0]! })
    }
  }

  public var memoryUse: MemoryUse? {
    MemoryUse(
      blocks: 2 + programs.values.reduce(0) { $0 + 1 + $1.steps.blockCount },
      heapBytes: Int(lgc_heap_bytes()))
  }

  // MARK: running

  public func run(_ program: String) throws(EngineError) {
    let runnable = try runnable(program)
    try prepare(runnable)
    try check(runnable.steps.run(nil), runnable)
    noteUpdates(runnable)
  }

  public func run(
    _ program: String, moments: UnsafeMutableBufferPointer<Int64>
  ) throws(EngineError) {
    let runnable = try runnable(program)
    let count = runnable.steps.count
    guard moments.count == count + 1 else {
      throw EngineError("`\(program)` has \(count) steps: \(moments.count) moments do not fit")
    }
    try prepare(runnable)
    try check(runnable.steps.run(moments.baseAddress), runnable)
    noteUpdates(runnable)
  }

  private func prepare(_ runnable: Runnable) throws(EngineError) {
    guard let preparation = runnable.preparation,
      preparation.moment == 0
        || preparation.states.contains(where: { changes[$0] > preparation.moment })
    else { return }
    let failed = preparation.steps.run(nil)
    if failed >= 0 { throw .failed(runnable.plan.preparation[Int(failed)]) }
    preparation.moment = moment
  }

  private func noteUpdates(_ runnable: Runnable) {
    moment += 1
    for state in runnable.updated { changes[state] = moment }
  }

  public func profiledSteps(of program: String) throws(EngineError) -> [ProfiledStep] {
    let plan = try runnable(program).plan
    return plan.steps.map { $0.profiled(plan.buffers) }
  }

  public func kernelMilliseconds(of program: String, runs: Int) throws(EngineError) -> Double {
    let runnable = try runnable(program)
    try prepare(runnable)
    var total = 0.0
    for (index, step) in runnable.plan.steps.enumerated() where step.isContraction {
      var samples: [Int64] = []
      for _ in 0..<max(1, runs) {
        var moments: [Int64] = [0, 0]
        try check(runnable.steps.run(only: index, &moments), runnable)
        samples.append(moments[1] - moments[0])
      }
      total += Double(samples.sorted()[samples.count / 4]) / 1e6
    }
    return total
  }

  private func check(_ failed: Int32, _ runnable: Runnable) throws(EngineError) {
    guard failed >= 0 else { return }
    throw .failed(runnable.plan.steps[Int(failed)])
  }

  private func runnable(_ program: String) throws(EngineError) -> Runnable {
    guard let runnable = programs[program] else { throw .unknownProgram(program) }
    return runnable
  }

  // MARK: values

  public func writeState(
    _ name: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError) {
    let state = try stateMemory(name)
    guard values.count == state.count else { throw .count(name, values.count, state.count) }
    _ = state.update(fromContentsOf: values)
    moment += 1
    changes[stateNumbers[name]!] = moment
  }

  public func readState(
    _ name: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) {
    let state = try stateMemory(name)
    guard values.count == state.count else { throw .count(name, values.count, state.count) }
    _ = values.update(fromContentsOf: state)
  }

  public func writeInput(
    _ name: String, of program: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError) {
    let runnable = try runnable(program)
    guard let input = memory(runnable.plan.inputs[name], runnable) else {
      throw .unknownTensor("input", name, program)
    }
    guard values.count == input.count else { throw .count(name, values.count, input.count) }
    _ = input.update(fromContentsOf: values)
  }

  public func readOutput(
    _ name: String, of program: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError) {
    let runnable = try runnable(program)
    guard let output = memory(runnable.plan.outputs[name], runnable) else {
      throw .unknownTensor("output", name, program)
    }
    guard values.count == output.count else { throw .count(name, values.count, output.count) }
    _ = values.update(fromContentsOf: output)
  }

  private func stateMemory(
    _ name: String
  ) throws(EngineError) -> UnsafeMutableBufferPointer<Float> {
    guard let shape = states[name], let address = stateAddresses[name] else {
      throw EngineError("no program has a state named `\(name)`")
    }
    return UnsafeMutableBufferPointer(
      start: address.assumingMemoryBound(to: Float.self), count: shape.elementCount)
  }

  private func memory(
    _ buffer: Int?, _ runnable: Runnable
  ) -> UnsafeMutableBufferPointer<Float>? {
    buffer.map {
      UnsafeMutableBufferPointer(
        start: runnable.steps.address($0), count: runnable.plan.buffers[$0].count)
    }
  }

  // MARK: text

  /// The plan of a program: memory, steps and buffers.
  public func planText(_ program: String) throws(EngineError) -> String {
    try planned.text(of: program)
  }
}

/// Memory from the system, all zeros; given back when the last reference goes.
final class Pages {
  let base: UnsafeMutableRawPointer
  private let bytes: Int64

  init(_ bytes: Int) throws(EngineError) {
    self.bytes = Int64(max(bytes, 4096))
    guard let pages = lgc_pages(self.bytes) else {
      throw EngineError("the system has no \(bytes) bytes of memory left")
    }
    base = pages
  }

  deinit { lgc_pages_free(base, bytes) }
}

extension ConstantNumbers {
  fileprivate func write(to memory: UnsafeMutablePointer<Float>, count: Int) {
    switch self {
    case .one(let number): memory.update(repeating: number, count: count)
    case .iota(let shape, let axis):
      let inner = shape[(axis + 1)...].reduce(1, *)
      for index in 0..<count { memory[index] = Float(index / inner % shape[axis]) }
    }
  }
}

extension EngineError {
  fileprivate static func failed(_ step: PlannedStep) -> EngineError {
    EngineError("oneDNN could not compute the \(step.label)", origin: step.origin)
  }
  fileprivate static func unknownProgram(_ name: String) -> EngineError {
    EngineError("no compiled program is named `\(name)`")
  }
  fileprivate static func unknownTensor(
    _ kind: String, _ name: String, _ program: String
  ) -> EngineError {
    EngineError("program `\(program)` has no \(kind) named `\(name)`")
  }
  fileprivate static func count(_ name: String, _ given: Int, _ expected: Int) -> EngineError {
    EngineError("`\(name)` has \(expected) elements, not \(given)")
  }
}
