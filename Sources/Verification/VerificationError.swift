/// Why a certificate is not accepted.
public enum VerificationError: Error, Sendable, Equatable {
  /// The text is no certificate that this version can read.
  case unreadable(String)
  /// The claim is not proved: `reason`, and the operator or tensor where the check failed.
  case refused(String, at: String?)
  /// The machine or its linear algebra library cannot be used for proofs.
  case unusable(String)

  static func refused(_ reason: String) -> VerificationError { .refused(reason, at: nil) }

  public var reason: String {
    switch self {
    case .unreadable(let reason), .unusable(let reason), .refused(let reason, _): reason
    }
  }

  /// The operator or tensor.
  public var place: String? { if case .refused(_, let place) = self { place } else { nil } }

  public var message: String { place.map { "\($0): \(reason)" } ?? reason }
}
