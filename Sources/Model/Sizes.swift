import Tensors

extension Array where Element == Int {
  /// The most elements one tensor may have: 2³⁶, 256 GiB in float32. Beyond it products of sizes
  /// come near 64 bits, and no machine lgc runs on could hold the tensor.
  public static var largestElementCount: Int { 1 << 36 }

  /// The number of elements, or nil where it exceeds `largestElementCount` (also where the product
  /// would not fit 64 bits).
  public var checkedElementCount: Int? {
    if contains(0) { return 0 }
    var count = 1
    for extent in self {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Shape.largestElementCount else { return nil }
      count = product
    }
    return count
  }
}
