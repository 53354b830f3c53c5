/// An engine that can say where the time of a run goes. Optional: an `Engine` need not.
public protocol ProfilingEngine: Engine {
  /// Measures what the machine can do on these threads, in well under a second.
  func measuredPeak(_ options: EngineOptions) throws(EngineError) -> MachinePeak
}

/// What the executables of a `ProfilingEngine` are.
public protocol ProfilingExecutable: Executable {
  /// What a run of the program does, in order.
  func profiledSteps(of program: String) throws(EngineError) -> [ProfiledStep]
  /// Runs once, exactly as `run(_:)` does, and says when each step began: one moment for every step
  /// and one for the end of the last, in nanoseconds of the monotonic clock.
  func run(
    _ program: String, moments: UnsafeMutableBufferPointer<Int64>
  ) throws(EngineError)
  /// The milliseconds that the library's products and convolutions of a program take alone, each
  /// run `runs` times on its own, the lower quartiles added: no program that uses them is faster.
  func kernelMilliseconds(of program: String, runs: Int) throws(EngineError) -> Double
}

/// One step of a compiled program.
public struct ProfiledStep: Hashable, Sendable {
  public let label: String
  /// The part of the description that it was made for.
  public let origin: Origin?
  /// Floating-point operations of the products and convolutions in it; 0 for steps whose time is
  /// that of moving data.
  public let operations: Int
  /// Bytes that it must at least read and write.
  public let bytes: Int

  public init(label: String, origin: Origin?, operations: Int, bytes: Int) {
    self.label = label
    self.origin = origin
    self.operations = operations
    self.bytes = bytes
  }
}

/// What a machine can do at most, as measured.
public struct MachinePeak: Hashable, Sendable {
  public let threads: Int
  /// float32 operations a second of multiply-adds, an operation each for both parts.
  public let operations: Double
  /// Bytes a second to and from main memory; what a cache holds moves faster.
  public let bytes: Double

  public init(threads: Int, operations: Double, bytes: Double) {
    self.threads = threads
    self.operations = operations
    self.bytes = bytes
  }
}
