import Model
import Rounding
import Tensors

/// A layer y_i = φ(x_i): one scalar function at every element, any shape in, the same shape out.
///
/// Its Jacobian is diagonal, so its Lipschitz constant is sup |φ′| in every p-norm: a file
/// states the slopes and the function, and nothing else.
protocol ElementwiseLayer: Layer {
  /// The smallest interval that holds every slope of φ.
  var slopes: SlopeRange { get }
  /// φ at every element of `x`.
  func apply(_ x: Value, _ context: LoweringContext) -> Value
}

extension ElementwiseLayer {
  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try Self.only(inputs)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .elementwise(slopes) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    apply(inputs[0], context)
  }
}

extension Layer {
  /// The shape of the one input, for kinds that take one.
  static func only(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    guard inputs.count == 1 else { throw .severalInputs(kind, inputs.count) }
    return inputs[0]
  }
}

extension ShapeProblem {
  fileprivate static func severalInputs(_ kind: String, _ count: Int) -> ShapeProblem {
    ShapeProblem(
      "`\(kind)` takes one input, not \(count)",
      help: "join them first with `add` or `concat`")
  }
}
