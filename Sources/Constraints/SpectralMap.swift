import Model
import Tensors

/// A linear map and its adjoint on single tensors.
package struct SpectralMap {
  package let image: (Value) -> Value
  package let coimage: (Value) -> Value

  package init(_ weight: Value, _ linear: LinearOperator, isKernel: Bool, _ g: GraphBuilder) {
    /// On a batch of one.
    func single(_ map: @escaping (Value) -> Value) -> (Value) -> Value {
      { x in
        let y = map(g.reshape(x, to: [1] + g.shape(x)))
        return g.reshape(y, to: Array(g.shape(y).dropFirst()))
      }
    }
    switch linear {
    case .convolution(_, let geometry) where !isKernel:
      image = single { geometry.forward($0, weight, g) }
      coimage = single { geometry.adjoint($0, weight, g) }
    case .transposedConvolution(_, let geometry) where !isKernel:
      image = single { geometry.adjoint($0, weight, g) }
      coimage = single { geometry.forward($0, weight, g) }
    default:
      let extents = g.shape(weight)
      let shape = [extents[0], extents[1...].reduce(1, *)]
      let matrix = g.reshape(weight, to: shape)
      image = { g.sum(g.multiply(matrix, g.broadcast($0, to: shape, axes: [1])), [1]) }
      coimage = { g.sum(g.multiply(matrix, g.broadcast($0, to: shape, axes: [0])), [0]) }
    }
  }
}

extension LinearOperator {
  /// The shapes of u and v in the power iteration of a layer with this weight; nil where the norm is
  /// known without one.
  package func iterated(_ weight: Shape, isKernel: Bool) -> (outputs: Shape, inputs: Shape)? {
    switch self {
    case .dense: (Array(weight[..<1]), Array(weight[1...]))
    case .convolution(_, let geometry) where !isKernel:
      (geometry.outputShape, geometry.inputShape)
    case .transposedConvolution(_, let geometry) where !isKernel:
      (geometry.inputShape, geometry.outputShape)
    case .convolution, .transposedConvolution: ([weight[0]], [weight[1...].reduce(1, *)])
    default: nil
    }
  }

  /// The vectors of a power iteration that goes on from step to step; none where `iterated` is nil.
  package func iterationState(_ weight: Shape, isKernel: Bool = false) -> [WeightDeclaration] {
    guard let (outputs, inputs) = iterated(weight, isKernel: isKernel) else { return [] }
    return [
      WeightDeclaration("u", outputs, .unitVector), WeightDeclaration("v", inputs, .unitVector),
    ]
  }
}
