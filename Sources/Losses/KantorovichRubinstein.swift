import Model
import Tensors

/// −KR, to be minimised, where for one output f and two classes
///
///     KR = mean of f over class 1 − mean of f over class 0
///
/// is, for a 1-Lipschitz f, a lower bound of the Wasserstein-1 distance of the two classes. For C
/// outputs it is the mean over the columns c of (mean of z_c over class c − mean of z_c over the
/// others). Means are over the samples of a class in the batch, not over the batch; the mean of a
/// class that is absent counts as 0.
///
/// The loss is unbounded below unless the network's constant is.
public struct KantorovichRubinstein: SupervisedLoss {
  public static let kind = "kr"
  public static let summary = "difference of the outputs' means over the classes, to be maximised"
  public static let examples: [Example] = [
    .good("{family: kr}"),
    .bad("{family: kr, «alpha»: 1}", .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public var labels: Set<LabelKind> { [.classes] }

  public func refusal(output: Shape, labels: LabelKind) -> String? { Self.signRefusal(output) }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    g.negate(classMeanDifference(output, labels, g))
  }
}

extension SupervisedLoss {
  /// Per sample, numbers whose mean over the batch is KR: ±f times batch size / size of its class.
  func classMeanDifference(_ output: Value, _ labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let isRight = g.isClass(labels, shape: shape)
    // A label that is no class (a padded sample's) belongs to neither side.
    let classes = g.broadcast(leading: labels, to: shape)
    let known = g.binary(.greaterOrEqual, classes, g.constant(0, shape))
    let isWrong = g.multiply(known, g.subtract(1, isRight))
    func weight(_ member: Value) -> Value {
      let count = g.maximum(g.sum(member, [0]), 1)
      let factor = g.divide(g.constant(Double(shape[0]), [shape[1]]), count)
      return g.multiply(member, g.broadcast(trailing: factor, to: shape))
    }
    let signed = g.multiply(output, g.subtract(weight(isRight), weight(isWrong)))
    return g.multiply(g.sum(signed, [1]), 1 / Double(shape[1]))
  }
}
