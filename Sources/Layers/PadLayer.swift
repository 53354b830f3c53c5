import Model
import Tensors

/// More positions around each channel: zeros or the number `value`, or copies of elements:
/// `circular` continues from the other end, `reflect` mirrors at the edge without repeating it,
/// `replicate` repeats it, as in PyTorch.
///
/// Zeros are an isometric embedding, constant 1 in every norm. Copies of which some element has m
/// have the constants m, √m and 1 in l1, l2 and linf.
public struct PadLayer: Layer {
  public static let kind = "pad"
  public static let summary = "positions around the input, of zeros or of copies"
  public static let padding = Argument<SidedPadding>(
    "padding", "How many: one number, one per axis, or one pair [before, after] per axis.",
    in: .windowPadding)
  public static let mode = Argument<ConvolutionGeometry.Padding>(
    "mode", "What stands in them.", default: .zeros)
  public static let value = Argument<Double>(
    "value", "The number that stands in the padding of mode `zeros`.", default: 0)
  public static let arguments: [any ArgumentDeclaration] = [padding, mode, value]
  public static let shorthand: String? = "padding"
  public static let examples: [Example] = [
    .good("pad: 1", input: [2, 3, 2]),
    .good("pad: {padding: [[0, 2], [1, 0]], value: -1.5}", input: [1, 3, 2]),
    .good("pad: {padding: [2, 1], mode: reflect}", input: [1, 4, 3]),
    .good("pad: {padding: 2, mode: circular}", input: [2, 2, 3]),
    .good("pad: {padding: [[3, 1]], mode: replicate}", input: [2, 4]),
    .bad("pad: {padding: «3», mode: reflect}", input: [1, 3, 8], .shapeMismatch),
    .bad("pad: {padding: «9», mode: circular}", input: [1, 8, 8], .shapeMismatch),
    .bad("pad: {padding: «[1, 1, 1]»}", input: [1, 8, 8], .shapeMismatch),
    .bad("pad: {padding: [[1, 1], «1»]}", input: [1, 8, 8], .wrongType),
    .bad("pad: «-1»", input: [1, 8, 8], .outOfRange),
    .bad("pad: {padding: 1, mode: «constant»}", input: [1, 8, 8], .wrongType),
    .bad("pad: {padding: 1, mode: reflect, value: «2»}", input: [1, 8, 8], .conflictingKeys),
    .bad("«pad»: 1", input: [12], .shapeMismatch),
  ]

  let padding: SidedPadding
  let mode: ConvolutionGeometry.Padding
  let value: Double

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    padding = arguments[Self.padding]
    mode = arguments[Self.mode]
    value = arguments[Self.value]
    if mode != .zeros, value != 0 {
      throw ArgumentProblem(
        "`\(mode.rawValue)` pads with elements and not with a number", argument: "value",
        help: "leave out `value`, or `mode`", code: .conflictingKeys)
    }
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let sample = try SpatialShape(Self.only(inputs), kind: Self.kind)
    guard let sides = padding.sides(axes: sample.extents.count) else {
      throw .axisCount("padding", sample.extents.count)
    }
    var shape = [sample.channels]
    for (extent, side) in zip(sample.extents, sides) {
      let limit = mode.limit(extent: extent)
      let axis = WindowAxis(extent: extent, kernel: 1, low: side.low, high: side.high)
      if max(side.low, side.high) > limit { throw .padding(mode, axis, limit) }
      guard axis.outputs <= SpatialShape.longestAxis else {
        throw .longAxis(Self.kind, axis.outputs)
      }
      shape.append(axis.outputs)
    }
    return shape
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let extents = inputs[0].dropFirst()
    let maps = zip(extents, sides(extents.count)).map { extent, side in
      AxisMap(
        inputs: extent,
        rows: mode.places(low: side.low, extent: extent, high: side.high).map {
          AxisMap.Row($0.map { [$0] } ?? [])
        })
    }
    return .linear(.separable(channels: inputs[0][0], axes: maps))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(abs(value)) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let sides = sides(shape.count - 2)
    if mode == .zeros {
      let low = [0, 0] + sides.map(\.low)
      let high = [0, 0] + sides.map(\.high)
      func padded(_ x: Value) -> Value {
        g.pad(x, low: low, high: high, interior: low.map { _ in 0 })
      }
      let y = padded(inputs[0])
      if value == 0 { return y }
      let outside = g.subtract(1, padded(g.constant(1, shape)))
      return g.add(y, g.multiply(outside, value))
    }
    return sides.indices.reduce(inputs[0]) { x, index in
      let side = sides[index]
      if side.low == 0 && side.high == 0 { return x }
      let places = mode.places(low: side.low, extent: shape[index + 2], high: side.high)
      return g.take(x, axis: index + 2, places: places.map { $0! })
    }
  }

  /// The sides for a number of axes that `outputShape` accepted.
  private func sides(_ rank: Int) -> [(low: Int, high: Int)] { padding.sides(axes: rank)! }
}
