/// A proved upper bound of a non-negative number; every operation rounds up.
///
/// `+infinity` means that nothing finite is proved. The only quotient is `UpperBound /
/// LowerBound`, so the classic mistake, dividing by an upper bound, does not compile.
public struct UpperBound: Hashable, Sendable, Comparable {
  public let value: Double

  /// The caller asserts that `value` is a proved upper bound.
  public init(proved value: Double) {
    precondition(value >= 0, "an upper bound is a number ≥ 0, not \(value)")
    self.value = value
  }

  public static let zero = UpperBound(proved: 0)
  public static let one = UpperBound(proved: 1)
  public static let unknown = UpperBound(proved: .infinity)
  public var isFinite: Bool { value.isFinite }

  public static func < (a: UpperBound, b: UpperBound) -> Bool { a.value < b.value }

  public static func + (a: UpperBound, b: UpperBound) -> UpperBound {
    if a.value == 0 { return b }
    if b.value == 0 { return a }
    return UpperBound(proved: (a.value + b.value).nextUp)
  }

  /// 0 · ∞ is 0: a layer whose weights are all zero ends every path through it.
  public static func * (a: UpperBound, b: UpperBound) -> UpperBound {
    if a.value == 0 || b.value == 0 { return .zero }
    if a.value == 1 { return b }
    if b.value == 1 { return a }
    return UpperBound(proved: (a.value * b.value).nextUp)
  }

  public static func / (a: UpperBound, b: LowerBound) -> UpperBound {
    guard b.value > 0 else { return a.value == 0 ? .zero : .unknown }
    return UpperBound(proved: (a.value / b.value).nextUp)
  }

  public func squareRoot() -> UpperBound {
    value == 0 ? self : UpperBound(proved: value.squareRoot().nextUp)
  }
}

/// A proved lower bound of a non-negative number; every operation rounds down.
public struct LowerBound: Hashable, Sendable, Comparable {
  public let value: Double

  /// The caller asserts that `value` is a proved lower bound.
  public init(proved value: Double) {
    precondition(value >= 0, "a lower bound is a number ≥ 0, not \(value)")
    self.value = value
  }

  public static let zero = LowerBound(proved: 0)
  public static func < (a: LowerBound, b: LowerBound) -> Bool { a.value < b.value }
}
