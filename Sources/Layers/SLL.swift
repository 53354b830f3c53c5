import Model
import Rounding
import Tensors

/// y = x − 2·W·T⁻¹·max(Wᵀx + b, 0), T diagonal with T_ii = Σ_j |WᵀW|_ij·e^(q_j − q_i): the SDP-based
/// Lipschitz layer (Araujo, Havens, Delattre, Allauzen, Hu, "A unified algebraic perspective on
/// Lipschitz neural networks", 2023), a residual layer that cannot expand.
///
/// T − WᵀW is diagonally dominant in the weights e^q, so T ⪰ WᵀW and 0 ⪯ W·T⁻¹·D·Wᵀ ⪯ I for every
/// diagonal D with entries in [0, 1], and the Jacobian lies between −I and I: constant 1 in l2,
/// whatever is stored, since T is computed from W inside the function. A unit whose column of W is 0
/// adds nothing. In l1 and linf at most √n, by the equivalence of norms.
///
/// With `kernel`, of an input [channels, length] or [channels, height, width], Wᵀ is a convolution
/// with `units` filters at stride 1, with zeros around the input so that the extents stay (an even
/// kernel has one more after the input than before), and W its adjoint. |WᵀW| sums up over the whole
/// plane: T_i = Σ_j Σ_p |Σ over channels and taps of K[i, ·, t]·K[j, ·, t + p]|·e^(q_j − q_i), one
/// number a filter. The zeros make Wᵀ a compression of the convolution of the plane, for which
/// T ⪰ WᵀW holds by the same dominance, and a compression keeps that.
///
/// Tensors: `weight` W [n, units], or the kernel K [units, channels, taps…]; `bias` b [units];
/// `log_scale` q [units] (starts at 0).
public struct SLL: Layer {
  public static let kind = "sll"
  public static let summary = "a residual layer that is 1-Lipschitz in l2 by construction"
  public static let units = Argument<Int>.optional(
    "units", "Hidden units, or filters; the input's features or channels where not given.",
    in: .atLeastOne)
  public static let kernel = Argument<OneOrMany<Int>>.optional(
    "kernel", "Size of the kernel of the convolutional form, one number or one per axis.",
    in: .windowSize)
  public static let arguments: [any ArgumentDeclaration] = [units, kernel]
  public static let shorthand: String? = "units"
  public static let examples: [Example] = [
    .good("sll", input: [5]),
    .good("sll: {units: 8}", input: [4]),
    .good("sll: {kernel: 3}", input: [2, 3, 4]),
    .good("sll: {units: 3, kernel: [2, 3]}", input: [2, 3, 3]),
    .good("sll: {units: 2, kernel: 3}", input: [3, 5]),
    .bad("sll: {units: «0»}", input: [5], .outOfRange),
    .bad("sll: {units: 4, «width»: 3}", input: [5], .unknownKey),
    .bad("«sll»: 4", input: [2, 3], .shapeMismatch),
    .bad("sll: {kernel: «3»}", input: [5], .shapeMismatch),
    .bad("sll: {kernel: «[3, 3]»}", input: [2, 5], .shapeMismatch),
  ]

  public let units: Int?
  public let kernel: OneOrMany<Int>?

  public init(_ arguments: Arguments) {
    units = arguments[optional: Self.units]
    kernel = arguments[optional: Self.kernel]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    if kernel != nil {
      _ = try geometry(input)
    } else if input.count != 1 {
      throw ShapeProblem(
        "`sll` without a kernel takes a flat input, not \(input.shapeText)",
        help: "write `kernel: 3` for its convolutional form, or put `flatten` before it")
    }
    return input
  }

  /// The convolution x ↦ Wᵀx of one input; nil of a flat one.
  private func geometry(_ input: Shape) throws(ShapeProblem) -> ConvolutionGeometry? {
    guard let kernel else { return nil }
    guard input.count > 1 else {
      throw ShapeProblem(
        "a kernel needs [channels, length] or [channels, height, width], not \(input.shapeText)",
        argument: "kernel", help: "leave `kernel` out for a flat input")
    }
    let sample = try SpatialShape(input, kind: Self.kind)
    let axes = zip(sample.extents, try kernel.perAxis(sample.extents.count, "kernel")).map {
      WindowAxis(extent: $0, kernel: $1, low: ($1 - 1) / 2, high: $1 / 2)
    }
    return ConvolutionGeometry(
      inputs: sample.channels, outputs: units ?? sample.channels, groups: 1, axes: axes)
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    let count = inputs[0][0]
    let units = units ?? count
    let shape = accepted(inputs[0])?.weightShape
    let fanIn = shape.map { $0.dropFirst().reduce(1, *) } ?? count
    let start = Initializer.uniform(bound: 1 / Double(fanIn).squareRoot())
    return [
      WeightDeclaration("weight", shape ?? [count, units], start),
      WeightDeclaration("bias", [units], start),
      WeightDeclaration("log_scale", [units], .constant(0)),
    ]
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let root = UpperBound(proved: Double(inputs[0].elementCount)).squareRoot().value
    return .known(LipschitzConstants(l1: root, l2: 1, linf: root))
  }

  public var constraintRefusal: Refusal? {
    .needless("`sll` is 1-Lipschitz in l2 whatever its weights are")
  }

  public func isTight(_ inputs: [Shape], norm: Norm) -> Bool { norm == .l2 }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let (x, w) = (inputs[0], context.weight("weight"))
    let geometry = accepted(Array(g.shape(x).dropFirst()))
    let product = geometry?.forward(x, w, g) ?? g.dot(x, w)
    let shape = g.shape(product)
    func spread(_ perUnit: Value) -> Value { g.broadcast(perUnit, to: shape, axes: [1]) }
    let active = g.unary(.relu, g.add(product, spread(context.weight("bias"))))
    let inverse = inverse(of: geometry.map { overlaps($0, w, g) } ?? gram(w, g), context)
    let hidden = g.multiply(g.multiply(active, spread(inverse)), 2)
    return g.subtract(
      x, geometry?.adjoint(hidden, w, g) ?? g.dot(hidden, w, transposeRight: true))
  }

  /// |WᵀW| [units, units] of a matrix.
  private func gram(_ w: Value, _ g: GraphBuilder) -> Value {
    g.unary(.absolute, g.dot(w, w, transposeLeft: true))
  }

  /// The same of a kernel: at (i, j) the sum over all offsets of the correlation of the filters.
  private func overlaps(
    _ geometry: ConvolutionGeometry, _ kernel: Value, _ g: GraphBuilder
  ) -> Value {
    let axes = geometry.axes.map {
      WindowAxis(extent: $0.kernel, kernel: $0.kernel, low: $0.kernel - 1, high: $0.kernel - 1)
    }
    // The filters are the samples and the filters; channels are summed up as those of a picture.
    let correlation = g.unary(.absolute, g.convolution(kernel, kernel, axes: axes, groups: 1))
    return g.sum(correlation, Array(2..<g.shape(correlation).count))
  }

  /// T⁻¹, 0 where T is.
  private func inverse(of overlaps: Value, _ context: LoweringContext) -> Value {
    let g = context.graph
    let scale = context.weight("log_scale")
    let weighted = g.multiply(
      overlaps, g.broadcast(g.unary(.exp, scale), to: g.shape(overlaps), axes: [1]))
    let t = g.multiply(g.sum(weighted, [1]), g.unary(.exp, g.negate(scale)))
    let isZero = g.binary(.equal, t, g.constant(0, g.shape(t)))
    return g.select(
      isZero, g.constant(0, g.shape(t)),
      g.unary(.reciprocal, g.select(isZero, g.constant(1, g.shape(t)), t)))
  }

  /// The geometry of a shape that `outputShape` accepted.
  private func accepted(_ input: Shape) -> ConvolutionGeometry? {
    do throws(ShapeProblem) {
      return try geometry(input)
    } catch {
      fatalError("lgc's own bug: sll is lowered for a shape it refuses: \(error.message)")
    }
  }
}
