import Model
import Tensors

// What the layers with windows over spatial axes share: reading `kernel`, `stride`, `padding` and
// `dilation` for the axes that the input has, and the limits that keep every size within reason.

/// The channels and the extents of a sample [channels, length] or [channels, height, width].
struct SpatialShape {
  let channels: Int
  let extents: [Int]

  /// No axis may be longer: operators per axis are written out (a million entries), and index
  /// arithmetic stays far below 64 bits.
  static let longestAxis = 1 << 20

  init(_ shape: Shape, kind: String) throws(ShapeProblem) {
    guard shape.count == 2 || shape.count == 3 else { throw .notSpatial(kind, shape) }
    channels = shape[0]
    extents = Array(shape[1...])
    if let extent = extents.first(where: { $0 > Self.longestAxis }) {
      throw .longAxis(kind, extent)
    }
  }
}

extension SpatialShape {
  /// Of [channels, height, width] only.
  init(image shape: Shape, kind: String) throws(ShapeProblem) {
    guard shape.count == 3 else { throw .notAnImage(kind, shape) }
    try self.init(shape, kind: kind)
  }
}

/// The written arguments of a window.
struct WindowArguments {
  var kernel: OneOrMany<Int>
  var stride: OneOrMany<Int>?
  var padding = SidedPadding(.every(0))
  var dilation = OneOrMany(1)

  /// One axis per extent.
  func axes(_ extents: [Int]) throws(ShapeProblem) -> [WindowAxis] {
    let rank = extents.count
    let kernels = try kernel.perAxis(rank, "kernel")
    let strides = try stride?.perAxis(rank, "stride") ?? kernels
    let dilations = try dilation.perAxis(rank, "dilation")
    guard let sides = padding.sides(axes: rank) else { throw .axisCount("padding", rank) }
    return extents.indices.map {
      WindowAxis(
        extent: extents[$0], kernel: kernels[$0], stride: strides[$0], dilation: dilations[$0],
        low: sides[$0].low, high: sides[$0].high)
    }
  }

  /// The axes of pooling, where at least half of every window lies on the input before padding
  /// counts, as in PyTorch, and `isCeiling` keeps a last window that reaches past the padding,
  /// unless all of it would lie there.
  func poolingAxes(
    _ extents: [Int], isCeiling: Bool, kind: String
  ) throws(ShapeProblem) -> [WindowAxis] {
    var result: [WindowAxis] = []
    for axis in try axes(extents) {
      guard max(axis.low, axis.high) <= axis.kernel / 2 else {
        throw .paddingAboveHalf(kind, axis)
      }
      guard axis.outputs > 0 else { throw .windowDoesNotFit(kind, axis) }
      let pooled = isCeiling ? axis.withPartialWindow : axis
      guard pooled.outputs * pooled.kernel <= SpatialShape.longestAxis else {
        throw .longAxis(kind, pooled.extent)
      }
      let isEmpty = (0..<pooled.outputs).contains { output in
        (0..<pooled.kernel).allSatisfy { pooled.position(output: output, tap: $0) == nil }
      }
      if isEmpty { throw .emptyWindow(kind) }
      result.append(pooled)
    }
    return result
  }
}

extension WindowAxis {
  /// With one more output where the stride leaves a rest on which a window starts.
  fileprivate var withPartialWindow: WindowAxis {
    let room = low + extent + high - reach
    var count = (room + stride - 1) / stride + 1
    if (count - 1) * stride >= extent + low { count -= 1 }
    let needed = (count - 1) * stride + reach - low - extent
    return WindowAxis(
      extent: extent, kernel: kernel, stride: stride, dilation: dilation, low: low,
      high: max(high, needed))
  }

  /// How many windows read an element, at most.
  var largestCover: Int {
    var cover = [Int](repeating: 0, count: extent)
    for output in 0..<outputs {
      for tap in 0..<kernel {
        if let position = position(output: output, tap: tap) { cover[position] += 1 }
      }
    }
    return cover.max() ?? 0
  }
}

extension OneOrMany<Int> {
  /// One number for each of `count` axes.
  func perAxis(_ count: Int, _ argument: String) throws(ShapeProblem) -> [Int] {
    if !isList { return [Int](repeating: values[0], count: count) }
    guard values.count == count else { throw .axisCount(argument, count) }
    return values
  }
}

// MARK: messages

extension ShapeProblem {
  static func notSpatial(_ kind: String, _ shape: Shape) -> ShapeProblem {
    ShapeProblem(
      "`\(kind)` takes [channels, length] or [channels, height, width], not \(shape.shapeText)",
      help: shape.count == 1 ? "put `reshape: {shape: […]}` before it" : nil)
  }

  static func notAnImage(_ kind: String, _ shape: Shape) -> ShapeProblem {
    ShapeProblem("`\(kind)` takes [channels, height, width], not \(shape.shapeText)")
  }

  static func longAxis(_ kind: String, _ extent: Int) -> ShapeProblem {
    ShapeProblem(
      "`\(kind)` cannot take an axis of \(extent) positions",
      help: "an axis has at most \(SpatialShape.longestAxis) positions, and so have the windows of "
        + "pooling along one axis together")
  }

  static func axisCount(_ argument: String, _ count: Int) -> ShapeProblem {
    let axes = count == 1 ? "one spatial axis" : "\(count) spatial axes"
    return ShapeProblem(
      "the input has \(axes)", argument: argument,
      help: "write one number, or a list of \(count)"
        + (argument == "padding" ? " numbers or pairs [before, after]" : ""))
  }

  static func windowDoesNotFit(_ kind: String, _ axis: WindowAxis) -> ShapeProblem {
    let padded = axis.low + axis.extent + axis.high
    let dilated = axis.dilation == 1 ? "" : " (dilation \(axis.dilation))"
    return ShapeProblem(
      "a kernel of \(axis.kernel)\(dilated) does not fit into \(padded) "
        + (axis.low + axis.high == 0 ? "positions" : "positions, padding included"),
      argument: "kernel", help: "it reaches over \(axis.reach) positions")
  }

  fileprivate static func paddingAboveHalf(_ kind: String, _ axis: WindowAxis) -> ShapeProblem {
    ShapeProblem(
      "a padding of \(max(axis.low, axis.high)) is more than half the kernel of \(axis.kernel)",
      argument: "padding", help: "put `pad` before `\(kind)`")
  }

  fileprivate static func emptyWindow(_ kind: String) -> ShapeProblem {
    ShapeProblem(
      "a window of `\(kind)` lies wholly in the padding", argument: "padding",
      help: "pad less, or dilate less")
  }
}
