import Model
import Tensors

/// y = W ∗ x + b, with W [filters, in/groups, kernel…] and b [filters]: cross-correlation, as every
/// network library means convolution, in one or two dimensions by the input's rank.
///
///     y[o, p] = b[o] + Σ over c, t of W[o, c, t] · x[c, p·stride + t·dilation − padding]
///
/// The Lipschitz constant is the norm of the linear map from the whole input to the whole output,
/// padding of whatever mode included; it is not that of W as a matrix. Both tensors start uniform
/// on ±1/√(in/groups · kernel elements), as PyTorch's `Conv2d` does.
public struct Conv: Layer {
  public static let kind = "conv"
  public static let summary = "y = W ∗ x + b in one or two dimensions"
  public static let filters = Argument<Int>(
    "filters", "Number of output channels.", in: .atLeastOne)
  public static let kernel = Argument<OneOrMany<Int>>(
    "kernel", "Taps of the window, one number or one per axis.", in: .windowSize)
  public static let stride = Argument<OneOrMany<Int>>(
    "stride", "Step of the window, one number or one per axis.", default: OneOrMany(1),
    in: .windowSize)
  public static let padding = Argument<SidedPadding>(
    "padding", "Positions around the input: one number, one per axis, or one pair per axis.",
    default: SidedPadding(.every(0)), in: .windowPadding)
  public static let paddingMode = Argument<ConvolutionGeometry.Padding>(
    "padding_mode", "What stands in the padding.", default: .zeros)
  public static let dilation = Argument<OneOrMany<Int>>(
    "dilation", "Distance of neighbouring taps, one number or one per axis.",
    default: OneOrMany(1), in: .windowSize)
  public static let groups = Argument<Int>(
    "groups", "Groups of channels that do not mix; divides input channels and filters.",
    default: 1, in: .atLeastOne)
  public static let bias = Argument<Bool>("bias", "Whether b is there.", default: true)
  public static let arguments: [any ArgumentDeclaration] = [
    filters, kernel, stride, padding, paddingMode, dilation, groups, bias,
  ]
  public static let examples: [Example] = [
    .good("conv: {filters: 3, kernel: 3, padding: 1}", input: [2, 5, 4]),
    .good("conv: {filters: 2, kernel: [3, 2], stride: [2, 1], bias: false}", input: [3, 6, 4]),
    .good("conv: {filters: 4, kernel: 3, groups: 2, dilation: 2}", input: [2, 7, 5]),
    .good("conv: {filters: 2, kernel: 2, stride: 3, padding: [[0, 1], [2, 0]]}", input: [1, 5, 5]),
    .good("conv: {filters: 2, kernel: 3, padding: 2, padding_mode: circular}", input: [2, 4, 3]),
    .good("conv: {filters: 2, kernel: 3, padding: 1, padding_mode: reflect}", input: [1, 4, 5]),
    .good("conv: {filters: 2, kernel: 3, padding: 2, padding_mode: replicate}", input: [2, 3]),
    .good("conv: {filters: 3, kernel: 5, stride: 2, padding: 2}", input: [2, 11]),
    .bad("«conv»: {filters: 8, kernel: 3}", input: [16], .shapeMismatch),
    .bad("«conv»: {filters: 8}", input: [1, 8, 8], .missingKey),
    .bad("conv: {filters: 8, kernel: «9»}", input: [1, 8, 8], .shapeMismatch),
    .bad("conv: {filters: 8, kernel: «[3, 3, 3]»}", input: [1, 8, 8], .shapeMismatch),
    .bad("conv: {filters: 8, kernel: [3, «0»]}", input: [1, 8, 8], .outOfRange),
    .bad("conv: {filters: 8, kernel: 3, groups: «2»}", input: [3, 8, 8], .shapeMismatch),
    .bad("conv: {filters: «5», kernel: 3, groups: 2}", input: [4, 8, 8], .shapeMismatch),
    .bad("conv: {filters: 8, kernel: 3, padding: «-1»}", input: [1, 8, 8], .outOfRange),
    .bad("conv: {filters: 8, kernel: 3, padding: [[1, 1], «[1]»]}", input: [1, 8, 8], .wrongType),
    .bad("conv: {filters: 8, kernel: 3, padding: «[1, 1]»}", input: [1, 8], .shapeMismatch),
    .bad(
      "conv: {filters: 8, kernel: 3, padding: 1, padding_mode: «reflected»}", input: [1, 8, 8],
      .wrongType),
    .bad(
      "conv: {filters: 8, kernel: 3, padding: «3», padding_mode: reflect}", input: [1, 3, 8],
      .shapeMismatch),
    .bad("conv: {filters: 8, kernel: 3, «strides»: 2}", input: [1, 8, 8], .unknownKey),
  ]

  public let filters: Int
  public let groups: Int
  public let bias: Bool
  public let paddingMode: ConvolutionGeometry.Padding
  let window: WindowArguments

  public init(_ arguments: Arguments) {
    filters = arguments[Self.filters]
    groups = arguments[Self.groups]
    bias = arguments[Self.bias]
    paddingMode = arguments[Self.paddingMode]
    window = WindowArguments(
      kernel: arguments[Self.kernel], stride: arguments[Self.stride],
      padding: arguments[Self.padding], dilation: arguments[Self.dilation])
  }

  /// The convolution that this is of one input.
  public func geometry(_ input: Shape) throws(ShapeProblem) -> ConvolutionGeometry {
    let sample = try SpatialShape(input, kind: Self.kind)
    let axes = try window.axes(sample.extents)
    try checkGroups(groups, channels: sample.channels, filters: filters)
    for axis in axes {
      let limit = paddingMode.limit(extent: axis.extent)
      if max(axis.low, axis.high) > limit { throw .padding(paddingMode, axis, limit) }
      if axis.outputs == 0 { throw .windowDoesNotFit(Self.kind, axis) }
    }
    return ConvolutionGeometry(
      inputs: sample.channels, outputs: filters, groups: groups, axes: axes, padding: paddingMode)
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    try geometry(Self.only(inputs)).outputShape
  }

  public func weights(_ inputs: [Shape]) -> [WeightDeclaration] {
    weightAndBias(accepted(inputs).weightShape, biases: bias ? filters : nil)
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    .linear(.convolution(weight: "weight", accepted(inputs)))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0, plus: bias ? ["bias"] : []) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let geometry = accepted([Array(g.shape(inputs[0]).dropFirst())])
    let y = geometry.forward(inputs[0], context.weight("weight"), g)
    return bias ? g.add(y, g.broadcast(context.weight("bias"), to: g.shape(y), axes: [1])) : y
  }

  /// The geometry of a shape that `outputShape` accepted.
  private func accepted(_ inputs: [Shape]) -> ConvolutionGeometry {
    do throws(ShapeProblem) {
      return try geometry(inputs[0])
    } catch {
      fatalError("lgc's own bug: conv is lowered for a shape it refuses: \(error.message)")
    }
  }
}

/// Groups must divide both numbers of channels.
func checkGroups(_ groups: Int, channels: Int, filters: Int) throws(ShapeProblem) {
  if channels % groups != 0 {
    throw .groups(groups, "\(channels) input channels", argument: "groups")
  }
  if filters % groups != 0 { throw .groups(groups, "\(filters) filters", argument: "filters") }
}

/// The tensors of a convolution of either direction; the fan-in is what PyTorch takes it for, the
/// elements of one slice W[i].
func weightAndBias(_ weight: Shape, biases: Int?) -> [WeightDeclaration] {
  let fanIn = weight.dropFirst().reduce(1.0) { $0 * Double($1) }
  let start = Initializer.uniform(bound: 1 / fanIn.squareRoot())
  let declaration = WeightDeclaration("weight", weight, start, isConstrained: true)
  return biases.map { [declaration, WeightDeclaration("bias", [$0], start)] } ?? [declaration]
}

// MARK: messages

extension ShapeProblem {
  fileprivate static func groups(
    _ groups: Int, _ what: String, argument: String
  ) -> ShapeProblem {
    ShapeProblem(
      "\(groups) groups do not divide \(what)", argument: argument,
      help: "`groups` must divide the input channels and the filters")
  }

  static func padding(
    _ mode: ConvolutionGeometry.Padding, _ axis: WindowAxis, _ limit: Int
  ) -> ShapeProblem {
    ShapeProblem(
      "`\(mode.rawValue)` cannot pad \(axis.extent) positions by \(max(axis.low, axis.high))",
      argument: "padding", help: "at most \(limit) on a side")
  }
}
