import Model
import Rounding
import Tensors

/// The layer's matrix has orthonormal rows (or columns, whichever are fewer), times the declared
/// bound k: all singular values are k, so that the layer does not only never expand but keeps as much
/// of the gradient as a bound allows.
///
/// `method: bjorck`, W̄ = k·polar(W), the nearest orthogonal matrix, by the Newton–Schulz iteration of
/// Björck & Bowie (1971), in two ways:
///
/// - `apply: after_update` (the default): the stored W is kept orthogonal, and after each update some
///   of its rows, `rows` of them, the next ones at the next step, take a step
///
///       B ← B − η·(B·Wᵀ − I_B)·W,   η = ½ / max(1, ‖B·Wᵀ − I_B‖_F)
///
///   which for all rows and small errors is one iteration 3/2·W − 1/2·W·Wᵀ·W, with a quadratic
///   error, and which far from orthogonality shortens its step where that iteration would diverge
///   (σ ≥ √3). A product of a block costs 2·rows·m·n instead of 2·m²·n, so an update costs less than
///   an unconstrained step's own products. Between updates W is orthogonal to within what the
///   optimizer moved it since its rows were last treated: some percent while the learning rate is
///   large, next to nothing as it falls. Training starts from polar(W), and when it ends W becomes
///   polar(W) by a converged iteration.
/// - `apply: lazy`: the stored W moves freely, and a state X follows polar(W) by one step of
///   `PolarFollower` a training step; the forward pass uses X, with nearly the polar factor's
///   gradient. W keeps the sum of all that the optimizer did, so that directions in which gradients
///   are large and steady become long in it, and X turns slowly there: lazy projection, as in dual
///   averaging (Nesterov 2009). At equal steps it reaches a much lower loss than `after_update`, as
///   `forward` does, for 11 products of a square layer a step.
/// - `apply: forward`: the forward pass uses `iterations` steps from W/s, s² = max Σ |W·Wᵀ| ≥ ‖W‖₂²
///   (so that all σ lie in (0, 1], where the iteration converges), and the gradient flows through
///   them. `order` p adds terms of (I − W·Wᵀ)^p: fewer, dearer steps. It costs a multiple of the
///   unconstrained step: 15 steps of 4·m²·n forward, twice that backward.
///
/// `method: cayley`: with W (transposed where it is wide) as [U; V], A = U − Uᵀ + Vᵀ·V and
/// X = (I + A)⁻¹,
///
///     W̄ = k·[2X − I; −2V·X],   orthonormal for every U and V
///
/// as I + A has the symmetric part I + Vᵀ·V. X comes from the last step's by `iterations` Newton
/// steps X ← X·(2I − M·X) where ‖I − M·X‖_F < 1 says that they converge, else from
/// Mᵀ/(‖M‖₁·‖M‖∞), from which they always do, and one more step with X as a constant, whose
/// derivative is −X·dM·X. It costs 2·(iterations + 2) products of n³ a step, n the lesser side.
///
/// `method: exponential`: W̄ = k·(the first columns of e^A), A = P − Pᵀ, P = W filled with zeros to a
/// square. e^A is the Taylor polynomial of degree 6 of A/2^s squared s = `iterations` times: its
/// error is below 2^s·(‖A‖/2^s)⁷/5040 while ‖A‖ < 2^s. It costs s + 3 products of n³, n the greater
/// side, and the gradient twice that: for small layers.
///
/// A convolution's kernel is such a matrix as [out, in/groups · taps] of each group, and its norm is
/// between 1 and √m then, m the most windows that read one element. Where m is 1 (stride = kernel) it
/// is 1; elsewhere the forward pass divides by σ̂ of the convolution itself, by one step of power
/// iteration a training step. So a convolution's singular values spread below k: a kernel that makes
/// all of them equal exists only for few geometries.
///
/// The certified rescale when training ends makes the bound a theorem about the stored numbers. A
/// `scale` and the gamma of a batch normalisation go into the ball, as under `spectral`: orthogonal
/// they would be ±1.
public struct Orthogonal: Constraint {
  public enum Method: String, ArgumentValue, CaseIterable { case bjorck, cayley, exponential }
  public enum Application: String, ArgumentValue, CaseIterable {
    case afterUpdate = "after_update"
    case forward, lazy
  }

  public static let kind = "orthogonal"
  public static let summary = "uses bound · an orthogonal matrix in the forward pass"
  public static let method = Argument<Method>(
    "method", "How W becomes orthogonal.", default: .bjorck)
  public static let application = Argument<Application>.optional(
    "apply",
    "after_update keeps W orthogonal by a step after each update (default of bjorck); lazy lets W "
      + "move and has its nearest orthogonal matrix follow; forward makes it so in the forward pass, "
      + "with its gradient (the others).")
  public static let iterations = Argument<Int>.optional(
    "iterations",
    "Steps of the iteration: 1 after an update, 15 in the forward pass, 2 of cayley's inverse, 6 "
      + "squarings of exponential.", in: ArgumentRange(lower: 1, upper: 100))
  public static let order = Argument<Int>.optional(
    "order", "Terms of Björck's polynomial in the forward pass (default 1).",
    in: ArgumentRange(lower: 1, upper: 4))
  public static let rows = Argument<Int>.optional(
    "rows", "Rows of W that are treated after one update (default 64).", in: .atLeastOne)
  public static let arguments: [any ArgumentDeclaration] = [
    method, application, iterations, order, rows,
  ]
  public static let shorthand: String? = "method"
  public static let examples: [Example] = [
    .good("{type: orthogonal}"),
    .good("{type: orthogonal, rows: 128, iterations: 2}"),
    .good("{type: orthogonal, apply: lazy}"),
    .good("{type: orthogonal, apply: forward, order: 2, iterations: 8}"),
    .good("{type: orthogonal, method: cayley}"),
    .good("{type: orthogonal, method: exponential, iterations: 4}"),
    .bad("{type: orthogonal, method: «svd»}", .wrongType),
    .bad("{type: orthogonal, apply: forward, order: «5»}", .outOfRange),
    .bad("{type: orthogonal, order: «2»}", .conflictingKeys),
    .bad("{type: orthogonal, method: cayley, apply: «after_update»}", .conflictingKeys),
    .bad("{type: orthogonal, method: cayley, rows: «8»}", .conflictingKeys),
    .bad("{type: orthogonal, method: cayley, apply: «lazy»}", .conflictingKeys),
    .bad("{type: orthogonal, apply: lazy, rows: «8»}", .conflictingKeys),
  ]

  public let method: Method
  public let application: Application
  public let iterations: Int
  public let order: Int
  public let rows: Int

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    method = arguments[Self.method]
    application =
      arguments[optional: Self.application] ?? (method == .bjorck ? .afterUpdate : .forward)
    if application != .forward, method != .bjorck {
      throw ArgumentProblem(
        "`\(method.rawValue)` maps every W to an orthogonal matrix in the forward pass",
        argument: "apply", help: "write `apply: forward`, or leave it out", code: .conflictingKeys)
    }
    if arguments[optional: Self.order] != nil, method != .bjorck || application != .forward {
      throw ArgumentProblem(
        "`order` is of Björck's polynomial in the forward pass", argument: "order",
        help: "add `apply: forward`, or leave it out", code: .conflictingKeys)
    }
    if arguments[optional: Self.rows] != nil, application != .afterUpdate {
      throw ArgumentProblem(
        "`rows` are treated after an update, and here each step treats all", argument: "rows",
        help: "leave it out", code: .conflictingKeys)
    }
    let usual =
      switch (method, application) {
      case (.bjorck, .afterUpdate), (.bjorck, .lazy): 1
      case (.bjorck, .forward): 15
      case (.cayley, _): 2
      case (.exponential, _): 6
      }
    iterations = arguments[optional: Self.iterations] ?? usual
    order = arguments[optional: Self.order] ?? 1
    rows = arguments[optional: Self.rows] ?? 64
  }

  public func refusal(_ linear: LinearOperator, norm: Norm) -> String? {
    linear.isMatrixLike ? l2Only(norm) : nil
  }
  public var isCertifiedAfterTraining: Bool { true }

  public func state(
    _ weight: Shape, of linear: LinearOperator, norm: Norm
  ) -> [WeightDeclaration] {
    guard linear.isMatrixLike else { return [] }
    let matrices = KernelMatrices(weight, linear)
    var state = linear.overlaps ? linear.iterationState(weight) : []
    switch method {
    case .bjorck where application == .lazy:
      if !matrices.areRows { state += PolarFollower.state(weight, matrices) }
    case .bjorck:
      if application == .afterUpdate, PolarFactor.blocks(matrices.shape, rows: rows) > 1 {
        state.append(WeightDeclaration("turn", [], .constant(0), isTrained: false))
      }
    case .cayley where !matrices.areRows:
      let side = matrices.shape.min()!
      state.append(
        WeightDeclaration(
          "inverse", [matrices.count, side, side], .constant(0), isTrained: false))
    case .cayley, .exponential: break
    }
    return state
  }

  public func reparametrise(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    guard context.linear.isMatrixLike else {
      return context.graph.shrunk(weight, norm: context.largestEntry(weight), to: bound)
    }
    return scaled(orthogonal(weight, context), bound: bound, context)
  }

  public func project(
    _ updated: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    guard context.linear.isMatrixLike, application == .afterUpdate else { return updated }
    let g = context.graph
    let matrices = KernelMatrices(g.shape(updated), context.linear)
    if matrices.areRows { return matrices.unitRows(updated, g) }
    let blocks = PolarFactor.blocks(matrices.shape, rows: rows)
    var weight = updated
    var turn = context.state["turn"]
    for _ in 0..<iterations {
      weight = matrices.map(weight, g) { matrix, _ in
        PolarFactor.step(matrix, block: turn, of: blocks, g)
      }
      if let current = turn {
        let next = g.add(current, 1)
        let isLast = g.binary(.greaterOrEqual, next, g.constant(Double(blocks)))
        turn = g.select(isLast, g.constant(0), next)
      }
    }
    if let turn { context.update("turn", turn) }
    return weight
  }

  public func start(
    _ initial: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    guard context.linear.isMatrixLike else { return initial }
    let g = context.graph
    let matrices = KernelMatrices(g.shape(initial), context.linear)
    if context.state["inverse"] != nil {
      let inverses = matrices.list(initial, g).map {
        CayleyMap($0, g).inverse(from: nil, iterations: Self.converged, g)
      }
      context.update("inverse", g.stacked(inverses))
    }
    if application == .forward { return initial }
    let orthogonal = polar(initial, matrices, g)
    if application == .lazy, !matrices.areRows { PolarFollower.start(at: orthogonal, context) }
    return orthogonal
  }

  public func deploy(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    let g = context.graph
    guard context.linear.isMatrixLike else {
      return reparametrise(weight, bound: bound, context)
    }
    let matrices = KernelMatrices(g.shape(weight), context.linear)
    let exact = method == .bjorck ? weight : orthogonal(weight, context)
    return scaled(polar(exact, matrices, g), bound: bound, context)
  }

  /// Iterations after which nothing moves any more: from σ = 10⁻⁴·‖W‖ a step multiplies by 3/2, then
  /// squares the error.
  static let converged = 30

  private func polar(_ weight: Value, _ matrices: KernelMatrices, _ g: GraphBuilder) -> Value {
    if matrices.areRows { return matrices.unitRows(weight, g) }
    return matrices.map(weight, g) { matrix, _ in
      PolarFactor.of(matrix, iterations: Self.converged, order: 1, g)
    }
  }

  /// The stored weight as an orthogonal one.
  private func orthogonal(_ weight: Value, _ context: ConstraintContext) -> Value {
    let g = context.graph
    if application == .afterUpdate { return weight }
    let matrices = KernelMatrices(g.shape(weight), context.linear)
    if matrices.areRows { return matrices.unitRows(weight, g) }
    switch method {
    case .bjorck where application == .lazy:
      return PolarFollower.polarFactor(of: weight, matrices, steps: iterations, context)
    case .bjorck:
      return matrices.map(weight, g) { matrix, _ in
        PolarFactor.of(matrix, iterations: iterations, order: order, g)
      }
    case .cayley:
      var inverses: [Value] = []
      let result = matrices.map(weight, g) { matrix, index in
        let map = CayleyMap(matrix, g)
        let last = context.state["inverse"].map { g.element(index, of: $0) }
        let inverse = map.inverse(from: last, iterations: iterations, g)
        inverses.append(inverse)
        return map.image(inverse, g)
      }
      if context.mode == .training { context.update("inverse", g.stacked(inverses)) }
      return result
    case .exponential:
      return matrices.map(weight, g) { matrix, _ in
        ExponentialMap.of(matrix, squarings: iterations, g)
      }
    }
  }

  /// The factor that makes the layer's norm k: k itself where the matrix's norm is the layer's.
  private func scaled(
    _ weight: Value, bound: Double, _ context: ConstraintContext
  ) -> Value {
    context.linear.overlaps
      ? context.normalised(weight, to: bound, iterations: 1)
      : context.graph.multiply(weight, bound)
  }
}

extension LinearOperator {
  /// Whether windows of a convolution share elements, so that its norm is not its kernel's.
  fileprivate var overlaps: Bool {
    switch self {
    case .convolution(_, let geometry), .transposedConvolution(_, let geometry):
      geometry.largestCover > 1
    default: false
    }
  }
}
