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
  public init(threads: Int? = nil) { self.threads = threads }
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
}

/// What an engine could not do, with the layer it was doing it for.
public struct EngineError: Error, CustomStringConvertible {
  public let message: String
  public let origin: Origin?
  public init(_ message: String, origin: Origin? = nil) {
    self.message = message
    self.origin = origin
  }
  public var description: String { origin.map { "\(message) (\($0.name))" } ?? message }
}

extension Executable {
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
