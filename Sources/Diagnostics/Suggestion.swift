/// Did-you-mean: the known word that a misspelled one most likely stands for.
public enum Suggestion {
  /// The candidate nearest to `word`, or nil where none is near enough to be worth naming.
  ///
  /// Near enough: a Damerau–Levenshtein distance (adjacent transpositions count one) of at most a
  /// third of the longer word, at least 1; letter case and `-` for `_` are not counted. Failing
  /// that, the one candidate that `word` (three letters or more) begins. The first of equals wins; of two
  /// letters there are no equals worth naming (`l3` is neither `l1` nor `l2`).
  public static func closest(
    to word: String, among candidates: some Sequence<String>
  ) -> String? {
    // Nobody misspells a word of this length, and the distance takes its square.
    guard word.utf8.count <= longest else { return nil }
    let folded = fold(word)
    var best: (candidate: String, distance: Int)?
    var hasEqual = false
    var completions: [String] = []
    for candidate in candidates.prefix(mostCandidates)
    where candidate != word && candidate.utf8.count <= longest {
      let other = fold(candidate)
      let limit = max(1, max(folded.count, other.count) / 3)
      if abs(folded.count - other.count) <= limit {
        let distance = distance(folded, other)
        // One-letter words are at distance 1 from each other: that is no resemblance.
        let resembles = distance <= limit && distance < max(folded.count, other.count)
        if resembles, distance < best?.distance ?? .max {
          best = (candidate, distance)
          hasEqual = false
        } else if distance == best?.distance {
          hasEqual = true
        }
      }
      if folded.count >= 3, other.starts(with: folded) { completions.append(candidate) }
    }
    if folded.count <= 2, hasEqual { return nil }
    return best?.candidate ?? (completions.count == 1 ? completions[0] : nil)
  }

  private static let longest = 100
  private static let mostCandidates = 1000

  private static func fold(_ word: String) -> [Unicode.Scalar] {
    word.lowercased().unicodeScalars.map { $0 == "-" ? "_" : $0 }
  }

  /// The least number of insertions, deletions, substitutions and swaps of neighbours between `a`
  /// and `b`, no part being edited twice (the optimal string alignment distance).
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    var row = last
    for i in 1...a.count {
      row[0] = i
      for j in 1...b.count {
        let substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        row[j] = min(last[j] + 1, row[j - 1] + 1, substitution)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          row[j] = min(row[j], beforeLast[j - 2] + 1)
        }
      }
      (beforeLast, last, row) = (last, row, beforeLast)
    }
    return last[b.count]
  }
}
