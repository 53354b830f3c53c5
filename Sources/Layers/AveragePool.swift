import Model
import Tensors

/// The mean over windows, each channel by itself, as PyTorch's `AvgPool2d`.
///
/// A linear map with non-negative entries, the product of one matrix per axis: window o of an axis
/// sums its taps and divides by d_o, which is the kernel's size where `count_include_pad` and no
/// `ceil_mode`, and otherwise the number of the window's positions that count: those on the input,
/// or on the input and its padding. Disjoint full windows of N elements have the constants 1/N, 1/√N
/// and 1 in l1, l2 and linf; overlapping ones those of the matrices.
public struct AveragePool: Layer {
  public static let kind = "average_pool"
  public static let summary = "the mean over windows, channel by channel"
  public static let kernel = Argument<OneOrMany<Int>>(
    "kernel", "Size of the window, one number or one per axis.", in: .windowSize)
  public static let stride = Argument<OneOrMany<Int>>.optional(
    "stride", "Step of the window, one number or one per axis; the kernel where not given.",
    in: .windowSize)
  public static let padding = Argument<SidedPadding>(
    "padding", "Zeros around the input: one number, one per axis, or one pair per axis.",
    default: SidedPadding(.every(0)), in: .windowPadding)
  public static let ceilMode = Argument<Bool>(
    "ceil_mode", "Whether a last window that reaches past the end counts.", default: false)
  public static let countIncludePad = Argument<Bool>(
    "count_include_pad", "Whether padding counts in the mean.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [
    kernel, stride, padding, ceilMode, countIncludePad,
  ]
  public static let shorthand: String? = "kernel"
  public static let examples: [Example] = [
    .good("average_pool: 2", input: [2, 4, 6]),
    .good("average_pool: {kernel: 3, stride: 2, padding: 1}", input: [1, 6, 5]),
    .good(
      "average_pool: {kernel: 3, stride: 1, padding: 1, count_include_pad: false}",
      input: [1, 4, 5]),
    .good(
      "average_pool: {kernel: [2, 3], stride: 2, padding: [1, 0], ceil_mode: true}",
      input: [2, 5, 6]),
    .good("average_pool: {kernel: 3, padding: [[1, 0]], ceil_mode: true}", input: [2, 7]),
    .bad("average_pool: {kernel: «9»}", input: [1, 8, 8], .shapeMismatch),
    .bad("average_pool: {kernel: 3, padding: «2»}", input: [1, 8, 8], .shapeMismatch),
    .bad("«average_pool»: 2", input: [8], .shapeMismatch),
    .bad("average_pool: {kernel: 2, stride: «0»}", input: [1, 8, 8], .outOfRange),
    .bad("«average_pool»", input: [1, 8, 8], .missingKey),
  ]

  let window: WindowArguments
  let ceilMode: Bool
  let countIncludePad: Bool

  public init(_ arguments: Arguments) {
    window = WindowArguments(
      kernel: arguments[Self.kernel], stride: arguments[optional: Self.stride],
      padding: arguments[Self.padding])
    ceilMode = arguments[Self.ceilMode]
    countIncludePad = arguments[Self.countIncludePad]
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
    let (axes, divisors) = accepted(inputs[0])
    let maps = zip(axes, divisors).map { axis, divisors in
      AxisMap(
        inputs: axis.extent,
        rows: divisors.indices.map { output in
          AxisMap.Row(
            (0..<axis.kernel).compactMap { axis.position(output: output, tap: $0) },
            over: divisors[output])
        })
    }
    return .linear(.separable(channels: inputs[0][0], axes: maps))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let (axes, divisors) = accepted(Array(g.shape(inputs[0]).dropFirst()))
    let sum = g.window(.sum, inputs[0], axes: axes)
    if divisors.allSatisfy({ Set($0).count == 1 }) {
      return g.multiply(sum, 1 / Double(divisors.reduce(1) { $0 * $1[0] }))
    }
    // The divisors are themselves a sum over windows: of ones, on the input or on what counts.
    let counted = zip(axes, paddings(axes)).map { axis, sides in
      countIncludePad
        ? WindowAxis(
          extent: sides.low + axis.extent + sides.high, kernel: axis.kernel, stride: axis.stride,
          high: axis.high - sides.high)
        : axis
    }
    let ones = g.constant(1, counted.map(\.extent))
    let counts = g.window(.sum, ones, axes: counted)
    return g.divide(sum, g.broadcast(trailing: counts, to: g.shape(sum)))
  }

  /// The padding as written; that of the axes may be longer by what `ceil_mode` adds.
  private func paddings(_ axes: [WindowAxis]) -> [(low: Int, high: Int)] {
    window.padding.sides(axes: axes.count)!
  }

  /// The axes of a shape that `outputShape` accepted, and what each output divides by.
  private func accepted(_ input: Shape) -> (axes: [WindowAxis], divisors: [[Int]]) {
    let axes: [WindowAxis]
    do throws(ShapeProblem) {
      axes = try self.axes(input)
    } catch {
      fatalError("lgc's own bug: average_pool is lowered for a shape it refuses: \(error.message)")
    }
    let divisors = zip(axes, paddings(axes)).map { axis, sides in
      (0..<axis.outputs).map { output in
        let start = output * axis.stride - axis.low
        let end = start + axis.kernel
        return countIncludePad
          ? min(end, axis.extent + sides.high) - start
          : min(end, axis.extent) - max(start, 0)
      }
    }
    return (axes, divisors)
  }
}
