/// A proved upper bound of a non-negative number; every operation rounds up, and only where the
/// exact result is not a double (so ½ · 1 + ½ · 1 stays 1).
///
/// `+infinity` means that nothing finite is proved. The only quotient is `UpperBound /
/// LowerBound`, so the classic mistake, dividing by an upper bound, does not compile.
///
/// Assumes IEEE binary64, round to nearest, gradual underflow (the state a process starts in).
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
    UpperBound(proved: Directed.sumUp(a.value, b.value))
  }

  /// a − b, at least 0.
  public static func - (a: UpperBound, b: LowerBound) -> UpperBound {
    a.isFinite ? UpperBound(proved: max(0, Directed.sumUp(a.value, -b.value))) : a
  }

  /// 0 · ∞ is 0: a layer whose weights are all zero ends every path through it.
  public static func * (a: UpperBound, b: UpperBound) -> UpperBound {
    if a.value == 0 || b.value == 0 { return .zero }
    return UpperBound(proved: Directed.productUp(a.value, b.value))
  }

  public static func / (a: UpperBound, b: LowerBound) -> UpperBound {
    if a.value == 0 { return .zero }
    guard b.value > 0, a.isFinite else { return .unknown }
    return UpperBound(proved: Directed.quotientUp(a.value, b.value))
  }

  public func squareRoot() -> UpperBound { UpperBound(proved: Directed.squareRootUp(value)) }
}

/// A proved lower bound of a non-negative number; every operation rounds down, and only where the
/// exact result is not a double. Always finite.
public struct LowerBound: Hashable, Sendable, Comparable {
  public let value: Double

  /// The caller asserts that `value` is a proved lower bound.
  public init(proved value: Double) {
    precondition(value >= 0 && value < .infinity, "a lower bound is a number ≥ 0, not \(value)")
    self.value = value
  }

  public static let zero = LowerBound(proved: 0)
  public static func < (a: LowerBound, b: LowerBound) -> Bool { a.value < b.value }

  public static func + (a: LowerBound, b: LowerBound) -> LowerBound {
    LowerBound(proved: Directed.sumDown(a.value, b.value))
  }

  /// a − b, at least 0.
  public static func - (a: LowerBound, b: UpperBound) -> LowerBound {
    b.isFinite ? LowerBound(proved: max(0, Directed.sumDown(a.value, -b.value))) : .zero
  }

  public static func * (a: LowerBound, b: LowerBound) -> LowerBound {
    LowerBound(proved: Directed.productDown(a.value, b.value))
  }

  /// a / b; 0 / 0 is 0.
  public static func / (a: LowerBound, b: UpperBound) -> LowerBound {
    guard a.value > 0, b.value > 0, b.isFinite else {
      precondition(a.value == 0 || b.value > 0, "a positive number divided by zero")
      return .zero
    }
    return LowerBound(proved: Directed.quotientDown(a.value, b.value))
  }

  public func squareRoot() -> LowerBound { LowerBound(proved: Directed.squareRootDown(value)) }
}
