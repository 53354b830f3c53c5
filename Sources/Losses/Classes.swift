import Model
import Tensors

extension SupervisedLoss {
  /// 1 at [b, labels_b], 0 elsewhere; a row of zeros where the label is no class.
  func oneHot(_ labels: Value, shape: Shape, _ g: GraphBuilder) -> Value {
    g.binary(.equal, g.iota(shape, axis: 1), g.broadcast(leading: labels, to: shape))
  }

  /// Class labels need one output per class.
  static func classRefusal(_ output: Shape) -> String? {
    if output.count != 1 {
      return "`\(kind)` needs one number per class, not \(output.shapeText)"
    }
    return output[0] < 2 ? "`\(kind)` needs two classes or more, not one output" : nil
  }
}
