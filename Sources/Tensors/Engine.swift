import Diagnostics

/// What compiles programs and keeps their state.
///
/// The protocol knows neither host pointers, nor a physical layout, nor a number format: an engine
/// for a device with its own memory can stand behind it. Everything is addressed by name.
public protocol Engine: Sendable {
  /// The word of `--engine`: `cpu`, `reference`.
  var name: String { get }
  /// Compiles programs that share state: a state name means the same tensor in all of them. All
  /// state starts as zeros.
  func compile(_ programs: [Program], options: EngineOptions) throws(EngineError) -> any Executable
}

public struct EngineOptions: Sendable {
  /// Threads to compute with; nil: as many as the process may use.
  public var threads: Int?
  /// The most bytes that programs, their state and `otherBytes` may need; nil: as many as the
  /// machine can give.
  public var memoryLimit: Int?
  /// Bytes that the caller will hold while the programs run, as for batches.
  public var otherBytes: Int
  public init(threads: Int? = nil, memoryLimit: Int? = nil, otherBytes: Int = 0) {
    self.threads = threads
    self.memoryLimit = memoryLimit
    self.otherBytes = otherBytes
  }
}

/// Compiled programs and the state they share; used by one thread at a time.
public protocol Executable: AnyObject {
  /// Row-major values of a state tensor.
  func writeState(_ name: String, _ values: UnsafeBufferPointer<Float>) throws(EngineError)
  func readState(_ name: String, into values: UnsafeMutableBufferPointer<Float>) throws(EngineError)
  /// Row-major values of an input of one program; kept until written again.
  func writeInput(
    _ name: String, of program: String, _ values: UnsafeBufferPointer<Float>
  ) throws(EngineError)
  /// An output of the program's last run.
  func readOutput(
    _ name: String, of program: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(EngineError)
  /// Runs once: computes the outputs, then replaces the updated state.
  func run(_ program: String) throws(EngineError)
  /// Name → shape of all state tensors.
  var states: [String: Shape] { get }
  /// Planned bytes: state, and the working memory beside it.
  var stateBytes: Int { get }
  var workingBytes: Int { get }
  /// What the engine holds at this moment, which no run changes; nil if it does not count.
  var memoryUse: MemoryUse? { get }
}

/// Memory at one moment.
public struct MemoryUse: Sendable, Equatable {
  /// Blocks that an executable has asked the system for.
  public var blocks: Int
  /// Bytes on the heap of the whole process.
  public var heapBytes: Int

  public init(blocks: Int, heapBytes: Int) {
    self.blocks = blocks
    self.heapBytes = heapBytes
  }
  public static func - (a: MemoryUse, b: MemoryUse) -> MemoryUse {
    MemoryUse(blocks: a.blocks - b.blocks, heapBytes: a.heapBytes - b.heapBytes)
  }
}

/// What an engine could not do, with the layer it was doing it for.
public struct EngineError: Error, CustomStringConvertible {
  public enum Cause: Sendable {
    /// A fault in lgc or in a library.
    case fault
    /// More memory is needed than there is.
    case memory
  }
  public let message: String
  public let origin: Origin?
  public let cause: Cause
  /// What would help.
  public let help: String?
  public init(
    _ message: String, origin: Origin? = nil, cause: Cause = .fault, help: String? = nil
  ) {
    self.message = message
    self.origin = origin
    self.cause = cause
    self.help = help
  }
  public var description: String { origin.map { "\(message) (\($0.name))" } ?? message }
}

extension Executable {
  public var memoryUse: MemoryUse? { nil }

  /// All memory that was planned when the programs were compiled.
  public var plannedBytes: Int { stateBytes + workingBytes }

  public func writeState(_ name: String, _ values: [Float]) throws(EngineError) {
    var failure: EngineError?
    values.withUnsafeBufferPointer { buffer in
      do throws(EngineError) { try writeState(name, buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  public func writeInput(
    _ name: String, of program: String, _ values: [Float]
  ) throws(EngineError) {
    var failure: EngineError?
    values.withUnsafeBufferPointer { buffer in
      do throws(EngineError) { try writeInput(name, of: program, buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  public func readState(_ name: String, count: Int) throws(EngineError) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    var failure: EngineError?
    values.withUnsafeMutableBufferPointer { buffer in
      do throws(EngineError) { try readState(name, into: buffer) } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }

  public func readOutput(
    _ name: String, of program: String, count: Int
  ) throws(EngineError) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    var failure: EngineError?
    values.withUnsafeMutableBufferPointer { buffer in
      do throws(EngineError) {
        try readOutput(name, of: program, into: buffer)
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }
}
