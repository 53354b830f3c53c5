import Model
import Tensors

extension SupervisedLoss {
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
