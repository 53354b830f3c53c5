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
  let (expansion, expansionExponent) = exactDecimal(value)
  var digits = Array(expansion.prefix(significant))
  var exponent = expansionExponent
  if up, expansion.dropFirst(significant).contains(where: { $0 != 0 }) {
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

/// All digits of a positive finite double: value = d₀.d₁d₂… · 10^exponent exactly.
private func exactDecimal(_ value: Double) -> (digits: [UInt8], exponent: Int) {
  var buffer = [CChar](repeating: 0, count: 800)
  let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.766e", $0) }
  let characters = buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }
  let mark = characters.firstIndex(of: UInt8(ascii: "e"))!
  let digits = characters[..<mark].compactMap { byte -> UInt8? in
    // Skips the decimal point, whichever the locale's is.
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? byte - UInt8(ascii: "0") : nil
  }
  let exponent = String(decoding: characters[(mark + 1)...], as: UTF8.self)
  return (digits, Int(exponent)!)
}
