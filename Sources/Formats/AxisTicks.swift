import Glibc

/// Where an axis has marks, and how they read.
struct AxisTicks {
  /// The axis goes from the first number to the second; for a logarithmic one both are positive.
  let range: ClosedRange<Double>
  let marks: [(value: Double, label: String)]

  /// Multiples of 1, 2 or 5 times a power of ten, about `count` of them; the range is widened to
  /// whole steps if `isRounded`.
  static func linear(
    _ range: ClosedRange<Double>, count: Int, isRounded: Bool = true, isPercent: Bool = false
  ) -> AxisTicks {
    var (low, high) = (range.lowerBound, range.upperBound)
    if !(high - low > 1e-12 * max(abs(low), abs(high), 1e-300)) {
      let margin = low == 0 ? 1 : abs(low) * 0.1
      (low, high) = (low - margin, high + margin)
    }
    let step = niceStep((high - low) / Double(max(count, 1)))
    if isRounded {
      low = (low / step + 1e-9).rounded(.down) * step
      high = (high / step - 1e-9).rounded(.up) * step
    }
    let first = Int((low / step - 1e-9).rounded(.up))
    let last = Int((high / step + 1e-9).rounded(.down))
    let shown = isPercent ? step * 100 : step
    let digits = min(12, max(0, -Int((log10(shown) + 1e-9).rounded(.down))))
    let marks = (first <= last ? Array(first...last) : []).map { index in
      let value = Double(index) * step
      let label = isPercent
        ? plain(value * 100, digits: digits) + " %"
        : abs(value) >= 1e6 || step < 1e-5 && value != 0
          ? short(value) : plain(value, digits: digits)
      return (value: value, label: label)
    }
    return AxisTicks(range: low...high, marks: marks)
  }

  /// Powers of ten; between them 2 and 5 where there are few. Both ends must be positive.
  static func logarithmic(_ range: ClosedRange<Double>) -> AxisTicks {
    var low = log10(range.lowerBound)
    var high = log10(range.upperBound)
    if high - low < 0.3 {
      let middle = (low + high) / 2
      (low, high) = (middle - 0.15, middle + 0.15)
    }
    let decades = high - low
    let margin = 0.03 * decades
    (low, high) = (low - margin, high + margin)
    let factors: [Double] = decades < 0.8 ? Array(1...9).map(Double.init)
      : decades < 3.2 ? [1, 2, 5] : [1]
    let stride = max(1, Int((decades / 7).rounded(.up)))
    var marks: [(value: Double, label: String)] = []
    for exponent in Int(low.rounded(.down))...Int(high.rounded(.up))
    where exponent % stride == 0 {
      for factor in factors {
        let value = factor * pow(10, Double(exponent))
        if log10(value) >= low && log10(value) <= high {
          marks.append((value: value, label: short(value)))
        }
      }
    }
    return AxisTicks(range: pow(10, low)...pow(10, high), marks: marks)
  }

  static func niceStep(_ least: Double) -> Double {
    let power = pow(10, log10(least).rounded(.down))
    for factor in [1.0, 2, 5] where factor * power >= least * (1 - 1e-9) { return factor * power }
    return 10 * power
  }

  /// With a fixed number of decimals, a real minus sign, and no sign at zero.
  static func plain(_ value: Double, digits: Int) -> String {
    var text = printed(value.magnitude, "%.\(digits)f")
    if let point = text.firstIndex(of: ".") {
      text = grouped(String(text[..<point])) + text[point...]
    } else {
      text = grouped(text)
    }
    let isZero = text.allSatisfy { "0.".contains($0) }
    return value < 0 && !isZero ? "−" + text : text
  }

  /// At most three digits: `0.05`, `250`, `2e6`, `1.5e−7`.
  static func short(_ value: Double) -> String {
    let size = value.magnitude
    if size == 0 { return "0" }
    if size >= 1e-4 && size < 1e6 {
      let digits = max(0, 2 - Int(log10(size).rounded(.down)))
      var text = printed(size, "%.\(digits)f")
      if text.contains(".") {
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
      }
      return (value < 0 ? "−" : "") + grouped(text)
    }
    let parts = printed(value, "%.2e").split(separator: "e")
    var mantissa = String(parts[0])
    while mantissa.last == "0" { mantissa.removeLast() }
    if mantissa.last == "." { mantissa.removeLast() }
    let exponent = Int(parts[1]) ?? 0
    return (mantissa + "e" + String(exponent)).replacing("-", with: "−")
  }

  /// Thin spaces between thousands, from five digits on.
  private static func grouped(_ digits: String) -> String {
    guard digits.count > 4, digits.allSatisfy(\.isNumber) else { return digits }
    var out = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { out += "\u{202F}" }
      out.append(digit)
    }
    return out
  }
}

/// A number by a format of `printf`.
private func printed(_ value: Double, _ format: String) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
  return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

extension String {
  fileprivate func replacing(_ old: Character, with new: Character) -> String {
    String(map { $0 == old ? new : $0 })
  }
}
