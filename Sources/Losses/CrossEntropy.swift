import Model
import Tensors

/// loss = T·CE(z / T, y) = T·log Σ_j e^(z_j / T) − z_y, per sample; z are the logits [classes].
///
/// The temperature T divides the logits. It is there because a network with a small Lipschitz
/// constant cannot produce large logits: at T = 1 it would be pushed for margins it cannot have.
/// The factor T in front keeps the gradient, softmax(z / T) − e_y, bounded by √2 for every T, so
/// the learning rate need not change with it. With τ = 1/T this is CE(τz)/τ, as in deel-lip.
///
/// With an `offset` o > 0 the true class must lead by o before the loss falls off: z becomes
/// z − o·e_y. In L2 a K-Lipschitz network is certified at radius r by a lead of √2·K·r, so √2·K·r is
/// the natural offset for a radius r (Prach and Lampert 2022 take T = 1/4 and o = √2).
///
/// The largest logit is subtracted before the exponential, so no logit overflows. A label that is
/// no class (a padded sample's) gives a finite number.
public struct CrossEntropy: SupervisedLoss {
  public static let kind = "cross_entropy"
  public static let summary = "temperature · CE((logits − offset at the class) / temperature, class)"
  public static let temperature = Argument<Double>(
    "temperature", "Divides the logits; small where the network's bound is small.", default: 1,
    in: .positive)
  public static let offset = Argument<Double>(
    "offset", "The lead that the true class must have: √2·bound·r asks for the L2 radius r.",
    default: 0, in: .nonNegative)
  public static let arguments: [any ArgumentDeclaration] = [temperature, offset]
  public static let examples: [Example] = [
    .good("{family: cross_entropy}"),
    .good("{family: cross_entropy, temperature: 0.05}"),
    .good("{family: cross_entropy, temperature: 0.25, offset: 0.35}"),
    .bad("{family: cross_entropy, temperature: «0»}", .outOfRange),
    .bad("{family: cross_entropy, offset: «-1»}", .outOfRange),
    .bad("{family: cross_entropy, temperature: «cold»}", .wrongType),
    .bad("{family: cross_entropy, «temprature»: 1}", .unknownKey),
  ]

  public let temperature: Double
  public let offset: Double

  public init(_ arguments: Arguments) {
    temperature = arguments[Self.temperature]
    offset = arguments[Self.offset]
  }

  public var labels: Set<LabelKind> { [.classes] }

  public func refusal(output: Shape, labels: LabelKind) -> String? { Self.classRefusal(output) }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let isClass = g.oneHot(labels, shape: shape)
    let led = offset == 0 ? output : g.subtract(output, g.multiply(isClass, offset))
    let largest = g.stopGradient(g.maximum(over: [1], led))
    var logits = g.subtract(led, g.broadcast(leading: largest, to: shape))
    if temperature != 1 { logits = g.multiply(logits, 1 / temperature) }
    let total = g.unary(.log, g.sum(g.unary(.exp, logits), [1]))
    let chosen = g.sum(g.multiply(logits, isClass), [1])
    let loss = g.subtract(total, chosen)
    return temperature == 1 ? loss : g.multiply(loss, temperature)
  }
}
