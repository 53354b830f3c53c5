import Diagnostics
import Rounding
import YAML

// The types an argument can have. Every message says what was expected and what stands there; the
// caret is under the value, so the key need not be named.

extension Int: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> Int? {
    guard let value = node.int else {
      diagnostics.append(
        node.isLongWholeNumber
          ? .outOfRange(expectation(range: range), found: node)
          : .expected(expectation(range: range), found: node, help: node.wholeNumberHelp))
      return nil
    }
    if let range, !range.contains(Double(value)) {
      diagnostics.append(.outOfRange(expectation(range: range), found: node))
      return nil
    }
    return value
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a whole number" + (range?.phrase(isWhole: true) ?? "")
  }
  public var yamlText: String { String(self) }
}

extension Double: ArgumentValue {
  /// Any finite number of the scalar grammar, or a fraction of two of them: `36/255`.
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> Double? {
    guard let value = node.double else {
      diagnostics.append(
        .expected(expectation(range: range), found: node, help: node.numberHelp))
      return nil
    }
    guard value.isFinite, range?.contains(value) ?? true else {
      var problem = Diagnostic.outOfRange(expectation(range: range), found: node)
      // A share in percent.
      if range?.upper == 1, value > 1, value <= 100 { problem.help = "write `\(value / 100)`" }
      diagnostics.append(problem)
      return nil
    }
    return value
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a number" + (range?.phrase(isWhole: false) ?? "")
  }
  public var yamlText: String { String(describing: self) }
}

extension Bool: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> Bool? {
    if let value = node.bool { return value }
    diagnostics.append(
      .expected(expectation(range: range), found: node, help: node.booleanHelp))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String { "`true` or `false`" }
  public var yamlText: String { self ? "true" : "false" }
}

extension String: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> String? {
    if let text = node.string { return text }
    let help = node.isNull ? nil : node.scalar.map { "write `\"\($0.text)\"`" }
    diagnostics.append(.expected(expectation(range: range), found: node, help: help))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String { "a string" }

  /// Plain where a plain scalar reads back as this string, else in double quotes.
  public var yamlText: String {
    let isPlain =
      (utf8.first.map { $0.isASCIILetter || $0 == UInt8(ascii: "_") } ?? false)
      && utf8.allSatisfy { $0.isNameByte || $0 == UInt8(ascii: "/") }
      && Scalar(self).string != nil
    return isPlain ? self : doubleQuoted
  }

  private var doubleQuoted: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        text += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

extension Array: ArgumentValue where Element: ArgumentValue {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> [Element]? {
    guard case .sequence(let nodes) = node.content else {
      diagnostics.append(.expected(expectation(range: range), found: node))
      return nil
    }
    // Every element is tried, so that all that are wrong are reported.
    let values = nodes.map { node in
      diagnostics.count > Limits.standard.errors
        ? nil : Element.decode(node, range: range, into: &diagnostics)
    }
    return values.contains { $0 == nil } ? nil : values.map { $0! }
  }

  public static func expectation(range: ArgumentRange?) -> String {
    "a list, each element \(Element.expectation(range: range))"
  }
  public var yamlText: String { "[" + map(\.yamlText).joined(separator: ", ") + "]" }
}

/// One value or a list of them: `kernel: 3`, `kernel: [3, 5]`.
public struct OneOrMany<Element: ArgumentValue>: ArgumentValue {
  public var values: [Element]
  /// Whether a list was written; a list of one is still a list.
  public var isList: Bool

  public init(_ value: Element) {
    values = [value]
    isList = false
  }
  public init(_ values: [Element]) {
    self.values = values
    isList = true
  }

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> OneOrMany? {
    if case .sequence = node.content {
      return [Element].decode(node, range: range, into: &diagnostics).map { OneOrMany($0) }
    }
    if case .mapping = node.content {
      diagnostics.append(.expected(expectation(range: range), found: node))
      return nil
    }
    return Element.decode(node, range: range, into: &diagnostics).map { OneOrMany($0) }
  }

  public static func expectation(range: ArgumentRange?) -> String {
    Element.expectation(range: range) + ", or a list of them"
  }
  public var yamlText: String { isList ? values.yamlText : values[0].yamlText }
}

/// Padding of windows: one number for every side of every axis, one per axis, or one pair
/// [before, after] per axis.
public struct SidedPadding: ArgumentValue, Hashable {
  public enum Content: Sendable, Hashable {
    case every(Int)
    case perAxis([Int])
    case pairs([[Int]])
  }
  public var content: Content
  public init(_ content: Content) { self.content = content }

  /// The (before, after) of each of `axes` axes; nil where another number of axes is written.
  public func sides(axes: Int) -> [(low: Int, high: Int)]? {
    switch content {
    case .every(let number): [(low: Int, high: Int)](repeating: (number, number), count: axes)
    case .perAxis(let numbers): numbers.count == axes ? numbers.map { ($0, $0) } : nil
    case .pairs(let pairs): pairs.count == axes ? pairs.map { ($0[0], $0[1]) } : nil
    }
  }

  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> SidedPadding? {
    guard case .sequence(let nodes) = node.content else {
      if case .mapping = node.content {
        diagnostics.append(.expected(expectation(range: range), found: node))
        return nil
      }
      return Int.decode(node, range: range, into: &diagnostics).map { SidedPadding(.every($0)) }
    }
    guard let first = nodes.first, case .sequence = first.content else {
      return [Int].decode(node, range: range, into: &diagnostics).map { SidedPadding(.perAxis($0)) }
    }
    let pairs = nodes.map { pair -> [Int]? in
      guard case .sequence(let sides) = pair.content, sides.count == 2 else {
        diagnostics.append(.expected("a pair [before, after]", found: pair))
        return nil
      }
      return [Int].decode(pair, range: range, into: &diagnostics)
    }
    return pairs.contains { $0 == nil } ? nil : SidedPadding(.pairs(pairs.map { $0! }))
  }

  public static func expectation(range: ArgumentRange?) -> String {
    Int.expectation(range: range) + ", a list of one per axis, or of a pair [before, after] per axis"
  }
  public var yamlText: String {
    switch content {
    case .every(let number): number.yamlText
    case .perAxis(let numbers): numbers.yamlText
    case .pairs(let pairs): pairs.yamlText
    }
  }
}

/// `enum Mode: String, CaseIterable, ArgumentValue` needs no more than its cases.
extension ArgumentValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  public static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> Self? {
    // The words may look like other scalars (`none`, `true`), so the text is what counts.
    guard let text = node.scalar?.text, !text.isEmpty else {
      diagnostics.append(.expected(expectation(range: range), found: node))
      return nil
    }
    if let value = Self(rawValue: text) { return value }
    let words = allCases.map(\.rawValue)
    diagnostics.append(
      Diagnostic(
        .wrongType, "expected \(expectation(range: range)), found \(node.kindDescription)",
        at: node.span, help: didYouMean(text, among: words)))
    return nil
  }

  public static func expectation(range: ArgumentRange?) -> String {
    oneOf(allCases.map(\.rawValue))
  }
  public var yamlText: String { rawValue.yamlText }
}

extension Norm: ArgumentValue {}

extension ArgumentRange {
  /// ` ≥ 1`, ` > 0`, ` from 0 to 1`, to stand after `a number`.
  func phrase(isWhole: Bool) -> String {
    func text(_ bound: Double) -> String {
      Int(exactly: bound).map(String.init) ?? bound.yamlText
    }
    switch (lower.isFinite, upper.isFinite) {
    case (false, false): return ""
    case (true, false): return (excludesLower ? " > " : " ≥ ") + text(lower)
    case (false, true): return (excludesUpper ? " < " : " ≤ ") + text(upper)
    case (true, true):
      if !excludesLower && !excludesUpper { return " from \(text(lower)) to \(text(upper))" }
      return (excludesLower ? " > " : " ≥ ") + text(lower) + " and"
        + (excludesUpper ? " < " : " ≤ ") + text(upper)
    }
  }
}

// MARK: messages

extension Diagnostic {
  static func expected(_ expectation: String, found node: Node, help: String? = nil) -> Diagnostic {
    Diagnostic(
      .wrongType, "expected \(expectation), found \(node.kindDescription)", at: node.span,
      help: help)
  }

  static func outOfRange(_ expectation: String, found node: Node) -> Diagnostic {
    let expectation = node.double?.isFinite == false ? "\(expectation), and finite" : expectation
    return Diagnostic(
      .outOfRange, "expected \(expectation), found \(node.kindDescription)", at: node.span)
  }
}
