import Diagnostics
import Testing

@testable import YAML

@Suite struct ScalarTests {
  @Test(arguments: [
    ("0", 0), ("-3", -3), ("+3", 3), ("007", 7), ("0o17", 15), ("0xFf", 255),
    ("9223372036854775807", .max),
  ])
  func wholeNumbersAreRead(_ text: String, _ value: Int) {
    #expect(Scalar(text).int == value)
    #expect(Scalar(text).double == Double(value))
  }

  @Test(arguments: [
    ("1e-3", 1e-3), (".5", 0.5), ("5.", 5), ("-1.25E+2", -125), ("+3", 3),
    ("36/255", 36.0 / 255.0), ("1 / 3", 1.0 / 3.0), ("-1/2", -0.5), ("1e999", .infinity),
    (".inf", .infinity), ("-.Inf", -.infinity), ("+.INF", .infinity),
    ("99999999999999999999", 1e20),
  ])
  func numbersAreRead(_ text: String, _ value: Double) {
    #expect(Scalar(text).double == value)
    #expect(Scalar(text).string == nil)
  }

  @Test func notANumberIsRecognised() {
    #expect(Scalar(".nan").double?.isNaN == true)
    #expect(Scalar(".NaN").string == nil)
  }

  @Test(arguments: [
    "1_000", "1:30", "inf", "nan", "1e", "e3", ".", "+", "-", "--1", "1.2.3", "0x", "0x-1", "0o8",
    "0b1", "1/0", "1/", "/2", "1/2/3", "0x1p3", "1,5", "no", "yes", "on", "off", "y", "TRue", "１",
    "infinity", ".e3", "1 2", "<<", "0x1/2",
  ])
  func everythingElseIsAString(_ text: String) {
    #expect(Scalar(text).int == nil)
    #expect(Scalar(text).double == nil)
    #expect(Scalar(text).bool == nil)
    #expect(Scalar(text).string == text)
  }

  @Test(arguments: ["3", "true", "null", "", "1e-3"])
  func quotesMakeAString(_ text: String) {
    let scalar = Scalar(text, isQuoted: true)
    #expect(scalar.string == text)
    #expect(scalar.int == nil && scalar.double == nil && scalar.bool == nil && !scalar.isNull)
  }

  @Test func booleansAreTheSixOfTheCoreSchema() {
    for text in ["true", "True", "TRUE"] { #expect(Scalar(text).bool == true) }
    for text in ["false", "False", "FALSE"] { #expect(Scalar(text).bool == false) }
  }

  @Test(arguments: ["", "~", "null", "Null", "NULL"])
  func nullIsNothing(_ text: String) {
    #expect(Scalar(text).isNull)
    #expect(Scalar(text).string == nil)
  }

  @Test(arguments: [
    ("no", "write `false`"), ("On", "write `true`"), ("0", "write `false`"), ("maybe", nil),
  ] as [(String, String?)])
  func aBooleanInOtherWordsIsExplained(_ text: String, _ help: String?) throws {
    #expect(try node(text).booleanHelp == help)
  }

  @Test(arguments: [
    ("1_000", "write `1000`"), ("0,5", "write `0.5`"), ("50%", "write `0.5`"),
    ("'3'", "write `3` without quotes"), ("1/0", "the divisor of a fraction is not 0"),
    ("3/x", "write a fraction as `36/255`"), ("many", nil), ("3", nil),
  ] as [(String, String?)])
  func aNumberInOtherWordsIsExplained(_ text: String, _ help: String?) throws {
    #expect(try node(text).numberHelp == help)
  }

  @Test func aWholeNumberWrittenAsARealIsExplained() throws {
    #expect(try node("1e3").wholeNumberHelp == "write `1000`")
    #expect(try node("2.5").wholeNumberHelp == nil)
  }

  @Test(arguments: [
    ("[1]", "a list"), ("{a: 1}", "a mapping"), ("x", "the string `x`"), ("3", "the number 3"),
    ("true", "the boolean true"), ("~", "nothing"), ("'3'", "the string `3`"),
    (".nan", "the number .nan"),
  ])
  func whatStandsThereIsNamed(_ text: String, _ description: String) throws {
    #expect(try node(text).kindDescription == description)
  }

  /// The value of `k: TEXT`.
  private func node(_ text: String) throws -> Node {
    try #require(parse(SourceFile(path: "t", text: "k: \(text)\n")).root?["k"])
  }
}
