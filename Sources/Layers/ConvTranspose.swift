import Model
import Tensors

/// The adjoint of a convolution plus a bias, as PyTorch's `ConvTranspose2d`: from `in` channels to
/// `filters`, an axis of n positions to (n − 1)·stride − padding + dilation·(kernel − 1) + 1 +
/// output_padding, with the padding of both sides.
///
///     y[o, p·stride + t·dilation − padding] += W[c, o, t] · x[c, p],   then + b[o]
///
/// W is [in, filters/groups, kernel…]: the weight [out, in/groups, kernel…] of the convolution that
/// it is the adjoint of, and it has that convolution's l2 norm. Both tensors start uniform on
/// ±1/√(filters/groups · kernel elements), as PyTorch's do.
public struct ConvTranspose: Layer {
  public static let kind = "conv_transpose"
  public static let summary = "the adjoint of a convolution, plus b, in one or two dimensions"
  public static let outputPadding = Argument<OneOrMany<Int>>(
    "output_padding", "Positions added at the end of each axis; less than the stride.",
    default: OneOrMany(0), in: .windowPadding)
  public static let arguments: [any ArgumentDeclaration] = [
    Conv.filters, Conv.kernel, Conv.stride, Conv.padding, outputPadding, Conv.dilation,
    Conv.groups, Conv.bias,
  ]
  public static let examples: [Example] = [
    .good("conv_transpose: {filters: 2, kernel: 3}", input: [3, 3, 2]),
    .good(
      "conv_transpose: {filters: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1}",
      input: [2, 3, 3]),
    .good("conv_transpose: {filters: 4, kernel: 2, dilation: 2, groups: 2}", input: [2, 3, 2]),
    .good(
      "conv_transpose: {filters: 1, kernel: 4, stride: 3, padding: [[0, 2]], bias: false}",
      input: [2, 4]),
    .bad("«conv_transpose»: {filters: 8, kernel: 3}", input: [16], .shapeMismatch),
    .bad("conv_transpose: {filters: 8, kernel: 3, padding: «4»}", input: [1, 2, 8], .shapeMismatch),
    .bad(
      "conv_transpose: {filters: 8, kernel: 3, stride: 2, output_padding: «2»}", input: [1, 8, 8],
      .shapeMismatch),
    .bad("conv_transpose: {filters: 8, kernel: 3, groups: «2»}", input: [3, 8, 8], .shapeMismatch),
    .bad(
      "conv_transpose: {filters: 8, kernel: 3, «padding_mode»: circular}", input: [1, 8, 8],
      .unknownKey),
    .bad("«conv_transpose»: {kernel: 3}", input: [1, 8, 8], .missingKey),
  ]

  public let filters: Int
  public let groups: Int
  public let bias: Bool
  let window: WindowArguments
  let outputPadding: OneOrMany<Int>

  public init(_ arguments: Arguments) {
    filters = arguments[Conv.filters]
    groups = arguments[Conv.groups]
    bias = arguments[Conv.bias]
    outputPadding = arguments[Self.outputPadding]
    window = WindowArguments(
      kernel: arguments[Conv.kernel], stride: arguments[Conv.stride],
      padding: arguments[Conv.padding], dilation: arguments[Conv.dilation])
  }

  /// The convolution whose adjoint this is: from its output's shape to its input's.
  public func geometry(_ input: Shape) throws(ShapeProblem) -> ConvolutionGeometry {
    let sample = try SpatialShape(input, kind: Self.kind)
    let extra = try outputPadding.perAxis(sample.extents.count, "output_padding")
    try checkGroups(groups, channels: sample.channels, filters: filters)
    var axes: [WindowAxis] = []
    for (axis, added) in zip(try window.axes(sample.extents), extra) {
      guard added < axis.stride else { throw .outputPadding(added, stride: axis.stride) }
      // Below 2⁶²: positions, strides and paddings are at most 2²⁰.
      let whole = (axis.extent - 1) * axis.stride + axis.reach + added
      guard whole > axis.low + axis.high else { throw .nothingLeft(axis, whole) }
      let extent = whole - axis.low - axis.high
      guard extent <= SpatialShape.longestAxis else { throw .longAxis(Self.kind, extent) }
      axes.append(
        WindowAxis(
          extent: extent, kernel: axis.kernel, stride: axis.stride, dilation: axis.dilation,
          low: axis.low, high: axis.high))
    }
    return ConvolutionGeometry(
      inputs: filters, outputs: sample.channels, groups: groups, axes: axes)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try geometry(Self.only(inputs)).inputShape
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    weightAndBias(accepted(inputs[0]).weightShape, biases: bias ? filters : nil)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(.transposedConvolution(weight: "weight", accepted(inputs[0])))
  }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let geometry = accepted(Array(g.shape(inputs[0]).dropFirst()))
    let y = geometry.adjoint(inputs[0], context.weight("weight"), g)
    return bias ? g.add(y, g.broadcast(context.weight("bias"), to: g.shape(y), axes: [1])) : y
  }

  /// The geometry of a shape that `outputShape` accepted.
  private func accepted(_ input: Shape) -> ConvolutionGeometry {
    do throws(ShapeProblem) {
      return try geometry(input)
    } catch {
      fatalError("lgc's own bug: conv_transpose is lowered for a shape it refuses: \(error.message)")
    }
  }
}

// MARK: messages

extension ShapeProblem {
  fileprivate static func outputPadding(_ added: Int, stride: Int) -> ShapeProblem {
    ShapeProblem(
      "an output padding of \(added) is not below the stride of \(stride)",
      argument: "output_padding",
      help: "it chooses among the inputs that a convolution of this stride takes to one output")
  }

  fileprivate static func nothingLeft(_ axis: WindowAxis, _ whole: Int) -> ShapeProblem {
    ShapeProblem(
      "a padding of \(axis.low) and \(axis.high) leaves nothing of \(whole) positions",
      argument: "padding", help: "the padding of a transposed convolution is cut off its output")
  }
}
