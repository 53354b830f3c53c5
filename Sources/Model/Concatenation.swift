import Rounding
import Tensors

/// Its operands one after the other along one axis of a sample.
///
/// A map from all operands side by side onto the same numbers in another order: constant 1 in every
/// norm with respect to (x₁, x₂, …), so that L = ‖(L(x₁), L(x₂), …)‖.
public struct Concatenation: Sendable {
  /// Of a sample; 0 is the channels.
  public let axis: Int

  public init(axis: Int) { self.axis = axis }
}

extension Concatenation: Layer {
  public static let kind = "concat"
  public static let summary = "several values one after the other along an axis"

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    throw ArgumentProblem("`concat` is made by resolution", code: .wrongType)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    guard let first = inputs.first else { throw ShapeProblem("a concatenation of nothing") }
    guard first.indices.contains(axis) else {
      throw ShapeProblem("\(first.shapeText) has no axis \(axis)", argument: "axis")
    }
    for shape in inputs {
      guard shape.count == first.count, shape.removing(axes: [axis]) == first.removing(axes: [axis])
      else {
        throw ShapeProblem(
          "\(first.shapeText) and \(shape.shapeText) differ in more than axis \(axis)",
          help: "along the other axes the values must have one extent")
      }
    }
    var result = first
    result[axis] = inputs.reduce(0) { $0 + $1[axis] }
    return result
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(.one) }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    context.graph.concatenate(inputs, axis: axis + 1)
  }
}
