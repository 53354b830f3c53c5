import Formats

/// One value of a certificate with the way to it, for messages.
struct Fields {
  let json: JSON
  let path: String

  init(_ json: JSON, _ path: String) {
    self.json = json
    self.path = path
  }

  func fault(_ what: String) -> VerificationError { .unreadable("\(path) \(what)") }

  func optional(_ name: String) -> Fields? {
    json[name].map { Fields($0, path.isEmpty ? name : "\(path).\(name)") }
  }

  func field(_ name: String) throws(VerificationError) -> Fields {
    guard let field = optional(name) else {
      throw .unreadable(
        "\(path.isEmpty ? "the certificate" : path) has no `\(name)`")
    }
    return field
  }

  func string() throws(VerificationError) -> String {
    guard let text = json.string else { throw fault("is not a string") }
    return text
  }

  /// A whole number in `range`.
  func integer(in range: ClosedRange<Int> = 0...(1 << 31)) throws(VerificationError) -> Int {
    guard let number = json.integer, range.contains(number) else {
      throw fault("is not a whole number in \(range.lowerBound)…\(range.upperBound)")
    }
    return number
  }

  func list() throws(VerificationError) -> [Fields] {
    guard let values = json.array else { throw fault("is not a list") }
    return values.enumerated().map { Fields($1, "\(path)[\($0)]") }
  }

  func integers(in range: ClosedRange<Int> = 0...(1 << 31)) throws(VerificationError) -> [Int] {
    var result: [Int] = []
    for value in try list() { result.append(try value.integer(in: range)) }
    return result
  }

  /// A C99 hexadecimal float, finite.
  func real() throws(VerificationError) -> Double {
    guard let text = json.string, text.hasPrefix("0x") || text.hasPrefix("-0x"),
      let value = Double(text), value.isFinite
    else { throw fault("is not a hexadecimal float") }
    return value
  }

  func reals() throws(VerificationError) -> [Double] {
    var result: [Double] = []
    for value in try list() { result.append(try value.real()) }
    return result
  }

  /// A number ≥ 0, or null for +∞: a bound that does not exist.
  func bound() throws(VerificationError) -> Double {
    if case .null = json { return .infinity }
    let value = try real()
    guard value >= 0 else { throw fault("is negative") }
    return value
  }
}
