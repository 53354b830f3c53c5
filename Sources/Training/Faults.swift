import Diagnostics
import Formats
import Tensors

extension DiagnosticError {
  /// Any error of the stages below as diagnostics. An engine's failure is lgc's own bug, but
  /// for want of memory: the description was checked before anything was compiled.
  public init(_ error: any Error) {
    switch error {
    case let error as DiagnosticError:
      self = error
    case let error as EngineError:
      let code: DiagnosticCode = error.cause == .memory ? .tooMuchMemory : .internalFault
      self.init(Diagnostic(code, error.message, at: error.origin?.span, help: error.help))
    case let error as FormatError:
      let code: DiagnosticCode =
        error.cause == .malformed ? .badFormat : error.isWriting ? .cannotWrite : .cannotRead
      self.init(Diagnostic(code, "`\(error.path)`: \(error.message)", at: nil))
    default:
      self.init(Diagnostic(.internalFault, "\(error)", at: nil))
    }
  }

  /// Runs `body`; whatever it throws comes out as diagnostics.
  static func translating<Result>(_ body: () throws -> Result) throws(DiagnosticError) -> Result {
    do { return try body() } catch { throw DiagnosticError(error) }
  }
}
