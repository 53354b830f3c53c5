import Model
import Rounding
import Tensors

/// Added to norms, against 0 / 0 for a weight of zeros.
package let tinyNorm = 1e-12

extension GraphBuilder {
  /// (Σ w²)^½, with a trace added under the root: the root has no derivative at 0.
  package func frobeniusNorm(_ weight: Value) -> Value {
    unary(.squareRoot, add(sum(square(weight)), tinyNorm * tinyNorm))
  }

  /// x / ‖x‖₂, and 0 for 0.
  package func unit(_ x: Value) -> Value {
    let norm = maximum(unary(.squareRoot, sum(square(x))), tinyNorm)
    return multiply(x, broadcast(unary(.reciprocal, norm), to: shape(x), axes: []))
  }

  /// W·k / max(k, norm): W itself where its norm is at most k. In this order a tie leaves the norm
  /// out of the gradient.
  func shrunk(_ weight: Value, norm: Value, to bound: Double) -> Value {
    let limit = constant(bound)
    let factor = divide(limit, binary(.maximum, limit, norm))
    return multiply(weight, broadcast(factor, to: shape(weight), axes: []))
  }
}

extension ConstraintContext {
  /// max |s| of a scale, max |s| / √(variance + epsilon) of a batch normalisation: the norm of
  /// either in every p.
  func largestEntry(_ s: Value) -> Value {
    let g = graph
    var sizes = g.unary(.absolute, s)
    if case .normalisation(_, let variance, let epsilon, _, _) = linear {
      sizes = g.divide(sizes, g.unary(.squareRoot, g.add(tensor(variance), epsilon)))
    }
    return g.maximum(over: [0], sizes)
  }
}

extension Constraint {
  /// The refusal of a constraint that measures weights in l2.
  func l2Only(_ norm: Norm) -> String? {
    norm == .l2
      ? nil : "`\(Self.kind)` holds a bound in l2 only, and this one is in \(norm.rawValue)"
  }
}
