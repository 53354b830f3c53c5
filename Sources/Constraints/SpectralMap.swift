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
  /// Whether the weight is a matrix or a kernel, which has a norm of its own in every p; of the
  /// others the norm is max |s| in all.
  var isMatrixLike: Bool {
    switch self {
    case .dense, .convolution, .transposedConvolution: true
    case .diagonal, .scaling, .separable, .normalisation: false
    }
  }

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
      WeightDeclaration("u", outputs, .unitVector, isTrained: false),
      WeightDeclaration("v", inputs, .unitVector, isTrained: false),
    ]
  }
}

extension ConstraintContext {
  /// k·W / σ̂ of the layer's map (of the kernel as a matrix where `isKernel`), by some more power
  /// iterations in training, whose vectors are kept. Without a state (`isPersistent` false) every use
  /// starts from v = (1, …, 1).
  ///
  /// The vectors are constants of the gradient.
  func normalised(
    _ weight: Value, to bound: Double, iterations: Int, isKernel: Bool = false,
    isPersistent: Bool = true
  ) -> Value {
    let g = graph
    guard let (outputs, inputs) = linear.iterated(g.shape(weight), isKernel: isKernel),
      // Without a state both vectors follow from v; u's own start is never read.
      var u = isPersistent ? state["u"] : g.constant(0, outputs),
      var v = isPersistent ? state["v"] : g.unit(g.constant(1, inputs))
    else { fatalError("lgc's own bug: a power iteration is lowered without its vectors") }
    let map = SpectralMap(weight, linear, isKernel: isKernel, g)
    if mode == .training || !isPersistent {
      for _ in 0..<iterations {
        u = g.stopGradient(g.unit(map.image(v)))
        v = g.stopGradient(g.unit(map.coimage(u)))
      }
    }
    if mode == .training, isPersistent {
      update("u", u)
      update("v", v)
    }
    // The last iteration's Aᵀ·u again: common subexpressions are merged, so σ̂ costs one product of
    // vectors, and it is differentiable in W while u and v are not.
    let sigma = g.add(g.sum(g.multiply(map.coimage(u), v)), tinyNorm)
    let factor = g.divide(g.constant(bound), sigma)
    return g.multiply(weight, g.broadcast(factor, to: g.shape(weight), axes: []))
  }
}
