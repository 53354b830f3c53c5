import Diagnostics
import Rounding

// The JSON Schema (draft-07) of what an argument takes. A schema accepts whatever lgc accepts; it may
// accept more, where a rule cannot be said in it.

extension ArgumentValue {
  /// Anything, where a type does not say more.
  public static func schema(range: ArgumentRange?) -> JSONValue { .object([]) }
}

extension Int {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    .object([("type", "integer")] + limits(range))
  }
}

extension Double {
  /// A number, or a fraction of two written as a string.
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        .object([("type", "number")] + limits(range)), ["$ref": "#/definitions/fraction"],
      ]
    ]
  }

  /// The definition that ``schema(range:)`` refers to.
  static var fraction: JSONValue {
    ["type": "string", "pattern": #"^[-+0-9.eE]+/[-+0-9.eE]+$"#]
  }
}

extension Bool {
  public static func schema(range: ArgumentRange?) -> JSONValue { ["type": "boolean"] }
}

extension String {
  public static func schema(range: ArgumentRange?) -> JSONValue { ["type": "string"] }
}

extension Array where Element: ArgumentValue {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    ["type": "array", "items": Element.schema(range: range)]
  }
}

extension OneOrMany {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    ["anyOf": [Element.schema(range: range), [Element].schema(range: range)]]
  }
}

extension SidedPadding {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        Int.schema(range: range),
        ["type": "array", "items": ["anyOf": [Int.schema(range: range), [Int].schema(range: range)]]],
      ]
    ]
  }
}

extension ArgumentValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    ["enum": .array(allCases.map { .string($0.rawValue) })]
  }
}

extension LearningRateSchedule {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    ["anyOf": [Decay.schema(range: nil), LanguageKey.object(keys.map { LanguageKey($0) })]]
  }
}

extension CheckpointSection {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        Bool.schema(range: nil), Interval.schema(range: nil),
        LanguageKey.object([LanguageKey(every), LanguageKey(keep)]),
      ]
    ]
  }
}

extension CheckpointSection.Interval {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        ["const": "metrics"], TrainingInterval.schema(range: nil),
      ]
    ]
  }
}

extension TrainingInterval {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        Int.schema(range: .atLeastOne),
        ["type": "string", "pattern": "^[0-9]+ +(steps?|epochs?)$"],
      ]
    ]
  }
}

extension StoppingSection {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    ["anyOf": [Metric.schema(range: nil), LanguageKey.object(keys.map { LanguageKey($0) })]]
  }
}

extension ValidationSection {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        Double.schema(range: share.range), Int.schema(range: .atLeastOne),
        LanguageKey.object([LanguageKey(share), LanguageKey(count), LanguageKey(seed)]),
      ]
    ]
  }
}

extension GradientClipping {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        Double.schema(range: .positive),
        LanguageKey.object([LanguageKey(norm), LanguageKey(value)]),
      ]
    ]
  }
}

extension TrainingMoment {
  public static func schema(range: ArgumentRange?) -> JSONValue {
    [
      "anyOf": [
        Int.schema(range: .nonNegative),
        Double.schema(
          range: ArgumentRange(lower: 0, upper: 1, excludesLower: true, excludesUpper: true)),
      ]
    ]
  }
}

extension NameList {
  static var schema: JSONValue {
    let name: JSONValue = ["type": "string"]
    return ["anyOf": [name, ["type": "array", "items": name, "minItems": 1]]]
  }
}

extension ResidualSetting {
  static var keys: [LanguageKey] { [LanguageKey(Resolver.mode), LanguageKey(Resolver.weight)] }
  static var schema: JSONValue {
    [
      "anyOf": [
        Bool.schema(range: nil), ResidualBlock.Mode.schema(range: nil), LanguageKey.object(keys),
      ]
    ]
  }
}

private func limits(_ range: ArgumentRange?) -> [(key: String, value: JSONValue)] {
  guard let range else { return [] }
  func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map(JSONValue.int) ?? .double(value)
  }
  var members: [(key: String, value: JSONValue)] = []
  if range.lower.isFinite {
    members.append(
      (key: range.excludesLower ? "exclusiveMinimum" : "minimum", value: number(range.lower)))
  }
  if range.upper.isFinite {
    members.append(
      (key: range.excludesUpper ? "exclusiveMaximum" : "maximum", value: number(range.upper)))
  }
  return members
}
