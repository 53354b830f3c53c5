import Model
import Tensors

/// loss = 1/C · Σ_{j≠y} max(0, m − z_y + z_j), per sample, z the C outputs and m the margin.
///
/// The sum is divided by C and not by C − 1, as in PyTorch's `MultiMarginLoss` and deel-lip.
public struct MultiMargin: SupervisedLoss {
  public static let kind = "multi_margin"
  public static let summary = "1/C · Σ over wrong classes j of max(0, margin − z_y + z_j)"
  public static let margin = Argument<Double>(
    "margin", "The lead asked of the right class.", default: 1, in: .positive)
  public static let arguments: [any ArgumentDeclaration] = [margin]
  public static let examples: [Example] = [
    .good("{family: multi_margin}"),
    .good("{family: multi_margin, margin: 0.5}"),
    .bad("{family: multi_margin, margin: «0»}", .outOfRange),
    .bad("{family: multi_margin, «margn»: 1}", .unknownKey),
  ]

  public let margin: Double

  public init(_ arguments: Arguments) { margin = arguments[Self.margin] }

  public var labels: Set<LabelKind> { [.classes] }

  public func refusal(output: Shape, labels: LabelKind) -> String? { Self.classRefusal(output) }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let isRight = g.oneHot(labels, shape: shape)
    let right = g.sum(g.multiply(output, isRight), [1])
    let lead = g.subtract(g.broadcast(leading: right, to: shape), output)
    let lack = g.unary(.relu, g.subtract(margin, lead))
    let others = g.multiply(lack, g.subtract(1, isRight))
    return g.multiply(g.sum(others, [1]), 1 / Double(shape[1]))
  }
}
