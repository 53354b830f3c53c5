import Model
import Tensors

/// The hinge-regularised Kantorovich–Rubinstein loss (Serrurier et al., 2021), of which three
/// definitions are in use; `form` says which:
///
///     deel     −KR + α·H_{m/2}               deel-lip (TensorFlow), α = 10, m = 1
///     convex   α·H_{m/2} − (1 − α)·KR        deel-torchlip, 0 ≤ α ≤ 1
///     paper    −KR + α·H_m                   the published formula
///
/// KR is as in the family `kr`, and H_t the mean of max(0, t − s·f), s = ±1 the side of the sample.
/// With C > 1 outputs H is the mean over the columns of the one-against-rest hinges, the column of
/// the right class counted C − 1 times. It needs a network whose constant is bounded.
public struct HingeKR: SupervisedLoss {
  public enum Form: String, CaseIterable, ArgumentValue { case deel, convex, paper }
  public static let kind = "hinge_kr"
  public static let summary = "−KR plus a hinge on the margin, in one of its three published forms"
  public static let alpha = Argument<Double>(
    "alpha", "Weight of the hinge; at most 1 in the form `convex`.", default: 10, in: .nonNegative)
  public static let margin = Argument<Double>(
    "margin", "m; `deel` and `convex` use half of it.", default: 1, in: .positive)
  public static let form = Argument<Form>("form", "Which published definition.", default: .deel)
  public static let arguments: [any ArgumentDeclaration] = [alpha, margin, form]
  public static let examples: [Example] = [
    .good("{family: hinge_kr}"),
    .good("{family: hinge_kr, alpha: 0.9, form: convex}"),
    .good("{family: hinge_kr, alpha: 50, margin: 0.5, form: paper}"),
    .bad("{family: hinge_kr, alpha: «2», form: convex}", .outOfRange),
    .bad("{family: hinge_kr, alpha: «-1»}", .outOfRange),
    .bad("{family: hinge_kr, form: «torchlip»}", .wrongType),
  ]

  public let alpha: Double
  public let margin: Double
  public let form: Form

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    alpha = arguments[Self.alpha]
    margin = arguments[Self.margin]
    form = arguments[Self.form]
    if form == .convex && alpha > 1 { throw .notConvex(alpha) }
  }

  public var labels: Set<LabelKind> { [.classes] }

  public func refusal(output: Shape, labels: LabelKind) -> String? { Self.signRefusal(output) }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let isRight = g.isClass(labels, shape: shape)
    let sign = g.subtract(g.multiply(isRight, 2), 1)
    let threshold = form == .paper ? margin : margin / 2
    var hinges = g.unary(.relu, g.subtract(threshold, g.multiply(sign, output)))
    if shape[1] > 1 {
      let factor = g.add(g.multiply(isRight, Double(shape[1]) - 2), 1)
      hinges = g.multiply(hinges, factor)
    }
    let hinge = g.multiply(g.sum(hinges, [1]), alpha / Double(shape[1]))
    var difference = classMeanDifference(output, labels, g)
    if form == .convex { difference = g.multiply(difference, 1 - alpha) }
    return g.subtract(hinge, difference)
  }
}

extension ArgumentProblem {
  fileprivate static func notConvex(_ alpha: Double) -> ArgumentProblem {
    ArgumentProblem(
      "alpha is \(alpha), and the form `convex` weighs the hinge by alpha and KR by 1 − alpha",
      argument: "alpha", help: "take alpha ≤ 1, or another form")
  }
}
