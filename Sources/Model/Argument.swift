import Diagnostics
import Rounding
import YAML

/// A YAML argument of a catalogued unit, declared once: decoding, did-you-mean, defaults, the
/// JSON Schema and the reference text all come from this.
///
///     static let units = Argument<Int>("units", "Number of output features.", in: 1...)
public struct Argument<Value: ArgumentValue>: Sendable {
  public let name: String
  public let summary: String
  /// nil: the key must be written, unless `isOptional`.
  public let defaultValue: Value?
  public let isOptional: Bool
  public let range: ArgumentRange?

  /// A key that must be written.
  public init(_ name: String, _ summary: String, in range: ArgumentRange? = nil) {
    self.name = name
    self.summary = summary
    self.range = range
    defaultValue = nil
    isOptional = false
  }

  /// A key with a default.
  public init(
    _ name: String, _ summary: String, default value: Value, in range: ArgumentRange? = nil
  ) {
    self.name = name
    self.summary = summary
    self.range = range
    defaultValue = value
    isOptional = false
  }

  /// A key that may be absent, read with `arguments[optional:]`.
  public static func optional(
    _ name: String, _ summary: String, in range: ArgumentRange? = nil
  ) -> Argument {
    Argument(name: name, summary: summary, defaultValue: nil, isOptional: true, range: range)
  }

  private init(
    name: String, summary: String, defaultValue: Value?, isOptional: Bool, range: ArgumentRange?
  ) {
    self.name = name
    self.summary = summary
    self.defaultValue = defaultValue
    self.isOptional = isOptional
    self.range = range
  }
}

/// The numbers an argument accepts; for a list, each element.
public struct ArgumentRange: Sendable {
  public var lower: Double
  public var upper: Double
  public var excludesLower: Bool
  public var excludesUpper: Bool

  public init(
    lower: Double = -.infinity, upper: Double = .infinity, excludesLower: Bool = false,
    excludesUpper: Bool = false
  ) {
    self.lower = lower
    self.upper = upper
    self.excludesLower = excludesLower
    self.excludesUpper = excludesUpper
  }
  public static let positive = ArgumentRange(lower: 0, excludesLower: true)
  public static let nonNegative = ArgumentRange(lower: 0)
  public static let atLeastOne = ArgumentRange(lower: 1)
  /// Sizes of windows, their strides and dilations: products of two stay far below 64 bits.
  public static let windowSize = ArgumentRange(lower: 1, upper: 0x1p20)
  public static let windowPadding = ArgumentRange(lower: 0, upper: 0x1p20)
  /// 0 ≤ x ≤ 1
  public static let unit = ArgumentRange(lower: 0, upper: 1)
  /// 0 ≤ x < 1
  public static let unitBelowOne = ArgumentRange(lower: 0, upper: 1, excludesUpper: true)

  public func contains(_ number: Double) -> Bool {
    (excludesLower ? number > lower : number >= lower)
      && (excludesUpper ? number < upper : number <= upper)
  }
}

/// A type an argument can have: Int, Double, Bool, String, a list, or a string enumeration.
public protocol ArgumentValue: Sendable {
  /// The value of a node, or a diagnostic appended and nil.
  static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> Self?
  /// `a whole number ≥ 1`, as messages and the reference say it.
  static func expectation(range: ArgumentRange?) -> String
  /// The value as it would be written in YAML, on one line.
  var yamlText: String { get }
  /// JSON Schema (draft-07) that accepts every value.
  static func schema(range: ArgumentRange?) -> JSONValue
}

/// An argument without its type, for lists of declarations.
public protocol ArgumentDeclaration: Sendable {
  var name: String { get }
  var summary: String { get }
  var isRequired: Bool { get }
  var expectation: String { get }
  var schema: JSONValue { get }
  var defaultErased: (any Sendable)? { get }
  /// A value of this argument as it would be written in YAML; nil for a value of another type.
  func yamlText(_ value: any Sendable) -> String?
  func decodeErased(_ node: Node, into diagnostics: inout [Diagnostic]) -> (any Sendable)?
}

extension ArgumentDeclaration {
  /// The default as it would be written in YAML.
  public var defaultText: String? { defaultErased.flatMap { yamlText($0) } }
}

extension Argument: ArgumentDeclaration {
  public var isRequired: Bool { defaultValue == nil && !isOptional }
  public var expectation: String { Value.expectation(range: range) }
  public var schema: JSONValue { Value.schema(range: range) }
  public var defaultErased: (any Sendable)? { defaultValue }
  public func yamlText(_ value: any Sendable) -> String? { (value as? Value)?.yamlText }
  public func decodeErased(_ node: Node, into diagnostics: inout [Diagnostic]) -> (any Sendable)? {
    Value.decode(node, range: range, into: &diagnostics)
  }
}

/// The decoded arguments of one unit, with where each was written.
public struct Arguments: Sendable {
  /// The unit as written: the kind's name or its whole mapping.
  public let span: Span
  public private(set) var values: [String: any Sendable]
  public private(set) var spans: [String: Span]

  public init(span: Span, values: [String: any Sendable] = [:], spans: [String: Span] = [:]) {
    self.span = span
    self.values = values
    self.spans = spans
  }

  /// Every declared argument has a value here: decoding has filled in the defaults or failed.
  public subscript<Value>(_ argument: Argument<Value>) -> Value {
    (values[argument.name] as? Value) ?? argument.defaultValue!
  }
  public subscript<Value>(optional argument: Argument<Value>) -> Value? {
    (values[argument.name] as? Value) ?? argument.defaultValue
  }
  /// Where the argument's value is written, else the unit.
  public func span(of name: String) -> Span { spans[name] ?? span }
}

/// A value that is well-typed but cannot be: the caret stands under `argument`.
public struct ArgumentProblem: Error {
  public let argument: String?
  public let message: String
  public let help: String?
  public let code: DiagnosticCode
  public init(
    _ message: String, argument: String? = nil, help: String? = nil,
    code: DiagnosticCode = .outOfRange
  ) {
    self.argument = argument
    self.message = message
    self.help = help
    self.code = code
  }
}

/// What all catalogued units (layers, constraints, losses, optimizers, datasets) share.
public protocol CatalogUnit: Sendable {
  /// The word in the YAML: `dense`, `spectral`, `cross_entropy`.
  static var kind: String { get }
  /// One sentence; `lgc explain` and the reference print it.
  static var summary: String { get }
  static var arguments: [any ArgumentDeclaration] { get }
  /// The argument that a bare scalar sets (`dense: 512`), if there is one.
  static var shorthand: String? { get }
  static var examples: [Example] { get }
  init(_ arguments: Arguments) throws(ArgumentProblem)
}

extension CatalogUnit {
  public static var shorthand: String? { nil }
  public static var arguments: [any ArgumentDeclaration] { [] }
  public static var examples: [Example] { [] }
}

/// A use of a unit in YAML, run by the generic tests and printed by `lgc explain`.
///
/// A failing example marks where the caret must be with `«` and `»`:
/// `dense: {units: «-3»}`.
public struct Example: Sendable {
  public let yaml: String
  /// The input shape it is tried on (layers only).
  public let input: [Int]
  /// nil: must be accepted.
  public let code: DiagnosticCode?
  public static func good(_ yaml: String, input: [Int] = []) -> Example {
    Example(yaml: yaml, input: input, code: nil)
  }
  public static func bad(_ yaml: String, input: [Int] = [], _ code: DiagnosticCode) -> Example {
    Example(yaml: yaml, input: input, code: code)
  }
}
