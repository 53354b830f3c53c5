import Diagnostics
import Formats
import Lipschitz
import Model
import Rounding
import Tensors

/// The end of training: weights that the declared constraints are true of, and what is proved of
/// them.
struct Certification {
  let network: Network
  /// The stored weights, in network order.
  let weights: [NamedTensor]

  /// Takes W̄ of every layer and makes each declared bound that its constraint promises true.
  init(
    _ network: Network, trained: [(name: String, shape: Shape, values: [Float])]
  ) throws(DiagnosticError) {
    self.network = network
    var certified: [String: [Float]] = [:]
    let values = Dictionary(uniqueKeysWithValues: trained.map { ($0.name, $0.values) })
    for (index, node) in network.nodes.enumerated() {
      if !node.weights.isEmpty, !node.heldMatrices.isEmpty,
        node.constraint?.unit.isCertifiedAfterTraining == true
      {
        certified.merge(try Self.matrices(of: index, network, trained, certified)) { $1 }
        continue
      }
      guard let declared = node.declared, let constraint = node.constraint,
        constraint.unit.isCertifiedAfterTraining, case .linear(let linear) = node.operation,
        let name = linear.weight.map(node.tensorName), let weight = values[name]
      else { continue }
      do throws(ProofError) {
        certified[name] = try certifiedRescale(
          weight: weight, of: linear, norm: declared.norm, bound: declared.bound,
          tensor: { values[node.tensorName($0)]! })
      } catch {
        throw DiagnosticError(error.naming(name).diagnostic)
      }
    }
    weights = trained.map {
      NamedTensor(
        name: $0.name, shape: $0.shape, values: .float32(certified[$0.name] ?? $0.values))
    }
  }

  /// The rescaled matrices of one layer; what stands before it is certified already.
  private static func matrices(
    of index: Int, _ network: Network,
    _ trained: [(name: String, shape: Shape, values: [Float])], _ certified: [String: [Float]]
  ) throws(DiagnosticError) -> [String: [Float]] {
    let tensors = trained.map {
      ($0.name, NamedTensor(
        name: $0.name, shape: $0.shape, values: .float32(certified[$0.name] ?? $0.values)))
    }
    do throws(ProofError) {
      return try certifiedRescale(
        matricesOf: index, in: network, tensors: Dictionary(uniqueKeysWithValues: tensors))
    } catch {
      throw DiagnosticError(error.naming(network.nodes[index].name).diagnostic)
    }
  }

  var values: [String: [Float]] {
    Dictionary(
      uniqueKeysWithValues: weights.compactMap { tensor in
        if case .float32(let values) = tensor.values { (tensor.name, values) } else { nil }
      })
  }
}

extension LinearOperator {
  /// The stored tensor's local name; nil where there is none.
  fileprivate var weight: String? {
    switch self {
    case .dense(let weight, _, _): weight
    case .diagonal(let weight, _): weight
    case .convolution(let weight, _), .transposedConvolution(let weight, _): weight
    case .normalisation(let scale, _, _, _, _): scale
    case .scaling, .separable: nil
    }
  }
}
