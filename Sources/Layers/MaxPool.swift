import Model
import Rounding
import Tensors

/// The largest element of every window, each channel by itself, as PyTorch's `MaxPool2d`. Padding
/// is never the largest; the gradient goes to a window's first largest element.
///
/// With m the number of windows that read an element at most, the constants are m, √m and 1 in l1,
/// l2 and linf, reached by a change of that one element: |max x − max y| ≤ ‖(x − y) on the
/// window‖, and summing over windows counts an element at most m times. Disjoint windows have
/// m = 1; 3×3 windows at stride 2 have m = 4.
public struct MaxPool: Layer {
  public static let kind = "max_pool"
  public static let summary = "the largest element of every window, channel by channel"
  public static let kernel = Argument<OneOrMany<Int>>(
    "kernel", "Taps of the window, one number or one per axis.", in: .windowSize)
  public static let stride = Argument<OneOrMany<Int>>.optional(
    "stride", "Step of the window, one number or one per axis; the kernel where not given.",
    in: .windowSize)
  public static let padding = Argument<SidedPadding>(
    "padding", "Positions around the input: one number, one per axis, or one pair per axis.",
    default: SidedPadding(.every(0)), in: .windowPadding)
  public static let dilation = Argument<OneOrMany<Int>>(
    "dilation", "Distance of neighbouring taps, one number or one per axis.",
    default: OneOrMany(1), in: .windowSize)
  public static let ceilMode = Argument<Bool>(
    "ceil_mode", "Whether a last window that reaches past the end counts.", default: false)
  public static let arguments: [any ArgumentDeclaration] = [
    kernel, stride, padding, dilation, ceilMode,
  ]
  public static let shorthand: String? = "kernel"
  public static let examples: [Example] = [
    .good("max_pool: 2", input: [2, 4, 6]),
    .good("max_pool: {kernel: 3, stride: 2, padding: 1}", input: [1, 6, 5]),
    .good("max_pool: {kernel: [2, 3], stride: 2, ceil_mode: true}", input: [2, 5, 6]),
    .good("max_pool: {kernel: 2, stride: 1, dilation: 3}", input: [1, 5, 6]),
    .good("max_pool: {kernel: 3, stride: 1, padding: [[1, 0]]}", input: [2, 7]),
    .bad("max_pool: {kernel: «9»}", input: [1, 8, 8], .shapeMismatch),
    .bad("max_pool: {kernel: 3, padding: «2»}", input: [1, 8, 8], .shapeMismatch),
    .bad("max_pool: {kernel: 2, padding: «1», dilation: 9}", input: [1, 8, 8], .shapeMismatch),
    .bad("«max_pool»: 2", input: [8], .shapeMismatch),
    .bad("max_pool: {kernel: «two»}", input: [1, 8, 8], .wrongType),
  ]

  let window: WindowArguments
  let ceilMode: Bool

  public init(_ arguments: Arguments) {
    window = WindowArguments(
      kernel: arguments[Self.kernel], stride: arguments[optional: Self.stride],
      padding: arguments[Self.padding], dilation: arguments[Self.dilation])
    ceilMode = arguments[Self.ceilMode]
  }

  private func axes(_ input: Shape) throws(ShapeProblem) -> [WindowAxis] {
    try window.poolingAxes(
      SpatialShape(input, kind: Self.kind).extents, isCeiling: ceilMode, kind: Self.kind)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let input = try Self.only(inputs)
    return [input[0]] + (try axes(input)).map(\.outputs)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation { .known(constants(inputs[0])) }

  private func constants(_ input: Shape) -> LipschitzConstants {
    let cover = Double(accepted(input).reduce(1) { $0 * $1.largestCover })
    let root = UpperBound(proved: cover).squareRoot().value
    return LipschitzConstants(l1: cover, l2: root, linf: 1)
  }

  public func cautions(
    name: String, _ inputs: [Shape], norm: Norm, isHeld: Bool
  ) -> [Caution] {
    let constant = constants(inputs[0])[norm]
    return constant > .one ? [.overlap(name, constant, norm)] : []
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    return g.windowMaximum(inputs[0], axes: accepted(Array(g.shape(inputs[0]).dropFirst())))
  }

  /// The axes of a shape that `outputShape` accepted.
  private func accepted(_ input: Shape) -> [WindowAxis] {
    do throws(ShapeProblem) {
      return try axes(input)
    } catch {
      fatalError("lgc's own bug: max_pool is lowered for a shape it refuses: \(error.message)")
    }
  }
}

// MARK: messages

extension Caution {
  static func overlap(
    _ name: String, _ constant: UpperBound, _ norm: Norm
  ) -> Caution {
    Caution(
      .overlappingWindows,
      "the windows of `\(name)` overlap, so it expands by up to "
        + "\(constant.text(significant: 4)) in \(norm.rawValue)",
      help: "windows that do not overlap, with a stride of at least the kernel, have the constant 1")
  }
}
