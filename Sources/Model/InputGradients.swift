import Tensors

extension GraphBuilder {
  /// ‖∇_x v‖₂² of each sample, [batch], for numbers `values` [batch] of the samples `x`
  /// [batch, sample…]. Where a sample's number depends on no other sample, the gradient of the sum
  /// holds every sample's own.
  public func squaredGradientNorms(of values: Value, in x: Value) -> Value {
    let gradient = gradient(of: sum(values), with: [x])[0]
    return sum(square(gradient), Array(1..<shape(x).count))
  }

  /// Independent standard normal numbers by Box and Muller, √(−2·ln(1 − u)) · cos 2πv, of uniform
  /// ones on [0, 1).
  func normal(_ uniform: (_ part: String) -> Value) -> Value {
    let logarithm = unary(.log, subtract(1, uniform("u")))
    let radius = unary(.squareRoot, multiply(logarithm, -2))
    return multiply(radius, unary(.cosine, multiply(uniform("v"), 2 * Double.pi)))
  }
}
