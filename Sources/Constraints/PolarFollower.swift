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
    else { fatalError("lgc's own bug: a polar factor is followed without its state") }
    guard context.mode == .training else { return stored }
    let factors = matrices.list(stored, g)
    var followers: [PolarFollower] = []
    let result = matrices.map(weight, g) { matrix, index in
      var follower = PolarFollower(
        graph: g, side: .init(g.shape(matrix)), x: factors[index],
        v: g.element(index, of: directions), z: g.element(index, of: inverses))
      for _ in 0..<steps { follower.step(towards: g.stopGradient(matrix)) }
      followers.append(follower)
      return follower.differentiable(matrix)
    }
    context.update(
      polar, g.reshape(g.concatenate(followers.map(\.x), axis: 0), to: g.shape(weight)))
    context.update(direction, g.stacked(followers.map(\.v)))
    context.update(inverse, g.stacked(followers.map(\.z)))
    return result
  }

  private let graph: GraphBuilder
  private let side: PolarFactor.Side
  private var x: Value
  /// Near the singular vector of σ̂.
  private var v: Value
  private var z: Value

  private mutating func step(towards matrix: Value) {
    let g = graph
    let inner = side.inner(matrix, x, g)
    let h = g.multiply(g.add(inner, g.transpose(inner, [1, 0])), 0.5)
    let extent = g.shape(h)[0]
    let image = g.reshape(g.dot(h, g.reshape(v, to: [extent, 1])), to: [extent])
    let sigma = g.add(g.unary(.squareRoot, g.sum(g.square(image))), tinyNorm)
    let rate = g.unary(.reciprocal, sigma)
    v = g.multiply(image, g.broadcast(rate, to: [extent], axes: []))
    z = inverse(of: h, rate)
    let slope = g.subtract(matrix, side.product(h, x, g))
    let climbed = g.add(x, g.multiply(slope, g.broadcast(rate, to: g.shape(slope), axes: [])))
    x = PolarFactor.step(climbed, block: nil, of: 1, g)
  }

  /// A Newton step from `z`. One that diverges has errors of more than 1 in the mean soon.
  private func inverse(of h: Value, _ rate: Value) -> Value {
    let g = graph
    let shape = g.shape(h)
    let identity = g.identity(shape[0])
    let error = g.subtract(identity, g.dot(h, z))
    let isNear = g.binary(.greater, g.constant(Double(shape[0])), g.sum(g.square(error)))
    let next = g.add(z, g.dot(z, error))
    let anew = g.multiply(identity, g.broadcast(rate, to: shape, axes: []))
    return g.select(g.broadcast(isNear, to: shape, axes: []), next, anew)
  }

  /// `x` with its derivative in the matrix: what is added is zero.
  private func differentiable(_ matrix: Value) -> Value {
    let g = graph
    let (x, z) = (g.stopGradient(x), g.stopGradient(z))
    let change = g.subtract(matrix, g.stopGradient(matrix))
    let n = side.inner(change, x, g)
    let turned = g.dot(z, g.subtract(n, g.transpose(n, [1, 0])))
    let k = g.multiply(g.subtract(turned, g.transpose(turned, [1, 0])), 0.25)
    let factor = g.subtract(k, g.dot(z, n))
    let placed = side.isWide ? factor : g.transpose(factor, [1, 0])
    return g.add(x, g.add(side.product(z, change, g), side.product(placed, x, g)))
  }
}
