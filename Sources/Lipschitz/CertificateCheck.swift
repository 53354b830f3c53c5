import Diagnostics
import Formats
import Model
import Rounding

extension Certificate {
  /// Proves a certificate's claims again from the weights; what does not hold, in words, nothing
  /// where all of it does.
  ///
  /// The graph must be that of the network and every hash that of its tensor; every operator's
  /// bound must be at least what is proved of it now, and the results at least what the stated
  /// operators compose to.
  public static func problems(_ text: [UInt8], with weights: NetworkWeights) -> [String] {
    let stated: JSON
    do { stated = try JSON(text) } catch { return ["not JSON: \(error)"] }
    guard stated["format"]?.string == format else { return ["not of the format \(format)"] }
    let network = weights.network
    var problems: [String] = []
    if let graph = try? JSON(Array(Self.graph(network).text.utf8)), stated["graph"] != graph {
      problems.append("the graph is not that of the network \(network.name)")
    }
    for name in network.tensorNames where stated["weights"]?[name]?.string
      != weights.tensors[name]!.sha256
    {
      problems.append("tensor \(name) is not the one that was certified")
    }
    guard problems.isEmpty else { return problems }
    for bound in stated["bounds"]?.array ?? [] {
      do throws(ProofError) {
        problems += try LinearAlgebra.withProofArithmetic { () throws(ProofError) in
          try check(bound, weights)
        }
      } catch {
        problems.append(error.diagnostic.message)
      }
    }
    return problems
  }

  private static func check(
    _ stated: JSON, _ weights: NetworkWeights
  ) throws(ProofError) -> [String] {
    let network = weights.network
    guard let norm = (stated["norm"]?.string).flatMap(Norm.init(rawValue:)),
      let operators = stated["operators"]?.array, operators.count == network.nodes.count
    else { return ["a bound has no norm, or not one operator for each layer"] }
    var problems: [String] = []
    var bounds: [UpperBound] = []
    for (index, node) in network.nodes.enumerated() {
      let bound = upperBound(operators[index]["bound"])
      bounds.append(bound)
      if operators[index]["node"]?.string != node.name {
        problems.append("operator \(index) is not \(node.name)")
      }
      if try weights.operatorBound(index, norm: norm).upper > bound {
        problems.append("the \(norm.rawValue) bound of \(node.name) cannot be proved again")
      }
    }
    let product = compose(network, norm: norm) { bounds[$0] }.total
    if product > upperBound(stated["product"]) {
      problems.append("the layers do not compose to the \(norm.rawValue) product")
    }
    let result = upperBound(stated["result"])
    let proved = switch stated["method"]?.string {
    case BoundReport.Method.product.rawValue: product
    case BoundReport.Method.absoluteValues.rawValue:
      absoluteValueBound(weights, norm: norm) ?? .unknown
    default: UpperBound.unknown
    }
    if proved > result { problems.append("the \(norm.rawValue) result is not proved") }
    return problems
  }

  /// A stated bound; 0, which proves nothing but zeros, where the text is no number ≥ 0.
  private static func upperBound(_ json: JSON?) -> UpperBound {
    guard let json else { return .zero }
    if case .null = json { return .unknown }
    guard let value = json.string.flatMap(Double.init), value >= 0 else { return .zero }
    return UpperBound(proved: value)
  }
}
