import Diagnostics
import Lipschitz
import Rounding

/// `lgc check --format json`: keys and meanings are a contract that other programs rely on.
extension Check {
  var json: JSONValue {
    .object([
      (key: "lgc", value: .string(LGC.version)),
      (key: "file", value: .string(path)),
      (key: "ok", value: .bool(isSound)),
      (key: "diagnostics", value: JSONRenderer.value(diagnostics)),
      (key: "networks", value: .array((analysis?.networks ?? []).map(Self.network))),
    ])
  }

  private static func network(_ analysis: NetworkAnalysis) -> JSONValue {
    let network = analysis.network
    return .object([
      (key: "name", value: .string(network.name)),
      (key: "input_shape", value: .array(network.inputShape.map(JSONValue.int))),
      (key: "output_shape", value: .array(network.outputShape.map(JSONValue.int))),
      (key: "parameters", value: .int(network.parameterCount)),
      (key: "domain", value: network.domain?.json ?? .null),
      (key: "bound", value: bound(analysis.total[analysis.norm] ?? .unknown, analysis.norm)),
      (
        key: "layers",
        value: .array(
          zip(network.nodes, analysis.layers).map { node, layer in
            .object([
              (key: "name", value: .string(node.name)),
              (key: "kind", value: .string(node.kind)),
              (key: "output_shape", value: .array(node.outputShape.map(JSONValue.int))),
              (key: "parameters", value: .int(node.parameterCount)),
              (key: "constraint", value: JSONValue(node.constraint?.kind ?? (node.declared == nil ? nil : "none"))),
              (key: "bound", value: bound(layer.bound, analysis.norm)),
              (
                key: "line",
                value: .int(node.span.file.position(at: node.span.start).line)
              ),
            ])
          })
      ),
    ])
  }

  private static func bound(_ bound: UpperBound, _ norm: Norm) -> JSONValue {
    .object([
      (key: "norm", value: .string(norm.rawValue)),
      (key: "value", value: .decimal(bound.json)),
      (key: "provable", value: .bool(bound.isFinite)),
    ])
  }
}
