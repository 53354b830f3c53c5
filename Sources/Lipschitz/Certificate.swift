import Diagnostics
import Formats
import Glibc
import Model
import Rounding

/// What was proved of one network with its stored weights, as text that a program can check again:
/// the graph, the identity of every tensor, a bound for every operator, and the results.
///
///     {"format": "lgc-cert-1", "name": …, "graph": {"input", "nodes": [{"name", "inputs",
///       "operation": {"type": "dense", "weight", "outputs", "inputs"} | …}], "output"},
///      "weights": {name: SHA-256 of the little-endian bytes}, "bounds": [{"norm",
///       "operators": [{"node", "bound", "proof"}], "method", "product", "result"}],
///      "assumptions": […]}
///
/// Real numbers are C99 hexadecimal floats, so nothing is lost in print; `null` is a bound that
/// does not exist. A checker needs nothing else: it repeats the Gram matrix and one Cholesky
/// factorisation for each dense operator, and composes.
public struct Certificate: Sendable {
  public static let format = "lgc-cert-1"
  public let json: JSONValue

  /// The certificate of `reports`, which were made of these very weights.
  public init(_ weights: NetworkWeights, reports: [BoundReport]) {
    let network = weights.network
    json = .object([
      (key: "format", value: .string(Self.format)),
      (key: "name", value: .string(network.name)),
      (key: "graph", value: Self.graph(network)),
      (key: "weights", value: .object(
        network.tensorNames.map { (key: $0, value: .string(weights.tensors[$0]!.sha256)) })),
      (key: "bounds", value: .array(reports.map(Self.bound))),
      (key: "assumptions", value: .array(Self.assumptions.map(JSONValue.string))),
    ])
  }

  /// What the proofs take for granted.
  static let assumptions = [
    "the claim is about the real-valued function that the stored weights define at inference; "
      + "the rounding of floating-point inference is not in it",
    "IEEE 754 binary64, round to nearest, gradual or abrupt underflow",
    "every entry of a matrix product is a sum of the conventional products, in any order, "
      + "fused or not",
    "the Cholesky factorisation evaluates the textbook recurrence in any order, dividing by a "
      + "pivot or multiplying by its rounded reciprocal",
  ]

  /// The text of the file, with a line break at the end.
  public var text: String { json.text + "\n" }

  static func graph(_ network: Network) -> JSONValue {
    func name(_ value: NetworkValue) -> JSONValue {
      switch value {
      case .input: .null
      case .node(let index): .string(network.nodes[index].name)
      }
    }
    return .object([
      (key: "input", value: .array(network.inputShape.map(JSONValue.int))),
      (key: "nodes", value: .array(network.nodes.map { node in
        .object([
          (key: "name", value: .string(node.name)),
          (key: "inputs", value: .array(node.inputs.map(name))),
          (key: "operation", value: operation(node)),
        ])
      })),
      (key: "output", value: name(network.output)),
    ])
  }

  private static func operation(_ node: LayerNode) -> JSONValue {
    func object(_ type: String, _ rest: [(key: String, value: JSONValue)]) -> JSONValue {
      .object([(key: "type", value: .string(type))] + rest)
    }
    switch node.operation {
    case .linear(.dense(let weight, let outputs, let inputs)):
      return object("dense", [
        (key: "weight", value: .string(node.tensorName(weight))),
        (key: "outputs", value: .int(outputs)), (key: "inputs", value: .int(inputs)),
      ])
    case .linear(.diagonal(let weight, let count)):
      return object("diagonal", [
        (key: "weight", value: .string(node.tensorName(weight))),
        (key: "count", value: .int(count)),
      ])
    case .linear(.scaling(let factor)):
      return object("scaling", [(key: "factor", value: hexadecimal(factor))])
    case .linear, .scaled:
      return object("unproved", [])
    case .elementwise(let slopes):
      return object("elementwise", [
        (key: "slopes", value: .array([hexadecimal(slopes.lower), hexadecimal(slopes.upper)]))
      ])
    case .known(let constants):
      return object("known", Norm.allCases.map {
        (key: $0.rawValue, value: hexadecimal(constants[$0].value))
      })
    case .weightedSum(let coefficients):
      return object("weighted_sum", [
        (key: "coefficients", value: .array(coefficients.map(hexadecimal)))
      ])
    case .unbounded(let reason):
      return object("unbounded", [(key: "reason", value: .string(reason))])
    }
  }

  private static func bound(_ report: BoundReport) -> JSONValue {
    .object([
      (key: "norm", value: .string(report.norm.rawValue)),
      (key: "operators", value: .array(report.layers.map { layer in
        .object([
          (key: "node", value: .string(layer.name)),
          (key: "bound", value: hexadecimal(layer.bound.upper.value)),
          (key: "proof", value: .string(layer.bound.method.rawValue)),
        ])
      })),
      (key: "method", value: .string(report.method.rawValue)),
      (key: "product", value: hexadecimal(report.product.value)),
      (key: "result", value: hexadecimal(report.upper.value)),
    ])
  }
}

extension Network {
  /// All stored tensors in execution order.
  var tensorNames: [String] {
    nodes.flatMap { node in node.weights.map { node.tensorName($0.name) } }
  }
}

/// `0x1.8p+3`; null for what is not finite.
private func hexadecimal(_ value: Double) -> JSONValue {
  guard value.isFinite else { return .null }
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
    _ = withVaList([value]) { vsnprintf(buffer.baseAddress!, 64, "%a", $0) }
    return .string(String(cString: buffer.baseAddress!))
  }
}
