/// A piece of HTML or SVG: text from outside comes in only through `text` and attributes, escaped.
public struct Markup: Sendable {
  public private(set) var string: String

  public init() { string = "" }
  /// Takes `string` as it is: markup written here, never text from a file.
  public init(trusted string: String) { self.string = string }
  /// Characters that stand for themselves.
  public init(text: String) { string = Self.escaped(text) }

  public static func element(
    _ name: String, _ attributes: [(String, String)] = [], _ content: [Markup]
  ) -> Markup {
    var out = "<\(name)"
    for (key, value) in attributes { out += " \(key)=\"\(escaped(value))\"" }
    out += ">"
    for part in content { out += part.string }
    return Markup(trusted: out + "</\(name)>")
  }

  public static func element(
    _ name: String, _ attributes: [(String, String)] = [], text: String
  ) -> Markup {
    element(name, attributes, [Markup(text: text)])
  }

  /// An element without content: `<img …/>`, `<line …/>`.
  public static func empty(_ name: String, _ attributes: [(String, String)]) -> Markup {
    var out = "<\(name)"
    for (key, value) in attributes { out += " \(key)=\"\(escaped(value))\"" }
    return Markup(trusted: out + "/>")
  }

  public mutating func append(_ other: Markup) { string += other.string + "\n" }

  /// Control characters, which neither HTML nor XML can hold, become U+FFFD.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\t", "\n": out.unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

extension Markup: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(trusted: value) }
}
