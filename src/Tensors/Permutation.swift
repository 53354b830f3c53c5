extension PhiloxGenerator {
  /// A random order of 0..<count: Fisher and Yates from the end, each index ⌊word·(i+1)/2³²⌋
  /// (its bias, at most count/2³², does not matter for an order of samples).
  ///
  /// Not the standard library's `shuffle`, whose algorithm may change and with it every result.
  public mutating func permutation(of count: Int) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    for last in stride(from: count - 1, to: 0, by: -1) {
      let other = Int(nextWord().multipliedFullWidth(by: UInt32(last + 1)).high)
      order.swapAt(last, other)
    }
    return order
  }
}
