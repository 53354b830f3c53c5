import Glibc

extension UpperBound {
  /// Decimal text with at most `significant` digits that never states less than the bound:
  /// rounded up in the last digit printed. `∞` where nothing finite is proved.
  public func text(significant: Int) -> String {
    isFinite ? decimalText(value, significant: significant, up: true) : "∞"
  }

  /// A JSON number that, read as a decimal or as a double, is not below the bound; `null` where
  /// nothing finite is proved.
  public var json: String {
    isFinite ? decimalText(value, significant: 17, up: true, plain: false) : "null"
  }
}

extension LowerBound {
  /// Decimal text with at most `significant` digits that never states more than the bound.
  public func text(significant: Int) -> String {
    decimalText(value, significant: significant, up: false)
  }

  /// A JSON number that, read as a decimal or as a double, is not above the bound.
  public var json: String { decimalText(value, significant: 17, up: false, plain: false) }
}

/// A finite number ≥ 0 in decimal, rounded up or down to `significant` digits, trailing zeros
/// dropped. Positional from 10⁻⁴ up to `significant` digits before the point, else `1.5e-10`.
///
/// The rounding is exact: the C library prints the whole decimal expansion (a double has at most
/// 767 significant digits), and what is cut off is looked at digit by digit.
private func decimalText(
  _ value: Double, significant: Int, up: Bool, plain: Bool = true
) -> String {
  precondition(significant >= 1)
  if value == 0 { return "0" }
  var (digits, exponent, isCut) = truncatedDecimal(value, significant: significant)
  if up, isCut {
    var place = digits.count - 1
    while place >= 0, digits[place] == 9 {
      digits[place] = 0
      place -= 1
    }
    if place >= 0 {
      digits[place] += 1
    } else {
      digits = [1]
      exponent += 1
    }
  }
  while digits.count > 1, digits.last == 0 { digits.removeLast() }
  let isPositional = exponent >= -4 && exponent < (plain ? max(significant, 7) : 17)
  return layOut(digits, exponent: exponent, positional: isPositional)
}

/// d₀.d₁d₂… · 10^exponent as text.
private func layOut(_ digits: [UInt8], exponent: Int, positional: Bool) -> String {
  func text(_ digits: some Sequence<UInt8>) -> String {
    String(decoding: digits.map { $0 + UInt8(ascii: "0") }, as: UTF8.self)
  }
  guard positional else {
    let fraction = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
    return text(digits.prefix(1)) + fraction + "e\(exponent)"
  }
  if exponent < 0 {
    return "0." + String(repeating: "0", count: -exponent - 1) + text(digits)
  }
  let whole = text(digits.prefix(exponent + 1))
    + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
  let fraction = digits.dropFirst(exponent + 1)
  return fraction.isEmpty ? whole : whole + "." + text(fraction)
}

/// The first digits of a positive finite double: value = d₀.d₁d₂… · 10^exponent exactly, cut off
/// after `significant` digits; `isCut` tells whether what is lost is not zero.
private func truncatedDecimal(
  _ value: Double, significant: Int
) -> (digits: [UInt8], exponent: Int, isCut: Bool) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 800) { buffer in
    let count = withVaList([value]) { vsnprintf(buffer.baseAddress!, 800, "%.766e", $0) }
    // d₀, the locale's decimal point (one byte or more), 766 digits, e, sign, exponent.
    var mark = Int(count) - 1
    while buffer[mark] != 0x65 { mark -= 1 }
    var digits = [UInt8(buffer[0]) - 0x30]
    var place = mark - 766
    while digits.count < significant, place < mark {
      digits.append(UInt8(buffer[place]) - 0x30)
      place += 1
    }
    let isCut = buffer[place..<mark].contains { $0 != 0x30 }
    var exponent = 0
    for place in (mark + 2)..<Int(count) { exponent = exponent * 10 + Int(buffer[place]) - 0x30 }
    return (digits, buffer[mark + 1] == 0x2D ? -exponent : exponent, isCut)
  }
}
