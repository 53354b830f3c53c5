import Diagnostics

/// The YAML 1.2 core schema, by our own grammar over bytes:
///
///     null    ~ | null | Null | NULL | nothing at all
///     bool    true | True | TRUE | false | False | FALSE
///     int     [-+]? [0-9]+   |   0o [0-7]+   |   0x [0-9a-fA-F]+
///     float   [-+]? ( . [0-9]+ | [0-9]+ ( . [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
///             [-+]? ( .inf | .Inf | .INF )   |   .nan | .NaN | .NAN
///     string  everything else, and everything in quotes
///
/// plus one extension, the fraction `decimal / decimal` (`36/255`), whose divisor is not 0.
/// So `no`, `yes`, `on`, `off`, `1_000`, `1:30` are strings, as YAML 1.2 has it.
extension Scalar {
  public var isNull: Bool {
    !isQuoted && (text.isEmpty || text == "~" || ["null", "Null", "NULL"].contains(text))
  }

  public var bool: Bool? {
    guard !isQuoted else { return nil }
    switch text {
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: return nil
    }
  }

  /// A whole number that fits 64 bits; `1e3` and `3.0` are not written as whole numbers.
  public var int: Int? {
    guard !isQuoted else { return nil }
    if text.hasPrefix("0o") { return radixInt(8) }
    if text.hasPrefix("0x") { return radixInt(16) }
    guard case .integer = Decimal(text.utf8) else { return nil }
    return Int(text)
  }

  /// Any number, rounded to nearest. Infinities and NaN are recognised, so that a caller can say
  /// that it refuses them; a decimal too large for a double is an infinity too.
  public var double: Double? {
    guard !isQuoted else { return nil }
    if let number = decimal(text[...]) { return number }
    if let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) {
      let afterSlash = text.utf8.index(after: slash)
      guard let numerator = decimal(Scalar.trimmed(text[..<slash])),
        let denominator = decimal(Scalar.trimmed(text[afterSlash...])), denominator != 0
      else { return nil }
      return numerator / denominator
    }
    switch text {
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
    case "-.inf", "-.Inf", "-.INF": return -.infinity
    case ".nan", ".NaN", ".NAN": return .nan
    default: return int.map(Double.init)
    }
  }

  /// The text, where the grammar makes it a string.
  public var string: String? {
    isQuoted || (!isNull && bool == nil && double == nil) ? text : nil
  }

  private func decimal(_ part: Substring) -> Double? {
    Decimal(part.utf8) == nil ? nil : Double(part)
  }

  private func radixInt(_ radix: Int) -> Int? {
    let digits = text.dropFirst(2)
    // `Int(_:radix:)` would take a sign: `0x-1`.
    guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+")
    else { return nil }
    return Int(digits, radix: radix)
  }

  private static func trimmed(_ part: Substring) -> Substring {
    var part = part
    while part.utf8.first == UInt8(ascii: " ") { part = part.dropFirst() }
    while part.utf8.last == UInt8(ascii: " ") { part = part.dropLast() }
    return part
  }
}

/// Whether bytes are a decimal number, and of which form.
private enum Decimal {
  case integer, real

  init?(_ text: some Sequence<UInt8>) {
    var bytes = text.makeIterator()
    var byte = bytes.next()
    func isDigit(_ byte: UInt8?) -> Bool {
      byte.map { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "9") } ?? false
    }
    func isSign(_ byte: UInt8?) -> Bool {
      byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }
    var digits = 0
    var form = Decimal.integer
    if isSign(byte) { byte = bytes.next() }
    while isDigit(byte) {
      digits += 1
      byte = bytes.next()
    }
    if byte == UInt8(ascii: ".") {
      form = .real
      byte = bytes.next()
      while isDigit(byte) {
        digits += 1
        byte = bytes.next()
      }
    }
    guard digits > 0 else { return nil }
    if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      form = .real
      byte = bytes.next()
      if isSign(byte) { byte = bytes.next() }
      guard isDigit(byte) else { return nil }
      while isDigit(byte) { byte = bytes.next() }
    }
    guard byte == nil else { return nil }
    self = form
  }
}

extension Node {
  public var isNull: Bool { scalar?.isNull ?? false }
  public var bool: Bool? { scalar?.bool }
  public var int: Int? { scalar?.int }
  public var double: Double? { scalar?.double }
  public var string: String? { scalar?.string }

  /// What to write instead, where a boolean is expected and something near one stands:
  /// "write `false`" for `no`.
  public var booleanHelp: String? {
    guard let scalar else { return nil }
    switch scalar.text.lowercased() {
    case "true", "yes", "on", "y", "1": return "write `true`"
    case "false", "no", "off", "n", "0": return "write `false`"
    default: return nil
    }
  }

  /// What to write instead, where a number is expected and something near one stands:
  /// "write `1000`" for `1_000`.
  public var numberHelp: String? {
    guard let scalar, scalar.double == nil || scalar.isQuoted else { return nil }
    let plain = Scalar(scalar.text)
    if scalar.isQuoted, plain.double != nil { return "write `\(scalar.text)` without quotes" }
    if scalar.text.contains("_") {
      let joined = scalar.text.filter { $0 != "_" }
      if Scalar(joined).double != nil { return "write `\(joined)`" }
    }
    let point = String(scalar.text.map { $0 == "," ? "." : $0 })
    if point != scalar.text, Scalar(point).double != nil { return "write `\(point)`" }
    let words = scalar.text.split(separator: " ")
    if words.count > 1, words.allSatisfy({ Scalar(String($0)).double != nil }) {
      return "write `\(words.joined(separator: ", "))`"
    }
    if scalar.text.hasSuffix("%"), let percent = Scalar(String(scalar.text.dropLast())).double {
      return "write `\(percent / 100)`"
    }
    if let slash = scalar.text.firstIndex(of: "/"),
      Scalar(String(scalar.text[..<slash])).double != nil
    {
      let divisor = Scalar(String(scalar.text[scalar.text.index(after: slash)...]))
      return divisor.double == 0
        ? "the divisor of a fraction is not 0" : "write a fraction as `36/255`"
    }
    return nil
  }

  /// What to write instead, where a whole number is expected and `1e3` or `3.0` stands.
  public var wholeNumberHelp: String? {
    guard let scalar, !scalar.isQuoted, scalar.int == nil, let number = scalar.double else {
      return numberHelp
    }
    return Int(exactly: number).map { "write `\($0)`" }
  }
}
