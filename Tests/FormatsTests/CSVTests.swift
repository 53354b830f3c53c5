import Testing

@testable import Formats

@Suite struct CSVTests {
  private func rows(_ text: String, delimiter: Character = ",") throws -> [[String]] {
    var reader = CSVReader(Array(text.utf8), delimiter: delimiter.asciiValue!)
    var fields: [CSVReader.Field] = []
    var rows: [[String]] = []
    while try reader.next(&fields) { rows.append(fields.map { reader.text($0) }) }
    return rows
  }

  /// The cases of RFC 4180, section 2, and those that it leaves open.
  @Test(arguments: [
    ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
    ("a,b\r\nc,d", [["a", "b"], ["c", "d"]]),
    ("a\rb\r", [["a"], ["b"]]),
    ("\u{FEFF}a,b\n", [["a", "b"]]),
    ("\n\na,\n\n,b\n\n", [["a", ""], ["", "b"]]),
    ("\"a,\nb\",\"c\"\"d\"\n\"\",x", [["a,\nb", "c\"d"], ["", "x"]]),
    ("\"\"\"\"\n", [["\""]]), (" a , b \n", [[" a ", " b "]]), ("", []), ("ä,ö\n", [["ä", "ö"]]),
  ])
  func recordsAreThoseOfTheStandard(_ text: String, _ expected: [[String]]) throws {
    #expect(try rows(text) == expected)
  }

  @Test func anyCharacterDelimits() throws {
    #expect(try rows("a;b,c\n", delimiter: ";") == [["a", "b,c"]])
    #expect(try rows("1\t\"2\t3\"\n", delimiter: "\t") == [["1", "2\t3"]])
  }

  @Test(arguments: [
    ("a,\"b\n", 2, "does not end"), ("a\"b\n", 1, "inside a field"),
    ("x\n\"a\"b\n", 5, "after its closing quote"),
  ])
  func brokenQuotesAreFoundAtTheirPlace(_ text: String, _ place: Int, _ message: String) {
    let error = #expect(throws: CSVReader.Problem.self) { try rows(text) }
    #expect(error?.range.lowerBound == place)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test func numbersAreRoundedAsTheStandardLibraryDoes() throws {
    var random = SystemRandomNumberGenerator()
    var texts = [
      "0", "-0", "1.5", ".5", "5.", "007", "123456789012345", "1234567890123456789", "1e-300",
      "0.1", "-3.25e2", "inf", "nan", "999999999999999.9", "0.000000000000001",
    ]
    for _ in 0..<2000 {
      let digits = Int.random(in: 0..<1_000_000_000_000_000, using: &random)
      let text = String(digits)
      let cut = text.index(text.startIndex, offsetBy: Int.random(in: 0...text.count, using: &random))
      texts.append("-" + text[..<cut] + "." + text[cut...] + (cut == text.endIndex ? "0" : ""))
    }
    for text in texts {
      var reader = CSVReader(Array(" \(text)\t".utf8))
      var fields: [CSVReader.Field] = []
      try #require(try reader.next(&fields))
      // Swift's own parser wants a digit on both sides of a point.
      let padded = text.replacing("-.", with: "-0.")
      let plain = padded.hasPrefix(".") ? "0\(padded)" : padded.hasSuffix(".") ? "\(padded)0" : padded
      let expected = try #require(Double(plain))
      let found = try #require(reader.number(fields[0]), "\(text)")
      #expect(found.isNaN ? expected.isNaN : found == expected, "\(text)")
    }
    for text in ["", " ", "-", ".", "1.2.3", "1,5x", "0x", "--1", "1 2", "a"] {
      let reader = CSVReader(Array(text.utf8))
      #expect(
        reader.number(.init(range: 0..<text.utf8.count, isEscaped: false)) == nil, "'\(text)'")
    }
  }
}
