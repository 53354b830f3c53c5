import Model
import Rounding
import Tensors

/// (Σ x²)^½ of every window, each channel by itself, as PyTorch's `LPPool2d` with norm type 2.
///
/// With m the number of windows that read an element at most, and K elements a window, the constants
/// are m in l1 and √m in l2, reached by a change of that one element where all others are 0, and √K
/// in linf, reached on a constant window. The gradient of a window of zeros is 0.
public struct L2Pool: Layer {
  public static let kind = "l2_pool"
  public static let summary = "the Euclidean length of every window, channel by channel"
  public static let padding = Argument<SidedPadding>(
    "padding", "Zeros around the input: one number, one per axis, or one pair per axis.",
    default: SidedPadding(.every(0)), in: .windowPadding)
  public static let arguments: [any ArgumentDeclaration] = [
    MaxPool.kernel, MaxPool.stride, padding, MaxPool.ceilMode,
  ]
  public static let shorthand: String? = "kernel"
  public static let examples: [Example] = [
    .good("l2_pool: 2", input: [1, 4, 4]),
    .good("l2_pool: {kernel: 3, stride: 2, padding: 1}", input: [1, 5, 5]),
    .good("l2_pool: {kernel: 3, stride: 1}", input: [2, 5]),
    .bad("l2_pool: {kernel: «9»}", input: [1, 8, 8], .shapeMismatch),
    .bad("«l2_pool»: 2", input: [8], .shapeMismatch),
    .bad("l2_pool: {kernel: 2, «dilation»: 2}", input: [1, 8, 8], .unknownKey),
  ]

  let window: WindowArguments
  let ceilMode: Bool

  public init(_ arguments: Arguments) {
    window = WindowArguments(
      kernel: arguments[MaxPool.kernel], stride: arguments[optional: MaxPool.stride],
      padding: arguments[Self.padding], dilation: OneOrMany(1))
    ceilMode = arguments[MaxPool.ceilMode]
  }

  private func axes(_ input: Shape) throws(ShapeProblem) -> [WindowAxis] {
    try window.poolingAxes(
      SpatialShape(input, kind: Self.kind).extents, isCeiling: ceilMode, kind: Self.kind)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    return [input[0]] + (try axes(input)).map(\.outputs)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let axes = accepted(inputs[0])
    let cover = Double(axes.reduce(1) { $0 * $1.largestCover })
    let size = Double(axes.reduce(1) { $0 * min($1.kernel, $1.extent) })
    return .known(
      LipschitzConstants(
        l1: cover, l2: UpperBound(proved: cover).squareRoot().value,
        linf: UpperBound(proved: size).squareRoot().value))
  }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    guard case .known(let constants) = operation(inputs), constants[norm] > .one else { return [] }
    let constant = constants[norm]
    return norm == .linf
      ? [
        Caution(
          .overlappingWindows,
          "the length of a window is up to \(constant.text(significant: 4)) times its largest "
            + "element, so `\(name)` expands in linf",
          help: "`max_pool` has the constant 1 in linf")
      ] : [.overlap(name, constant, norm)]
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let axes = accepted(Array(g.shape(inputs[0]).dropFirst()))
    let squares = g.window(.sum, g.square(inputs[0]), axes: axes)
    let isPositive = g.binary(.greater, squares, g.constant(0, g.shape(squares)))
    // The root's gradient at 0 is not finite, and 0 times it not a number.
    let safe = g.select(isPositive, squares, g.constant(1, g.shape(squares)))
    return g.multiply(isPositive, g.unary(.squareRoot, safe))
  }

  /// The axes of a shape that `outputShape` accepted.
  private func accepted(_ input: Shape) -> [WindowAxis] {
    do throws(ShapeProblem) {
      return try axes(input)
    } catch {
      fatalError("lgc's own bug: l2_pool is lowered for a shape it refuses: \(error.message)")
    }
  }
}
