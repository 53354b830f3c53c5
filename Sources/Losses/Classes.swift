import Model
import Tensors

extension SupervisedLoss {
  /// 1 at [b, labels_b], 0 elsewhere; a row of zeros where the label is no class.
  func oneHot(_ labels: Value, shape: Shape, _ g: GraphBuilder) -> Value {
    g.binary(.equal, g.iota(shape, axis: 1), g.broadcast(leading: labels, to: shape))
  }

  /// 1 where a column is the sample's class, 0 elsewhere. One column stands for class 1 of two.
  func isClass(_ labels: Value, shape: Shape, _ g: GraphBuilder) -> Value {
    if shape[1] > 1 { return oneHot(labels, shape: shape, g) }
    let ones = g.constant(1, shape)
    return g.binary(.equal, g.broadcast(leading: labels, to: shape), ones)
  }

  /// Class labels need one output per class.
  static func classRefusal(_ output: Shape) -> String? {
    if output.count != 1 {
      return "`\(kind)` needs one number per class, not \(output.shapeText)"
    }
    return output[0] < 2 ? "`\(kind)` needs two classes or more, not one output" : nil
  }

  /// One number per class, or a single one whose sign tells two classes apart.
  static func signRefusal(_ output: Shape) -> String? {
    output.count == 1
      ? nil : "`\(kind)` needs one number, or one per class, not \(output.shapeText)"
  }
}
