import Model
import Tensors

/// loss = 1/n · Σ_i (z_i − t_i)², per sample, over its n outputs.
///
/// For data with classes t is the one-hot vector of the class; for targets it is the target.
public struct MeanSquaredError: SupervisedLoss {
  public static let kind = "mse"
  public static let summary = "mean of (output − target)² over the outputs"
  public static let examples: [Example] = [
    .good("{family: mse}"),
    .bad("{family: mse, «temperature»: 1}", .unknownKey),
  ]

  public init(_ arguments: Arguments) {}

  public var labels: Set<LabelKind> { [.classes, .targets] }

  public func refusal(output: Shape, labels: LabelKind) -> String? {
    labels == .classes ? Self.classRefusal(output) : nil
  }

  public func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(output)
    let target = g.shape(labels) == shape ? labels : g.oneHot(labels, shape: shape)
    let squares = g.square(g.subtract(output, target))
    let axes = Array(1..<shape.count)
    return g.multiply(g.sum(squares, axes), 1 / Double(shape.dropFirst().reduce(1, *)))
  }
}
