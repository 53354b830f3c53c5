import Testing

@testable import Diagnostics

@Suite struct SuggestionTests {
  private let kinds = [
    "dense", "conv", "conv_transpose", "relu", "relu6", "elu", "flatten", "group_sort", "spectral",
    "scale", "add", "sum", "abs",
  ]

  @Test(arguments: [
    ("desne", "dense"), ("Dense", "dense"), ("flaten", "flatten"), ("group-sort", "group_sort"),
    ("groupsort", "group_sort"), ("rleu", "relu"), ("spec", "spectral"), ("conv2", "conv"),
    ("relu7", "relu"), ("scal", "scale"),
  ])
  func aMisspelledWordFindsItsOriginal(_ word: String, _ expected: String) {
    #expect(Suggestion.closest(to: word, among: kinds) == expected)
  }

  @Test(arguments: ["attention", "x", "", "householder", "f", "lstm"])
  func anUnrelatedWordFindsNothing(_ word: String) {
    #expect(Suggestion.closest(to: word, among: kinds) == nil)
  }

  @Test func theDistanceCountsASwapOfNeighboursOnce() {
    func distance(_ a: String, _ b: String) -> Int {
      Suggestion.distance(Array(a.unicodeScalars), Array(b.unicodeScalars))
    }
    #expect(distance("", "abc") == 3)
    #expect(distance("abc", "") == 3)
    #expect(distance("abcd", "acbd") == 1)
    #expect(distance("kitten", "sitting") == 3)
    // Optimal string alignment: the swapped pair may not be edited again.
    #expect(distance("ca", "abc") == 3)
  }
}
