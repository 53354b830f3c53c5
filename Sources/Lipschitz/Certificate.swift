import Diagnostics
import Formats
import Model
import Rounding

/// What was proved of one network with its stored weights, as text that another program can check:
/// the graph, the identity of every tensor, for every operator a bound with the evidence for it,
/// and the results.
///
///     {"format": "lgc-cert-2", "name": …, "description": SHA-256 of the graph,
///      "graph": {"input", "nodes": [{"name", "inputs", "shape", "operation": {"type", …}}],
///        "output", "domain": [a, b] where the claims are about inputs with every element in it},
///      "weights": {name: SHA-256 of the little-endian bytes},
///      "bounds": [{"norm", "operators": [{"node", "bound", "evidence": {"type", …}}], "product",
///        "method", "pairs": [{"nodes": [first, second], "scaled", "evidence", "bound"}],
///        "stretches": [{"entry", "exit", "activations": [{"node", "multipliers"}],
///        "square"}], "result"}],
///      "assumptions": […], "seal": SHA-256 of the rest}
///
/// Hashes of parts of the text are those of its canonical form (`JSON.canonicalText`). Real numbers
/// are C99 hexadecimal floats, so nothing is lost in print; `null` is a bound that does not exist.
public struct Certificate: Sendable {
  public static let format = "lgc-cert-2"
  public let json: JSONValue

  /// The certificate of `reports`, which were made of these very weights.
  public init(_ weights: NetworkWeights, reports: [BoundReport]) {
    let network = weights.network
    var members: [(key: String, value: JSONValue)] = [
      (key: "format", value: .string(Self.format)),
      (key: "name", value: .string(network.name)),
      (key: "description", value: .string(Self.description(of: network))),
      (key: "graph", value: Self.graph(network)),
      (key: "weights", value: .object(
        network.tensorNames.map { (key: $0, value: .string(weights.tensors[$0]!.sha256)) })),
      (key: "bounds", value: .array(reports.map { Self.bound($0, network) })),
      (key: "assumptions", value: .array(Self.assumptions.map(JSONValue.string))),
    ]
    members.append((key: "seal", value: .string(JSONValue.object(members).sha256)))
    json = .object(members)
  }

  /// What the proofs take for granted.
  static let assumptions = [
    "the claim is about the real-valued function that the stored weights define at inference; "
      + "the rounding of floating-point inference is not in it",
    "IEEE 754 binary64, round to nearest, gradual or abrupt underflow",
    "every entry of a matrix product is a sum of the conventional products, in any order, "
      + "fused or not",
    "the Cholesky factorisation evaluates the textbook recurrence in any order, dividing by a "
      + "pivot or multiplying by its rounded reciprocal (a checker need not assume it)",
  ]

  /// The text of the file, with a line break at the end.
  public var text: String { json.text + "\n" }

  /// SHA-256 of the resolved graph: layers with their geometry and constants, no weights.
  public static func description(of network: Network) -> String { graph(network).sha256 }

  static func graph(_ network: Network) -> JSONValue {
    .object([
      (key: "input", value: .array(network.inputShape.map(JSONValue.int))),
      (key: "nodes", value: .array(network.nodes.map { node in
        .object([
          (key: "name", value: .string(node.name)),
          (key: "inputs", value: .array(node.inputs.map { name($0, network) })),
          (key: "shape", value: .array(node.outputShape.map(JSONValue.int))),
          (key: "operation", value: operation(node)),
        ])
      })),
      (key: "output", value: name(network.output, network)),
    ] + (network.domain.map { domain in
      [(key: "domain", value: .array(
        [domain.lowerBound, domain.upperBound].map(JSONValue.hexadecimal)))]
    } ?? []))
  }

  /// null for the network's input.
  private static func name(_ value: NetworkValue, _ network: Network) -> JSONValue {
    switch value {
    case .input: .null
    case .node(let index): .string(network.nodes[index].name)
    }
  }

  private static func bound(_ report: BoundReport, _ network: Network) -> JSONValue {
    let pairs: [FusedBound] =
      switch report.method {
      case .product, .absoluteValues: []
      case .fused, .fast, .joint: report.fused
      }
    return .object([
      (key: "norm", value: .string(report.norm.rawValue)),
      (key: "operators", value: .array(report.layers.map { layer in
        .object([
          (key: "node", value: .string(layer.name)),
          (key: "bound", value: .hexadecimal(layer.bound.upper.value)),
          (key: "evidence", value: layer.bound.evidence.json),
        ])
      })),
      (key: "product", value: .hexadecimal(report.product.value)),
      (key: "method", value: .string(report.method.rawValue)),
      (key: "pairs", value: .array(pairs.map { pair in
        .object([
          (key: "nodes", value: .array(pair.nodes.map { .string(network.nodes[$0].name) })),
          (key: "scaled", value: .hexadecimal(pair.scaled.upper.value)),
          (key: "evidence", value: pair.scaled.evidence.json),
          (key: "bound", value: .hexadecimal(pair.upper.value)),
        ])
      })),
      (key: "stretches", value: .array(report.stretches.map { stretch in
        .object([
          (key: "entry", value: name(stretch.entry, network)),
          (key: "exit", value: name(stretch.exit, network)),
          (key: "activations", value: .array(stretch.activations.map { activation in
            .object([
              (key: "node", value: .string(network.nodes[activation.node].name)),
              (key: "multipliers", value: .array(
                activation.multipliers.map { .hexadecimal(Double($0)) })),
            ])
          })),
          (key: "square", value: .hexadecimal(stretch.square)),
        ])
      })),
      (key: "result", value: .hexadecimal(report.upper.value)),
    ])
  }
}

extension Network {
  /// All stored tensors in execution order.
  var tensorNames: [String] {
    nodes.flatMap { node in node.weights.map { node.tensorName($0.name) } }
  }
}
