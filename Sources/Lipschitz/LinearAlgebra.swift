import COpenBLAS
import Glibc

/// Access to float64 linear algebra under the arithmetic that the proofs assume.
enum LinearAlgebra {
  /// Opens the library at the first use; nil, or why it cannot be used.
  private static let failure: String? = openblas_open().map { String(cString: $0) }

  /// Runs `body` with round to nearest and gradual underflow, whatever another library has set,
  /// and checks that it took effect (assumption A1 of the certificate).
  static func withProofArithmetic<Result>(
    _ body: () throws(ProofError) -> Result
  ) throws(ProofError) -> Result {
    var saved = fenv_t()
    arithmetic_enter(&saved)
    defer { arithmetic_leave(&saved) }
    guard arithmetic_is_ieee() != 0 else {
      throw .arithmetic("this machine's float64 arithmetic is not IEEE round to nearest")
    }
    return try body()
  }

  /// To be called before any routine of the library.
  static func open() throws(ProofError) {
    if let failure { throw .library(failure) }
  }

  /// Cores this process may use.
  static let availableCores = Int(openblas_available_cores())

  /// Runs `body` with several threads where the matrices are large enough to gain from them:
  /// below that, threads that wait for each other on busy cores cost far more than they save.
  static func withThreads<Result>(order: Int, _ body: () -> Result) -> Result {
    let threads = order >= 1024 ? min(availableCores, 8) : 1
    if threads == 1 { return body() }
    openblas_threads(Int32(threads))
    defer { openblas_threads(1) }
    return body()
  }
}
