import Model
import Tensors

/// loss = max(0, m − (z_y − max_{j≠y} z_j)), per sample (Crammer and Singer, 2001), m the margin.
///
/// A network with one output f tells two classes apart by its sign: max(0, m − s·f) with s = 1 for
/// class 1 and −1 for class 0.
public struct Hinge: SupervisedLoss {
  public static let kind = "hinge"
  public static let summary = "max(0, margin − lead of the right class over the best wrong one)"
  public static let margin = Argument<Double>(
    "margin", "The lead asked of the right class.", default: 1, in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [margin]
  public static let examples: [Example] = [
    .good("{family: hinge}"),
    .good("{family: hinge, margin: 0.5}"),
    .bad("{family: hinge, margin: «-1»}", .outOfRange),
    .bad("{family: hinge, «alpha»: 1}", .unknownKey),
  ]

  public let margin: Double

  public init(_ arguments: Arguments) { margin = arguments[Self.margin] }

  public var labels: LabelKind { .classes }

  public func refusal(output: Shape) -> String? { Self.signRefusal(output) }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let isRight = isClass(labels, shape: shape, g)
    if shape[1] == 1 {
      let sign = g.subtract(g.multiply(isRight, 2), 1)
      return g.sum(g.unary(.relu, g.subtract(margin, g.multiply(sign, output))), [1])
    }
    let right = g.sum(g.multiply(output, isRight), [1])
    // The right class is taken out of the maximum; the number only has to be below every logit.
    let wrong = g.select(isRight, g.constant(-3e38, shape), output)
    let lead = g.subtract(right, g.maximum(over: [1], wrong))
    return g.unary(.relu, g.subtract(margin, lead))
  }
}
