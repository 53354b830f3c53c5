import Model
import Tensors

/// A distance of paired samples x and y of n elements, one number a pair. Nothing is trained
/// through it.
public enum SampleDistance: String, ArgumentValue, CaseIterable {
  /// Σ |x − y|
  case l1Sum = "l1_sum"
  /// Σ |x − y| / n
  case l1Mean = "l1_mean"
  /// √Σ (x − y)²
  case l2
  /// √(Σ (x − y)² / n)
  case l2Mean = "l2_mean"

  func lower(_ x: Value, _ y: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(x)
    let axes = Array(1..<shape.count)
    let count = Double(shape.dropFirst().reduce(1, *))
    let difference = g.subtract(g.stopGradient(x), g.stopGradient(y))
    switch self {
    case .l1Sum: return g.sum(g.unary(.absolute, difference), axes)
    case .l1Mean: return g.multiply(g.sum(g.unary(.absolute, difference), axes), 1 / count)
    case .l2: return g.unary(.squareRoot, g.sum(g.square(difference), axes))
    case .l2Mean:
      return g.unary(.squareRoot, g.multiply(g.sum(g.square(difference), axes), 1 / count))
    }
  }

  /// The least this distance can be of two samples at Euclidean distance 1, of n elements.
  func least(elements n: Int) -> Double {
    switch self {
    case .l1Sum, .l2: 1
    case .l1Mean: 1 / Double(n)
    case .l2Mean: 1 / Double(n).squareRoot()
    }
  }
}
