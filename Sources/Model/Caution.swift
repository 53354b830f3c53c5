import Diagnostics

/// Something allowed that often is not what was meant. `check` warns of it, at the layer, where the
/// description declares or asks for a Lipschitz bound.
public struct Caution: Sendable {
  public let code: DiagnosticCode
  public let message: String
  public let help: String?
  public init(_ code: DiagnosticCode, _ message: String, help: String? = nil) {
    self.code = code
    self.message = message
    self.help = help
  }
}
