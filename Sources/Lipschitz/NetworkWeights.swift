import Diagnostics
import Formats
import Model
import Rounding
import Tensors

/// The stored tensors of one network, checked: all there, nothing else, shapes as declared, every
/// number finite.
public struct NetworkWeights: Sendable {
  public let network: Network
  let tensors: [String: NamedTensor]

  /// - Throws: one diagnostic for every tensor that is missing, unexpected, misshapen or holds a
  ///   number that is not finite (the first one in it, by its index).
  public init(_ network: Network, tensors: [String: NamedTensor]) throws(DiagnosticError) {
    var problems: [ProofError] = []
    var expected: [String: Shape] = [:]
    var names: [String] = []
    for node in network.nodes {
      for declaration in node.weights {
        names.append(node.tensorName(declaration.name))
        expected[names.last!] = declaration.shape
      }
    }
    for name in names {
      let shape = expected[name]!
      guard let tensor = tensors[name] else {
        problems.append(.missing(tensor: name, shape: shape))
        continue
      }
      guard tensor.shape == shape, tensor.values.count == shape.reduce(1, *) else {
        problems.append(.misshapen(tensor: name, shape: tensor.shape, expected: shape))
        continue
      }
      if let problem = tensor.firstNotFinite { problems.append(problem) }
    }
    for name in tensors.keys.sorted() where expected[name] == nil {
      problems.append(.unexpected(tensor: name, known: names))
    }
    guard problems.isEmpty else { throw DiagnosticError(problems.map(\.diagnostic)) }
    self.network = network
    self.tensors = tensors
  }

  /// Tensors that are known to fit.
  init(_ network: Network, checked tensors: [String: NamedTensor]) {
    self.network = network
    self.tensors = tensors
  }

  /// The tensor that node `index` calls `weight`.
  func tensor(_ weight: String, of index: Int) -> NamedTensor {
    tensors[network.nodes[index].tensorName(weight)]!
  }
}

extension NamedTensor {
  /// The error that names the first number that is not finite; nil if there is none.
  fileprivate var firstNotFinite: ProofError? {
    let found: (offset: Int, text: String)? = switch values {
    case .float32(let values): Self.notFinite(values)
    case .float64(let values): Self.notFinite(values)
    }
    guard let found else { return nil }
    var rest = found.offset
    var index: [Int] = []
    for extent in shape.reversed() {
      index.insert(rest % extent, at: 0)
      rest /= extent
    }
    return .notFinite(tensor: name, index: index, value: found.text)
  }

  private static func notFinite<Scalar: StoredScalar>(
    _ values: [Scalar]
  ) -> (offset: Int, text: String)? {
    values.withUnsafeBufferPointer { buffer in
      let matrix = Matrix(buffer, rows: 1, columns: buffer.count)
      do throws(ProofError) {
        _ = try matrix.largestMagnitude()
        return nil
      } catch {
        guard case .notFinite(_, let index, let value) = error else { return nil }
        return (index[1], value)
      }
    }
  }

  /// SHA-256 of the little-endian bytes of the values, as the file stores them (F16 and BF16 as
  /// the float32 they are widened to).
  public var sha256: String {
    var hash = SHA256()
    switch values {
    case .float32(let values): values.withUnsafeBytes { hash.update($0) }
    case .float64(let values): values.withUnsafeBytes { hash.update($0) }
    }
    return hash.finish()
  }
}

extension NetworkWeights {
  /// The proved bound of node `index` as an operator of its stored tensors, or its known constant.
  func operatorBound(_ index: Int, norm: Norm) throws(ProofError) -> OperatorBound {
    let node = network.nodes[index]
    switch node.operation {
    case .linear(.dense(let weight, let outputs, let inputs)):
      do throws(ProofError) {
        switch tensor(weight, of: index).values {
        case .float32(let values):
          return try denseBound(values, rows: outputs, columns: inputs, norm: norm)
        case .float64(let values):
          return try denseBound(values, rows: outputs, columns: inputs, norm: norm)
        }
      } catch { throw error.naming(node.tensorName(weight)) }
    case .linear(.diagonal(let weight, _)):
      do throws(ProofError) {
        switch tensor(weight, of: index).values {
        case .float32(let values): return try diagonalBound(values)
        case .float64(let values): return try diagonalBound(values)
        }
      } catch { throw error.naming(node.tensorName(weight)) }
    case .linear(.scaling(1)):
      // The identity up to the shape: nothing to search.
      return OperatorBound(upper: .one, lower: nil, method: .known, evidence: .constant)
    case .linear(.scaling(let factor)):
      return OperatorBound(
        upper: UpperBound(proved: abs(factor)), lower: LowerBound(proved: abs(factor)),
        method: .known, evidence: .constant)
    case .linear(.convolution(let weight, let geometry)):
      return try convolutionBound(weight, of: index, geometry, norm: norm, isTransposed: false)
    case .linear(.transposedConvolution(let weight, let geometry)):
      return try convolutionBound(weight, of: index, geometry, norm: norm, isTransposed: true)
    case .linear(.separable(_, let axes)):
      return try separableBound(axes, norm: norm)
    case .linear(.normalisation(let scale, let variance, let epsilon, _, _)):
      do throws(ProofError) {
        return try normalisationBound(
          scale: scale.map { doubles($0, of: index) }, variance: doubles(variance, of: index),
          epsilon: epsilon)
      } catch { throw error.naming(node.tensorName(variance)) }
    case .scaled(let weight, let constants):
      let largest = doubles(weight, of: index).reduce(0) { max($0, $1.magnitude) }
      if largest == 0 { return .zero }
      return OperatorBound(
        upper: constants[norm] * UpperBound(proved: largest), lower: nil, method: .scaled,
        evidence: .scaled)
    case .weightedSum, .elementwise, .known, .unbounded:
      let upper = operationBound(node.operation, norm: norm) ?? .unknown
      let method: OperatorBound.Method = switch node.operation {
      case .weightedSum: .sum
      case .unbounded: .unbounded
      default: .known
      }
      return OperatorBound(upper: upper, lower: nil, method: method, evidence: .constant)
    }
  }

  /// The numbers of a stored tensor, which doubles hold exactly.
  func doubles(_ weight: String, of index: Int) -> [Double] {
    switch tensor(weight, of: index).values {
    case .float32(let values): values.map(Double.init)
    case .float64(let values): values
    }
  }

  private func convolutionBound(
    _ weight: String, of index: Int, _ geometry: ConvolutionGeometry, norm: Norm,
    isTransposed: Bool
  ) throws(ProofError) -> OperatorBound {
    do throws(ProofError) {
      switch tensor(weight, of: index).values {
      case .float32(let values):
        return try Lipschitz.convolutionBound(
          values, geometry, norm: norm, isTransposed: isTransposed)
      case .float64(let values):
        return try Lipschitz.convolutionBound(
          values, geometry, norm: norm, isTransposed: isTransposed)
      }
    } catch { throw error.naming(network.nodes[index].tensorName(weight)) }
  }
}
