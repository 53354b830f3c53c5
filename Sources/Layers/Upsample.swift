import Model
import Tensors

/// Every axis `scale` times as long, as PyTorch's `Upsample` with whole scales and corners not
/// aligned.
///
/// `nearest` repeats every element. `linear` (one axis) and `bilinear` (two) read at the place
/// (i + ½)/scale − ½ between two elements, the edge's continuing outside: output i·s + r has, with
/// n = 2r + 1 − s, the weight 1 − |n|/(2s) on element i and |n|/(2s) on its neighbour on n's side.
/// Rows sum to 1 and columns to s, so both have the constants s, √s and 1 per axis in l1, l2 and
/// linf, reached by constant images.
public struct Upsample: Layer {
  public enum Mode: String, ArgumentValue, CaseIterable { case nearest, linear, bilinear }

  public static let kind = "upsample"
  public static let summary = "every axis a whole number of times as long"
  public static let scale = Argument<OneOrMany<Int>>(
    "scale", "How many times as long, one number or one per axis.", in: .windowSize)
  public static let mode = Argument<Mode>(
    "mode", "`nearest`, or `linear` for one axis and `bilinear` for two.", default: .nearest)
  public static let arguments: [any ArgumentDeclaration] = [scale, mode]
  public static let shorthand: String? = "scale"
  public static let examples: [Example] = [
    .good("upsample: 2", input: [2, 3, 2]),
    .good("upsample: {scale: [1, 3]}", input: [1, 3, 2]),
    .good("upsample: {scale: 2, mode: bilinear}", input: [1, 3, 4]),
    .good("upsample: {scale: [3, 1], mode: bilinear}", input: [2, 2, 3]),
    .good("upsample: {scale: 4, mode: linear}", input: [2, 3]),
    .bad("upsample: {scale: «0»}", input: [2, 3, 2], .outOfRange),
    .bad("upsample: {scale: «[2, 2, 2]»}", input: [2, 3, 2], .shapeMismatch),
    .bad("upsample: {scale: 2, mode: «bicubic»}", input: [2, 3, 2], .wrongType),
    .bad("upsample: {scale: 2, mode: «linear»}", input: [2, 3, 2], .shapeMismatch),
    .bad("«upsample»: 2", input: [12], .shapeMismatch),
    .bad("«upsample»", input: [2, 3, 2], .missingKey),
  ]

  let scale: OneOrMany<Int>
  let mode: Mode

  public init(_ arguments: Arguments) {
    scale = arguments[Self.scale]
    mode = arguments[Self.mode]
  }

  public func outputShape(_ inputs: [Shape]) throws(ShapeProblem) -> Shape {
    let sample = try SpatialShape(Self.only(inputs), kind: Self.kind)
    let rank = sample.extents.count
    let scales = try scale.perAxis(rank, "scale")
    if mode != .nearest, mode != (rank == 1 ? .linear : .bilinear) { throw .mode(mode, rank) }
    var shape = [sample.channels]
    for (extent, scale) in zip(sample.extents, scales) {
      let length = extent * scale
      guard length <= SpatialShape.longestAxis else { throw .longAxis(Self.kind, length) }
      shape.append(length)
    }
    return shape
  }

  public func operation(_ inputs: [Shape]) -> LayerOperation {
    let extents = inputs[0].dropFirst()
    let maps = zip(extents, scales(extents.count)).map { extent, scale in
      AxisMap(
        inputs: extent,
        rows: (0..<extent * scale).map { output in
          let (element, phase) = (output / scale, output % scale)
          if mode == .nearest || scale == 1 { return AxisMap.Row([element]) }
          let n = 2 * phase + 1 - scale
          return AxisMap.Row(
            columns: [element, Self.neighbour(of: element, extent, n)],
            numerators: [2 * scale - abs(n), abs(n)], divisor: 2 * scale)
        })
    }
    return .linear(.separable(channels: inputs[0][0], axes: maps))
  }

  public func reach(_ inputs: [Shape]) -> OutputReach { .fromZero(0) }

  public func lower(_ inputs: [Value], _ context: LoweringContext) -> Value {
    let g = context.graph
    let scales = scales(g.shape(inputs[0]).count - 2)
    return scales.indices.reduce(inputs[0]) { value, index in
      let axis = index + 2
      if scales[index] == 1 { return value }
      let extent = g.shape(value)[axis]
      if mode == .nearest {
        let places = (0..<extent * scales[index]).map { $0 / scales[index] }
        return g.take(value, axis: axis, places: places)
      }
      return interpolated(value, axis: axis, scale: scales[index], g)
    }
  }

  /// The outputs of each phase r are one weighted sum of the axis and its shifted copy; the phases
  /// are laid side by side along a new axis, which then joins the old one.
  private func interpolated(_ x: Value, axis: Int, scale: Int, _ g: GraphBuilder) -> Value {
    let shape = g.shape(x)
    let single = Array(shape[...axis]) + [1] + shape[(axis + 1)...]
    let phases = (0..<scale).map { phase in
      let n = 2 * phase + 1 - scale
      if n == 0 { return g.reshape(x, to: single) }
      let places = (0..<shape[axis]).map { Self.neighbour(of: $0, shape[axis], n) }
      let share = Double(abs(n)) / Double(2 * scale)
      let sum = g.add(
        g.multiply(x, 1 - share), g.multiply(g.take(x, axis: axis, places: places), share))
      return g.reshape(sum, to: single)
    }
    var result = shape
    result[axis] *= scale
    return g.reshape(g.concatenate(phases, axis: axis + 1), to: result)
  }

  /// The element beside `element` on n's side, itself at the edge.
  private static func neighbour(of element: Int, _ extent: Int, _ n: Int) -> Int {
    min(max(element + n.signum(), 0), extent - 1)
  }

  /// The scales for a number of axes that `outputShape` accepted.
  private func scales(_ rank: Int) -> [Int] {
    scale.isList ? scale.values : [Int](repeating: scale.values[0], count: rank)
  }
}

// MARK: messages

extension ShapeProblem {
  fileprivate static func mode(_ mode: Upsample.Mode, _ rank: Int) -> ShapeProblem {
    ShapeProblem(
      "`\(mode.rawValue)` is for \(mode == .linear ? "one axis" : "two axes"), and the input has "
        + (rank == 1 ? "one" : "two"), argument: "mode",
      help: "write `\(rank == 1 ? "linear" : "bilinear")`")
  }
}
