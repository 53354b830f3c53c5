import Model
import Tensors

/// X, orthonormal rows (columns where W is tall), following the polar factor of a W that moves a
/// little each step.
///
/// polar(W) is where tr(Xᵀ·W) is largest, and a step climbs there:
///
///     H = ½·(W·Xᵀ + X·Wᵀ)                 W = H·X where X has arrived
///     X ← B(X + α·(W − H·X)),  α = 1/σ̂,   σ̂ the largest singular value of H by power iteration,
///                                         one step of it a step
///     B(Y) = 3/2·Y − ½·Y·Yᵀ·Y             back to orthonormal rows, with a quadratic error
///
/// What is left of a difference along u_i·u_jᵀ is 1 − α·(h_i + h_j)/2 of it, h the singular values of
/// W. W moves by some thousandths of itself in a step, so X stays near.
///
/// As a function of W, X here has nearly the polar factor's derivative. In the basis of H that is
///
///     D ↦ K·X + H⁻¹·(D − N·X),   N = D·Xᵀ,  K_ij = (N_ij − N_ji) / (h_i + h_j)
///
/// and K is ¼·(Z·A + A·Z) here, A = N − Nᵀ, so that 1/(h_i + h_j) is the mean of 1/2h_i and 1/2h_j:
/// exact where they are equal. Z, near H⁻¹, is a state too and takes a Newton step Z·(2I − H·Z) a
/// step, from I/σ̂ where it has lost its way.
struct PolarFollower {
  private static let polar = "polar"
  private static let direction = "direction"
  private static let inverse = "inverse"

  static func state(_ weight: Shape, _ matrices: KernelMatrices) -> [WeightDeclaration] {
    let side = matrices.shape.min()!
    return [
      WeightDeclaration(polar, weight, .constant(0), isTrained: false),
      WeightDeclaration(direction, [matrices.count, side], .constant(1), isTrained: false),
      WeightDeclaration(inverse, [matrices.count, side, side], .constant(0), isTrained: false),
    ]
  }

  static func start(at orthogonal: Value, _ context: ConstraintContext) {
    context.update(polar, orthogonal)
  }

  /// X for the weight, in training after `steps` steps.
  static func polarFactor(
    of weight: Value, _ matrices: KernelMatrices, steps: Int, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    guard let stored = context.state[polar], let directions = context.state[direction],
      let inverses = context.state[inverse]
    else {
      fatalError("lgc's own bug: a polar factor is followed without its state")
    }
    guard context.mode == .training else { return stored }
    let factors = matrices.list(stored, g)
    var followed: [Value] = []
    var turned: [Value] = []
    var inverted: [Value] = []
    let result = matrices.map(weight, g) { matrix, index in
      let side = PolarFactor.Side(g.shape(matrix))
      let extent = g.shape(directions)[1]
      let fixed = g.stopGradient(matrix)
      var x = factors[index]
      var v = g.reshape(
        g.slice(
          directions, starts: [index, 0], limits: [index + 1, extent], strides: [1, 1]),
        to: [extent, 1])
      var z = g.reshape(
        g.slice(
          inverses, starts: [index, 0, 0], limits: [index + 1, extent, extent],
          strides: [1, 1, 1]),
        to: [extent, extent])
      for _ in 0..<steps {
        let inner = side.inner(fixed, x, g)
        let h = g.multiply(g.add(inner, g.transpose(inner, [1, 0])), 0.5)
        let image = g.dot(h, v)
        let sigma = g.add(g.unary(.squareRoot, g.sum(g.square(image))), tinyNorm)
        let rate = g.unary(.reciprocal, sigma)
        v = g.multiply(image, g.broadcast(rate, to: [extent, 1], axes: []))
        z = newton(z, h, rate, g)
        let slope = g.subtract(fixed, side.product(h, x, g))
        let y = g.add(x, g.multiply(slope, g.broadcast(rate, to: g.shape(slope), axes: [])))
        x = PolarFactor.step(y, block: nil, of: 1, g)
      }
      x = g.stopGradient(x)
      followed.append(x)
      turned.append(g.reshape(g.stopGradient(v), to: [1, extent]))
      z = g.stopGradient(z)
      inverted.append(g.reshape(z, to: [1, extent, extent]))
      // Zero, whose gradient is what W gets.
      let change = g.subtract(matrix, fixed)
      let n = side.inner(change, x, g)
      let skew = g.subtract(n, g.transpose(n, [1, 0]))
      let turn = g.dot(z, skew)
      let k = g.multiply(g.subtract(turn, g.transpose(turn, [1, 0])), 0.25)
      let factor = g.subtract(k, g.dot(z, n))
      let placed = side.isWide ? factor : g.transpose(factor, [1, 0])
      return g.add(
        x, g.add(side.product(z, change, g), side.product(placed, x, g)))
    }
    context.update(inverse, g.concatenate(inverted, axis: 0))
    context.update(polar, g.reshape(g.concatenate(followed, axis: 0), to: g.shape(weight)))
    context.update(direction, g.concatenate(turned, axis: 0))
    return result
  }

  private static func newton(_ z: Value, _ h: Value, _ rate: Value, _ g: GraphBuilder) -> Value {
    let shape = g.shape(z)
    let identity = g.identity(shape[0])
    let error = g.subtract(identity, g.dot(h, z))
    let isNear = g.binary(.greater, g.constant(Double(shape[0])), g.sum(g.square(error)))
    let next = g.add(z, g.dot(z, error))
    let anew = g.multiply(identity, g.broadcast(rate, to: shape, axes: []))
    return g.select(g.broadcast(isNear, to: shape, axes: []), next, anew)
  }
}
