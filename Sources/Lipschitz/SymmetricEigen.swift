import COpenBLAS

/// Eigenvalues, ascending, and unit eigenvectors, one after the other, of a symmetric matrix of
/// order `order`, of which the upper triangle by columns is read. In floating point, for estimates:
/// no proof uses it. nil where an entry is not finite or the library cannot do it.
public func symmetricEigenpairs(
  _ matrix: [Double], order: Int
) -> (values: [Double], vectors: [Double])? {
  precondition(matrix.count == order * order, "lgc's own bug: no matrix of order \(order)")
  guard order > 0, matrix.allSatisfy(\.isFinite) else { return nil }
  do throws(ProofError) { try LinearAlgebra.open() } catch { return nil }
  var destroyed = matrix
  var values = [Double](repeating: 0, count: order)
  var vectors = [Double](repeating: 0, count: order * order)
  let info = openblas_top_eigenpairs(
    Int32(order), Int32(order), &destroyed, Int32(order), &values, &vectors)
  return info == 0 ? (values, vectors) : nil
}
