import Diagnostics
import Formats
import Tensors

extension DiagnosticError {
  /// Any error of the stages below as diagnostics. An engine's failure is lgc's own bug: the
  /// description was checked before anything was compiled.
  public init(_ error: any Error) {
    switch error {
    case let error as DiagnosticError:
      self = error
    case let error as EngineError:
      self.init(Diagnostic(.internalFault, error.message, at: error.origin?.span))
    case let error as FormatError:
      let message = "`\(error.path)`: \(error.message)"
      self.init(Diagnostic(error.cause == .malformed ? .badFormat : .cannotWrite, message, at: nil))
    default:
      self.init(Diagnostic(.internalFault, "\(error)", at: nil))
    }
  }

  /// Runs `body`; whatever it throws comes out as diagnostics.
  static func translating<Result>(_ body: () throws -> Result) throws(DiagnosticError) -> Result {
    do { return try body() } catch { throw DiagnosticError(error) }
  }
}
