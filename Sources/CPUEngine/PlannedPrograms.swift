import CKernels
import Tensors

/// Programs planned for one block of state: all sizes are known, nothing is allocated yet.
public struct PlannedPrograms {
  let states: [String: Shape]
  /// Bytes from the start of the state block.
  let stateOffsets: [String: Int]
  let stateBytes: Int
  let plans: [Plan]
  /// Working memory that all programs share: arrays, then the tiles of the loops, then partial
  /// results.
  let arenaBytes: Int
  let tileBytes: Int
  let partialBytes: Int
  let threads: Int

  init(_ programs: [Program], _ options: PlanOptions) throws(EngineError) {
    threads = options.threads
    let states = try PlannedPrograms.sharedStates(programs)
    var offsets: [String: Int] = [:]
    var bytes = 0
    for (name, shape) in states.sorted(by: { $0.key < $1.key }) {
      offsets[name] = bytes
      bytes += (shape.elementCount * 4 + 63) / 64 * 64 + PlannedPrograms.stagger
    }
    self.states = states
    stateOffsets = offsets
    stateBytes = bytes
    var plans: [Plan] = []
    for program in programs { plans.append(try Planner.plan(program, options)) }
    self.plans = plans
    let steps = plans.flatMap { $0.steps + $0.preparation }
    let loops = steps.compactMap { step -> (scratch: Int, partials: Int)? in
      if case .loop(let loop) = step.work { loop.memory } else { nil }
    }
    arenaBytes = PlannedPrograms.rounded(plans.map(\.arenaBytes).max() ?? 0)
    tileBytes = PlannedPrograms.rounded((loops.map(\.scratch).max() ?? 0) * options.threads)
    partialBytes = loops.map(\.partials).max() ?? 0
  }

  var sharedBytes: Int { arenaBytes + tileBytes + partialBytes }
  var workingBytes: Int { sharedBytes + plans.reduce(0) { $0 + $1.keptBytes } }

  /// Bytes between states. Adam streams a parameter and its moments together; were they a multiple
  /// of 4 KiB apart, the cache would take stores to one for loads from another.
  private static let stagger = 832

  private static func rounded(_ bytes: Int) -> Int { (bytes + 4095) / 4096 * 4096 }

  private static func sharedStates(
    _ programs: [Program]
  ) throws(EngineError) -> [String: Shape] {
    var states: [String: Shape] = [:]
    for program in programs {
      for (name, shape) in program.states {
        if let other = states[name], other != shape {
          throw EngineError(
            "state `\(name)` is \(other.shapeText) in one program and \(shape.shapeText) in another"
          )
        }
        states[name] = shape
      }
    }
    return states
  }

  /// The plan of a program: memory, steps and buffers.
  public func text(of program: String) throws(EngineError) -> String {
    guard let plan = plans.first(where: { $0.name == program }) else {
      throw EngineError("no compiled program is named `\(program)`")
    }
    return PlanText(
      plan: plan, states: states, stateBytes: stateBytes, threads: threads,
      besides: tileBytes + partialBytes
    ).text
  }
}

// MARK: memory

extension PlannedPrograms {
  /// Refuses what does not fit, before anything is allocated: `other` are the bytes that the caller
  /// will hold besides, `limit` what there is, nil for what the machine can give.
  func check(limit: Int?, other: Int) throws(EngineError) {
    let measured = Int(lgc_available_bytes("/proc", "/sys/fs/cgroup"))
    // A system that does not say how much it has is asked for the memory itself.
    guard let available = limit ?? (measured >= 0 ? measured : nil) else { return }
    let needed = stateBytes + workingBytes + other
    guard needed > available else { return }
    let largest = largestTensors.prefix(3)
    let parts =
      "\(stateBytes.megabytes) of state, \(workingBytes.megabytes) to work in"
      + (other > 0 ? ", \(other.megabytes) of batches" : "")
    throw EngineError(
      "\(needed) bytes of memory are needed (\(parts)), \(available) are available",
      origin: largest.lazy.compactMap(\.origin).first, cause: .memory,
      help: "the largest are \(largest.map(\.text).joined(separator: ", ")); a smaller batch or"
        + " narrower layers need less")
  }

  private struct Tensor {
    var bytes: Int
    var text: String
    var origin: Origin?
  }

  private var largestTensors: [Tensor] {
    var found = states.map { name, shape in
      let bytes = shape.elementCount * 4
      return Tensor(bytes: bytes, text: "`\(name)` with \(bytes.megabytes)", origin: nil)
    }
    for plan in plans {
      for (index, buffer) in plan.buffers.enumerated() where buffer.last >= 0 {
        if case .state = buffer.place { continue }
        let origin = plan.steps[buffer.first].origin
        let maker = origin.map { "layer `\($0.name)`" } ?? "program `\(plan.name)`"
        let name = PlanText.name(of: index, in: plan)
        found.append(
          Tensor(
            bytes: buffer.bytes, text: "\(name) of \(maker) with \(buffer.bytes.megabytes)",
            origin: origin))
      }
    }
    return found.sorted { ($0.bytes, $1.text) > ($1.bytes, $0.text) }
  }
}

extension Int {
  /// Bytes in units of 10⁶, with one digit behind the point.
  fileprivate var megabytes: String {
    let tenths = (self + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }
}
