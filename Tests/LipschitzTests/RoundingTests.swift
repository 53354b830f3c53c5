import Glibc
import Rounding
import Testing

/// a · b and a + b as an exact sum of two doubles, for operands far from overflow and underflow.
private func exactProduct(_ a: Double, _ b: Double) -> (Double, Double) {
  let p = a * b
  return (p, (-p).addingProduct(a, b))
}

@Suite struct RoundingTests {
  private static func numbers(_ random: inout TestRandom) -> Double {
    switch random.below(8) {
    case 0: Double(random.below(40))
    case 1: exp2(Double(random.below(40) - 20))
    case 2: 1 + Double(random.below(5)) * 0x1p-52
    case 3: 0
    default: abs(random.normal()) * exp2(Double(random.below(120) - 60))
    }
  }

  /// 100 000 pairs: exact ≤ upper ≤ next double above exact, and the mirror image.
  @Test func everyOperationIsDirectedAndAtMostOneStepAway() {
    var random = TestRandom(1)
    for _ in 0..<100_000 {
      let (a, b) = (Self.numbers(&random), Self.numbers(&random))
      let (ua, ub) = (UpperBound(proved: a), UpperBound(proved: b))
      let (la, lb) = (LowerBound(proved: a), LowerBound(proved: b))
      // (high, low) with high + low the exact result and high its nearest double.
      func check(_ upper: Double, _ lower: Double, _ high: Double, _ low: Double) -> Bool {
        upper == (low > 0 ? high.nextUp : high) && lower == (low < 0 ? high.nextDown : high)
      }
      let (product, productError) = exactProduct(a, b)
      if !check((ua * ub).value, (la * lb).value, product, productError) {
        Issue.record("\(a) · \(b)")
      }
      let sum = a + b
      let sumError = a >= b ? b - (sum - a) : a - (sum - b)
      if !check((ua + ub).value, (la + lb).value, sum, sumError) { Issue.record("\(a) + \(b)") }
      if a >= b {
        let difference = a - b
        let part = difference - a
        let error = (a - (difference - part)) + (-b - part)
        let upper = (ua - lb).value
        let lower = (la - ub).value
        if !check(upper, lower, difference, error) { Issue.record("\(a) − \(b)") }
      }
      if b > 0, a > 0 {
        let quotient = a / b
        // a − q·b is exactly one double; its sign says on which side q lies.
        let rest = a.addingProduct(-quotient, b)
        if !check((ua / lb).value, (la / ub).value, quotient, rest) {
          Issue.record("\(a) / \(b)")
        }
      }
      let root = a.squareRoot()
      let rest = a.addingProduct(-root, root)
      if !check(ua.squareRoot().value, la.squareRoot().value, root, rest) {
        Issue.record("√\(a)")
      }
    }
  }

  @Test func underflowAndOverflowStayOnTheirSide() {
    let least = Double.leastNonzeroMagnitude
    let largest = Double.greatestFiniteMagnitude
    #expect((UpperBound(proved: least) * UpperBound(proved: least)).value > 0)
    #expect((LowerBound(proved: least) * LowerBound(proved: least)).value == 0)
    #expect((UpperBound(proved: least) / LowerBound(proved: 3)).value > 0)
    #expect((UpperBound(proved: largest) * UpperBound(proved: 2)).value == .infinity)
    #expect((LowerBound(proved: largest) * LowerBound(proved: 2)).value == largest)
    #expect((UpperBound(proved: largest) + UpperBound(proved: least)).value == .infinity)
    #expect((LowerBound(proved: largest) + LowerBound(proved: least)).value >= largest.nextDown)
    #expect((LowerBound(proved: largest) + LowerBound(proved: largest)).value == largest)
    #expect((UpperBound(proved: 1) + UpperBound(proved: least)).value == 1.0.nextUp)
    #expect((UpperBound(proved: 1) - LowerBound(proved: least)).value == 1)
    #expect((LowerBound(proved: 1) - UpperBound(proved: least)).value == 1.0.nextDown)
    #expect(UpperBound(proved: least).squareRoot().value >= 2.2227587494850775e-162)
  }

  @Test func zeroAndInfinityFollowTheirRules() {
    #expect(UpperBound.zero * .unknown == .zero)
    #expect(UpperBound.one + .unknown == .unknown)
    #expect(UpperBound.one * .unknown == .unknown)
    #expect(UpperBound.one / LowerBound.zero == .unknown)
    #expect(UpperBound.unknown - LowerBound(proved: 3) == .unknown)
    #expect(LowerBound(proved: 3) - UpperBound.unknown == .zero)
    #expect(LowerBound(proved: 3) / UpperBound.unknown == .zero)
    #expect(UpperBound(proved: 0.5) * .one + UpperBound(proved: 0.5) * .one == .one)
  }
}

/// Decimal numbers as digit strings, compared exactly with doubles through the C library, which
/// prints a double's whole expansion.
private struct Decimal: Comparable {
  /// 0.d₀d₁d₂… · 10^exponent, d₀ ≠ 0; empty for zero.
  var digits: [UInt8]
  var exponent: Int

  init(_ text: String) {
    var digits: [UInt8] = []
    var exponent = 0
    var seenPoint = false
    let parts = text.split(separator: "e")
    for byte in parts[0].utf8 {
      if byte == UInt8(ascii: ".") {
        seenPoint = true
        continue
      }
      if !digits.isEmpty || byte != UInt8(ascii: "0") {
        digits.append(byte - UInt8(ascii: "0"))
        if !seenPoint { exponent += 1 }
      } else if seenPoint {
        exponent -= 1
      }
    }
    while digits.last == 0 { digits.removeLast() }
    self.digits = digits
    self.exponent = digits.isEmpty ? 0 : exponent + (parts.count > 1 ? Int(parts[1])! : 0)
  }

  init(_ value: Double) {
    var buffer = [CChar](repeating: 0, count: 1600)
    let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.1080f", $0) }
    let bytes = buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }
    self.init(String(decoding: bytes, as: UTF8.self))
  }

  static func < (a: Decimal, b: Decimal) -> Bool {
    if a.digits.isEmpty || b.digits.isEmpty { return a.digits.isEmpty && !b.digits.isEmpty }
    if a.exponent != b.exponent { return a.exponent < b.exponent }
    return a.digits.lexicographicallyPrecedes(b.digits)
  }
}

@Suite struct DecimalTextTests {
  /// 100 000 random bit patterns and simple numbers: printed upper bounds never shrink, lower
  /// ones never grow, and neither is off by a whole unit of its last digit.
  @Test func printedBoundsKeepTheirSide() {
    var random = TestRandom(2)
    for index in 0..<100_000 {
      let value = switch index % 4 {
      case 0: Double(bitPattern: random.bits() & 0x7FFF_FFFF_FFFF_FFFF)
      case 1: Double(random.below(100_000)) / 1000
      case 2: exp2(Double(random.below(2000) - 1000))
      default: abs(random.normal()) * 10
      }
      if !value.isFinite { continue }
      let digits = 1 + random.below(12)
      let up = UpperBound(proved: value).text(significant: digits)
      let down = LowerBound(proved: value).text(significant: digits)
      // The comparison with the whole expansion is slow; every twentieth.
      if index % 20 == 0 {
        let exact = Decimal(value)
        if Decimal(up) < exact || exact < Decimal(down) {
          Issue.record("\(value) printed \(up) and \(down)")
        }
      }
      guard let upper = Double(up), let lower = Double(down) else {
        Issue.record("\(up) or \(down) is not a number")
        continue
      }
      if upper < value || lower > value { Issue.record("\(value) printed \(up) and \(down)") }
      let unit = value * Glibc.pow(10, 1 - Double(digits)) * 1.0001
      if value > 1e-300, value < 1e300, upper > value + unit || lower < value - unit {
        Issue.record("\(value) printed \(up) and \(down) in \(digits) digits")
      }
    }
  }

  @Test func jsonNumbersKeepTheirSideAndNearlyRoundTrip() {
    var random = TestRandom(3)
    for _ in 0..<20_000 {
      let value = Double(bitPattern: random.bits() & 0x7FFF_FFFF_FFFF_FFFF)
      if !value.isFinite { continue }
      let (up, down) = (UpperBound(proved: value).json, LowerBound(proved: value).json)
      if !(Double(up)! >= value && Double(up)! <= value.nextUp) { Issue.record("\(value): \(up)") }
      if !(Double(down)! <= value && Double(down)! >= value.nextDown) {
        Issue.record("\(value): \(down)")
      }
    }
  }

  @Test func textIsWhatAPersonWouldWrite() {
    func up(_ value: Double, _ digits: Int = 6) -> String {
      UpperBound(proved: value).text(significant: digits)
    }
    #expect(up(1) == "1")
    #expect(up(0) == "0")
    #expect(up(12.5) == "12.5")
    #expect(up(0.1) == "0.100001")
    #expect(LowerBound(proved: 0.1).text(significant: 6) == "0.1")
    #expect(up(1.0.nextUp) == "1.00001")
    #expect(up(0.99999999) == "1")
    #expect(up(99999.95) == "100000")
    #expect(up(123456.5, 3) == "124000")
    #expect(up(0x1p-30) == "9.31323e-10")
    #expect(up(3.41e38, 2) == "3.5e38")
    #expect(up(0.00012345, 3) == "0.000124")
    #expect(up(.infinity) == "∞")
    #expect(UpperBound.unknown.json == "null")
    #expect(UpperBound.one.json == "1")
    #expect(UpperBound(proved: .greatestFiniteMagnitude).json == "1.7976931348623158e308")
  }
}
