import Model
import Tensors

/// Takes positions away at the sides of each channel: the counterpart of `pad`.
///
/// A selection of elements: constant 1 in every norm.
public struct Crop: Layer {
  public static let kind = "crop"
  public static let summary = "takes positions away at the sides of each channel"
  public static let amount = Argument<SidedPadding>(
    "amount", "How many: one number, one per axis, or one pair [before, after] per axis.",
    in: .windowPadding)
  public static let arguments: [any ArgumentDeclaration] = [amount]
  public static let shorthand: String? = "amount"
  public static let examples: [Example] = [
    .good("crop: 1", input: [2, 4, 3]),
    .good("crop: {amount: [[0, 2], [1, 0]]}", input: [1, 4, 3]),
    .bad("crop: «2»", input: [1, 4, 8], .shapeMismatch),
    .bad("crop: {amount: «[1, 1, 1]»}", input: [1, 8, 8], .shapeMismatch),
    .bad("crop: «-1»", input: [1, 8, 8], .outOfRange),
    .bad("«crop»: 1", input: [12], .shapeMismatch),
  ]

  let amount: SidedPadding

  public init(_ arguments: Arguments) { amount = arguments[Self.amount] }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let sample = try SpatialShape(Self.only(inputs), kind: Self.kind)
    guard let sides = amount.sides(axes: sample.extents.count) else {
      throw .axisCount("amount", sample.extents.count)
    }
    var shape = [sample.channels]
    for (extent, side) in zip(sample.extents, sides) {
      guard side.low + side.high < extent else {
        throw ShapeProblem(
          "nothing is left of an axis of \(extent) without \(side.low) and \(side.high)",
          argument: "amount")
      }
      shape.append(extent - side.low - side.high)
    }
    return shape
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let extents = inputs[0].dropFirst()
    let maps = zip(extents, amount.sides(axes: extents.count)!).map { extent, side in
      AxisMap(
        inputs: extent, rows: (side.low..<extent - side.high).map { AxisMap.Row([$0]) })
    }
    return .linear(.separable(channels: inputs[0][0], axes: maps))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let shape = g.shape(inputs[0])
    let sides = amount.sides(axes: shape.count - 2)!
    return g.slice(
      inputs[0], starts: [0, 0] + sides.map(\.low),
      limits: shape[..<2] + zip(shape.dropFirst(2), sides).map { $0 - $1.high },
      strides: shape.map { _ in 1 })
  }
}
