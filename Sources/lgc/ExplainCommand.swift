import ArgumentParser
import Diagnostics
import Glibc

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explains a diagnostic, a kind of layer, loss, …, or a key.",
    usage: """
      lgc explain CODE
      lgc explain NAME
      lgc explain FAMILY NAME
      lgc explain key PATH
      """,
    discussion: """
      lgc explain L0101 or lgc explain unknown-key: what the diagnostic means, an example that has \
      it, and one that is repaired. lgc explain dense: the arguments of a kind, with examples; \
      lgc explain constraint spectral where a name alone could mean several. lgc explain layers: \
      all kinds of a family (layers, constraints, losses, regularisers, optimizers, data). \
      lgc explain key train.epochs: a key of a description; lgc explain keys: those of its top \
      level. lgc explain codes: all diagnostics.

      Exit codes: 0 done; 64 there is nothing of this name.
      """)

  @Argument(help: ArgumentHelp("What to explain.", valueName: "word"))
  var words: [String]

  func validate() throws {
    guard (1...2).contains(words.count) else {
      throw ValidationError("explain takes one word, or a family and a name")
    }
  }

  func run() throws {
    guard let text = text else { throw ValidationError(unknown) }
    Console.write(text, to: STDOUT_FILENO)
  }

  private var text: String? {
    if words.count == 2 {
      return words[0] == "key"
        ? LanguageTexts.key(words[1]) : LanguageTexts.kind(words[1], family: words[0])
    }
    let word = words[0]
    switch word {
    case "codes":
      let rows = Explanation.all.map { explanation in
        [explanation.code.id, explanation.code.name, explanation.code.severity.rawValue]
      }
      return aligned(rows, rightAligned: []).joined(separator: "\n") + "\n"
    case "keys": return LanguageTexts.keys
    default:
      return Explanation.find(word)?.text ?? LanguageTexts.kind(word)
        ?? LanguageTexts.kinds(of: word) ?? LanguageTexts.key(word)
    }
  }

  private var unknown: String {
    let word = words.last!
    let near = words[0] == "key"
      ? LanguageTexts.near(key: word) : Suggestion.closest(to: word, among: LanguageTexts.words)
    return "there is no '\(words.joined(separator: " "))'"
      + (near.map { "; did you mean '\($0)'?" } ?? "; try lgc explain layers, codes or keys")
  }
}
