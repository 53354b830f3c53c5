import Diagnostics
import YAML

// The small vocabulary of the messages about keys and kinds.

/// `` `sum` or `convex` ``, `` one of `l1`, `l2`, `linf` ``
func oneOf(_ words: [String]) -> String {
  let quoted = words.map { "`\($0)`" }
  return quoted.count <= 2
    ? quoted.joined(separator: " or ") : "one of " + quoted.joined(separator: ", ")
}

/// More words than this are only counted.
private let longestList = 30

/// `` `fc1`, `fc2` and `fc3` ``
func listed(_ words: [String]) -> String {
  if words.count > longestList {
    let shown = words.prefix(longestList).map { "`\($0)`" }.joined(separator: ", ")
    return "\(shown) and \(words.count - longestList) more"
  }
  let quoted = words.map { "`\($0)`" }
  guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
  return quoted.dropLast().joined(separator: ", ") + " and " + last
}

/// `` did you mean `units`? ``, or nil where no word is near.
public func didYouMean(_ word: String, among words: [String]) -> String? {
  meant(by: word, among: words).map { "did you mean `\($0)`?" }
}

/// The one of `words` that `word` is misspelled from, or is called elsewhere; nil: none.
func meant(by word: String, among words: [String]) -> String? {
  if let other = OtherNames.meaning(of: word, among: words) { return other }
  return Suggestion.closest(to: word, among: words)
}

extension String {
  /// Whether a layer may have this name: letters, digits, `_`, `-`, and inner dots, so that names
  /// of other programs' layers (`features.0`) fit. Names go into file formats and paths.
  var isLayerName: Bool {
    !isEmpty && utf8.count <= 200
      && split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { $0.isNameByte && $0 != UInt8(ascii: ".") }
      }
  }

  /// A free key, which lgc never reads.
  var isFreeKey: Bool { hasPrefix("x-") }
}

extension UInt8 {
  var isASCIILetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
  }
  /// Letters, digits, `_`, `-` and `.`
  var isNameByte: Bool {
    isASCIILetter || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || self == UInt8(ascii: "_") || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
  }
}

extension Node {
  /// A whole number in decimal that does not fit 64 bits.
  var isLongWholeNumber: Bool {
    guard let scalar, scalar.double != nil, scalar.int == nil else { return false }
    return scalar.text.utf8.dropFirst().allSatisfy {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
  }
}
