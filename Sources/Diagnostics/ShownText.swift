/// What a message says of a text that it quotes: names and words of a description may be megabytes
/// long and hold anything.
enum ShownText {
  /// Characters of a part of a message; the longest list of kinds is well within it.
  private static let longest = 4000

  /// One line: a line break is shown as a picture too.
  static func line(_ text: String) -> String { shown(text, breaksLines: false) }
  static func lines(_ text: String) -> String { shown(text, breaksLines: true) }

  /// Control characters and marks that reorder text become pictures of themselves; what is too long
  /// is cut.
  private static func shown(_ text: String, breaksLines: Bool) -> String {
    let isPlain = text.utf8.count <= longest && text.utf8.allSatisfy { 0x20...0x7E ~= $0 }
    if isPlain { return text }
    var out = ""
    for scalar in text.unicodeScalars.prefix(longest) {
      out.unicodeScalars.append(scalar == "\n" && breaksLines ? scalar : picture(of: scalar))
    }
    return text.unicodeScalars.count > longest ? out + "…" : out
  }

  /// The scalar, or what stands for it where it would command a terminal or reorder a line.
  static func picture(of scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x00...0x1F: Unicode.Scalar(0x2400 + scalar.value)!
    case 0x7F: "\u{2421}"
    case 0x80...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: "\u{FFFD}"
    default: scalar
    }
  }
}
