import Rounding

/// A sum of numbers known to far more than a double's precision: the running sum, the sum of
/// its rounding errors, and a bound of what that second sum lost itself.
struct ExactSum {
  private var high = 0.0
  private var low = 0.0
  private var lost = 0.0

  @inline(__always)
  mutating func add(_ term: Double) {
    let sum = high + term
    let part = sum - high
    correct((high - (sum - part)) + (term - part))
    high = sum
  }

  /// Adds |other|, of a sum of numbers of any sign.
  mutating func addMagnitude(of other: ExactSum) {
    let isNegative = other.high < 0 || other.high == 0 && other.low < 0
    add(isNegative ? -other.high : other.high)
    add(isNegative ? -other.low : other.low)
    lost += other.lost
  }

  /// Adds a · b, both ≥ 0.
  @inline(__always)
  mutating func add(_ a: Double, times b: Double) {
    let product = a * b
    if product < 0x1p-900 {
      // The error of the product could underflow; it is below this. Nothing is added for zeros.
      if a != 0 && b != 0 { lost += product + 0x1p-1000 }
      return
    }
    add(product)
    correct((-product).addingProduct(a, b))
  }

  @inline(__always)
  private mutating func correct(_ error: Double) {
    let sum = low + error
    let part = sum - low
    lost += ((low - (sum - part)) + (error - part)).magnitude
    low = sum
  }

  /// The exact sum is at most this: its nearest double upwards wherever nothing was lost.
  var upper: Double {
    let sum = Directed.sumUp(high, low)
    guard sum.isFinite, lost.isFinite else { return .infinity }
    return lost == 0 ? sum : Directed.sumUp(sum, lost * (1 + 0x1p-20))
  }

  static func upper(_ terms: some Sequence<Double>) -> Double {
    var sum = ExactSum()
    for term in terms { sum.add(term) }
    return sum.upper
  }
}
