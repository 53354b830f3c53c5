import CKernels
import Tensors

/// The engine for ordinary processors: float32, one static list of steps per program, matrix
/// products by oneDNN on the thread team that the element-wise loops run on.
///
/// With equal thread count, instruction set and oneDNN version, equal inputs give equal bits.
public struct CPUEngine: Engine {
  public let name = "cpu"
  let plan: PlanOptions

  public init() { plan = PlanOptions() }
  init(plan: PlanOptions) { self.plan = plan }

  public func compile(
    _ programs: [Program], options: EngineOptions
  ) throws(EngineError) -> any Executable {
    try compileForCPU(programs, options: options)
  }

  /// The executable with what only this engine has: profiles and plans.
  public func compileForCPU(
    _ programs: [Program], options: EngineOptions
  ) throws(EngineError) -> CPUExecutable {
    let planned = try plan(programs, options: options)
    try planned.check(limit: options.memoryLimit, other: options.otherBytes)
    return try CPUExecutable(planned)
  }

  /// What compilation decides, before any memory is taken.
  public func plan(
    _ programs: [Program], options: EngineOptions
  ) throws(EngineError) -> PlannedPrograms {
    if let failure = lgc_runtime_load() { throw EngineError(String(cString: failure)) }
    let threads = try threads(options)
    var names = Set<String>()
    for program in programs where !names.insert(program.name).inserted {
      throw EngineError("two programs are named `\(program.name)`")
    }
    var plan = plan
    plan.threads = threads
    return try PlannedPrograms(programs, plan)
  }

  func threads(_ options: EngineOptions) throws(EngineError) -> Int {
    let most = LGC_MAX_THREADS
    let threads = options.threads ?? Int(lgc_available_threads())
    guard (1...most).contains(threads) else {
      throw EngineError("\(threads) threads: the CPU engine runs on 1 to \(most)")
    }
    return threads
  }
}
