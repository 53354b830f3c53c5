/// The extents of a tensor, outermost axis first; a scalar has none.
public typealias Shape = [Int]

extension Array where Element == Int {
  /// The number of elements: the product of the extents, 1 for a scalar.
  public var elementCount: Int { reduce(1, *) }

  /// `4×3×2`, or `scalar`.
  public var shapeText: String {
    isEmpty ? "scalar" : map(String.init).joined(separator: "×")
  }

  /// The shape without the given axes.
  public func removing(axes: [Int]) -> Shape {
    enumerated().filter { !axes.contains($0.offset) }.map(\.element)
  }

  /// Distance in elements between neighbours along each axis of a row-major tensor.
  public var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    for axis in stride(from: count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * self[axis + 1]
    }
    return strides
  }
}
