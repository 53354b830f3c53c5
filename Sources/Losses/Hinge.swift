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

  public var labels: Set<LabelKind> { [.classes] }

  public func refusal(output: Shape, labels: LabelKind) -> String? { Self.signRefusal(output) }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    g.unary(.relu, g.subtract(margin, g.lead(of: labels, in: output)))
  }
}
