import Tensors

/// What a convolution is beside its weight: every extent known.
public struct ConvolutionGeometry: Sendable, Hashable {
  public enum Padding: String, ArgumentValue, CaseIterable {
    case zeros, circular, reflect, replicate
  }
  public let inputs: Int
  public let outputs: Int
  public let groups: Int
  /// One or two spatial axes of the input; `low` and `high` are the padding, of whatever kind.
  public let axes: [WindowAxis]
  public let padding: Padding

  public init(
    inputs: Int, outputs: Int, groups: Int, axes: [WindowAxis], padding: Padding = .zeros
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.groups = groups
    self.axes = axes
    self.padding = padding
  }
  public var inputShape: Shape { [inputs] + axes.map(\.extent) }
  public var outputShape: Shape { [outputs] + axes.map(\.outputs) }
  public var weightShape: Shape { [outputs, inputs / groups] + axes.map(\.kernel) }
}

extension ConvolutionGeometry.Padding {
  /// The element that each position of a padded axis repeats, from `low` before the first to
  /// `high` after the last; nil for a zero. Of n elements `circular` takes at most n on a side and
  /// `reflect`, which does not repeat the edge, at most n − 1.
  public func places(low: Int, extent: Int, high: Int) -> [Int?] {
    (-low..<extent + high).map { position in
      if 0 <= position && position < extent { return position }
      switch self {
      case .zeros: return nil
      case .circular: return (position + extent) % extent
      case .reflect: return position < 0 ? -position : 2 * (extent - 1) - position
      case .replicate: return position < 0 ? 0 : extent - 1
      }
    }
  }

  /// The most padding that one side of an axis of `extent` elements can have.
  public func limit(extent: Int) -> Int {
    switch self {
    case .zeros, .replicate: .max
    case .circular: extent
    case .reflect: extent - 1
    }
  }
}

// A padding other than zeros is its own linear map, `take` along each axis, before a convolution
// without padding: so the primitives know zeros only.
extension ConvolutionGeometry {
  /// The axes of the convolution primitive: as they are where the padding is zeros, else those of
  /// the padded input.
  public var convolved: [WindowAxis] {
    if padding == .zeros { return axes }
    return axes.map {
      WindowAxis(
        extent: $0.low + $0.extent + $0.high, kernel: $0.kernel, stride: $0.stride,
        dilation: $0.dilation)
    }
  }

  /// `x` [batch, inputs, extents…] with its padding where that is not zeros.
  public func padded(_ x: Value, _ g: GraphBuilder) -> Value {
    if padding == .zeros { return x }
    return axes.indices.reduce(x) { value, index in
      let axis = axes[index]
      if axis.low == 0 && axis.high == 0 { return value }
      let places = padding.places(low: axis.low, extent: axis.extent, high: axis.high)
      return g.take(value, axis: index + 2, places: places.map { $0! })
    }
  }

  /// W ∗ x of `x` [batch, inputs, extents…]: [batch, outputs, …].
  public func forward(_ x: Value, _ weight: Value, _ g: GraphBuilder) -> Value {
    g.convolution(padded(x, g), weight, axes: convolved, groups: groups)
  }

  /// The adjoint of that map in x, of `y` [batch, outputs, …]: [batch, inputs, extents…].
  public func adjoint(_ y: Value, _ weight: Value, _ g: GraphBuilder) -> Value {
    let padded = g.convolutionData(y, weight, axes: convolved, groups: groups)
    if padding == .zeros { return padded }
    return axes.indices.reduce(padded) { value, index in
      let axis = axes[index]
      if axis.low == 0 && axis.high == 0 { return value }
      let places = padding.places(low: axis.low, extent: axis.extent, high: axis.high)
      return g.add(
        .put(Put(axis: index + 2, places: places.map { $0! }, extent: axis.extent)), [value])
    }
  }
}

extension ConvolutionGeometry {
  /// The most often that the windows of all outputs read one element, copies in the padding
  /// included. The convolution's l2 norm is at most √m times that of its weight as a matrix
  /// [outputs, the rest], because it is that matrix after a selection that reads each element at
  /// most m times.
  public var largestCover: Int {
    axes.reduce(1) { product, axis in
      var cover = [Int](repeating: 0, count: axis.extent)
      let places = padding.places(low: axis.low, extent: axis.extent, high: axis.high)
      for output in 0..<axis.outputs {
        for tap in 0..<axis.kernel {
          if let place = places[output * axis.stride + tap * axis.dilation] { cover[place] += 1 }
        }
      }
      return product * (cover.max() ?? 0)
    }
  }
}
