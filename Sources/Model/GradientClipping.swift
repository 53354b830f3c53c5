import Diagnostics
import Tensors
import YAML

/// A limit on the gradient of a step: `clip_gradient:` of an optimizer.
public enum GradientClipping: Sendable, Hashable {
  /// All gradients g of a step are multiplied by c/max(‖g‖₂, c), the norm over all of them at once.
  case norm(Double)
  /// Every entry is brought into [−c, c].
  case value(Double)

  /// The parameters with their gradients as the optimizer sees them.
  func applied(to parameters: [OptimizedParameter], _ g: GraphBuilder) -> [OptimizedParameter] {
    func replacing(_ gradient: (Value) -> Value) -> [OptimizedParameter] {
      parameters.map {
        OptimizedParameter(name: $0.name, value: $0.value, gradient: gradient($0.gradient))
      }
    }
    switch self {
    case .norm(let limit):
      guard let first = parameters.first else { return parameters }
      let squares = parameters.dropFirst().reduce(g.sum(g.square(first.gradient))) {
        g.add($0, g.sum(g.square($1.gradient)))
      }
      let scale = g.divide(
        g.constant(limit, []), g.maximum(g.unary(.squareRoot, squares), limit))
      return replacing { g.multiply($0, scale) }
    case .value(let limit):
      return replacing {
        g.binary(.minimum, g.maximum($0, -limit), g.constant(limit, g.shape($0)))
      }
    }
  }
}

extension GradientClipping: ArgumentValue {
  static let norm = Argument<Double>.optional(
    "norm", "The longest gradient, over all parameters at once.", in: .positive)
  static let value = Argument<Double>.optional(
    "value", "The largest entry of a gradient.", in: .positive)

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> GradientClipping? {
    guard
      let arguments = decodeArguments(
        [norm, value], of: "clip_gradient", node: node, named: node.startSpan, shorthand: "norm",
        into: &diagnostics)
    else { return nil }
    switch (arguments[optional: norm], arguments[optional: value]) {
    case (let limit?, nil): return .norm(limit)
    case (nil, let limit?): return .value(limit)
    case (_?, _?):
      diagnostics.append(
        Diagnostic(
          .conflictingKeys, "`norm` and `value` both limit the gradient",
          at: arguments.span(of: "value"),
          labels: [.init(arguments.span(of: "norm"), "the other one")],
          help: "keep one of them"))
    case (nil, nil):
      diagnostics.append(
        Diagnostic(
          .missingKey, "`clip_gradient` has no limit", at: node.startSpan,
          help: "write `clip_gradient: {norm: 1.0}`, or `{value: …}` for each entry"))
    }
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a number > 0, or a mapping with `norm` or `value`"
  }
  public var yamlText: String {
    switch self {
    case .norm(let limit): "{norm: \(limit.yamlText)}"
    case .value(let limit): "{value: \(limit.yamlText)}"
    }
  }
}
