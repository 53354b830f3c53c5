import Diagnostics
import Model
import Rounding
import Testing
import YAML

/// Decodes one YAML value as `Value`.
private func decoded<Value: ArgumentValue>(
  _ text: String, as type: Value.Type, in range: ArgumentRange? = nil
) throws -> (value: Value?, diagnostics: [Diagnostic]) {
  let (root, problems) = parse(SourceFile(path: "v", text: "v: \(text)"))
  #expect(problems.isEmpty)
  var diagnostics: [Diagnostic] = []
  let value = Value.decode(try #require(root?["v"]), range: range, into: &diagnostics)
  #expect((value == nil) == !diagnostics.isEmpty)
  return (value, diagnostics)
}

@Suite struct ArgumentTests {
  @Test func wholeNumbersAreTakenAndEverythingElseIsNamed() throws {
    #expect(try decoded("12", as: Int.self).value == 12)
    #expect(try decoded("-3", as: Int.self).value == -3)
    let cases: [(String, DiagnosticCode, String?)] = [
      ("1.5", .wrongType, nil), ("1e3", .wrongType, "write `1000`"),
      ("abc", .wrongType, nil), ("true", .wrongType, nil), ("[1]", .wrongType, nil),
      ("{a: 1}", .wrongType, nil), ("~", .wrongType, nil),
      ("99999999999999999999", .outOfRange, nil),
    ]
    for (text, code, help) in cases {
      let diagnostic = try decoded(text, as: Int.self).diagnostics[0]
      #expect(diagnostic.code == code, "\(text)")
      #expect(diagnostic.help == help, "\(text)")
      #expect(diagnostic.span?.text == text)
    }
    let below = try decoded("0", as: Int.self, in: .atLeastOne).diagnostics[0]
    #expect(below.code == .outOfRange)
    #expect(below.message == "expected a whole number ≥ 1, found the number 0")
  }

  @Test func numbersAreFiniteAndMayBeFractions() throws {
    #expect(try decoded("1e-3", as: Double.self).value == 1e-3)
    #expect(try decoded("36/255", as: Double.self).value == 36.0 / 255.0)
    #expect(try decoded("7", as: Double.self).value == 7)
    for text in [".nan", ".inf", "-.inf", "1e999"] {
      let diagnostic = try decoded(text, as: Double.self).diagnostics[0]
      #expect(diagnostic.code == .outOfRange, "\(text)")
    }
    #expect(try decoded("1/0", as: Double.self).diagnostics[0].code == .wrongType)
    #expect(try decoded("\"1\"", as: Double.self).diagnostics[0].help == "write `1` without quotes")
    let unit = try decoded("1", as: Double.self, in: .unitBelowOne).diagnostics[0]
    #expect(unit.message == "expected a number ≥ 0 and < 1, found the number 1")
  }

  @Test func noIsNotABoolean() throws {
    #expect(try decoded("true", as: Bool.self).value == true)
    let diagnostic = try decoded("no", as: Bool.self).diagnostics[0]
    #expect(diagnostic.code == .wrongType)
    #expect(diagnostic.help == "write `false`")
  }

  @Test func listsReportEveryWrongElement() throws {
    #expect(try decoded("[1, 2]", as: [Int].self).value == [1, 2])
    let wrong = try decoded("[a, 2, 0.5]", as: [Int].self).diagnostics
    #expect(wrong.compactMap { $0.span?.text } == ["a", "0.5"])
    #expect(try decoded("3", as: OneOrMany<Int>.self).value?.values == [3])
    #expect(try decoded("[3, 5]", as: OneOrMany<Int>.self).value?.values == [3, 5])
    #expect(try decoded("{}", as: OneOrMany<Int>.self).value == nil)
  }

  @Test func wordsHaveDidYouMean() throws {
    #expect(try decoded("linf", as: Norm.self).value == .linf)
    let diagnostic = try decoded("lnf", as: Norm.self).diagnostics[0]
    #expect(diagnostic.message == "expected one of `l1`, `l2`, `linf`, found the string `lnf`")
    #expect(diagnostic.help == "did you mean `linf`?")
  }

  @Test(arguments: ["plain", "no quotes needed", "true", "1", "", "a\nb\t\"c\"\\", "ü: {x}", "~"])
  func writtenStringsReadBack(_ text: String) throws {
    #expect(try decoded(text.yamlText, as: String.self).value == text)
  }

  @Test(arguments: [0, 1, -2.5, 1e-300, 1.7976931348623157e308, 5e-324, 0.1, 1e21])
  func writtenNumbersReadBack(_ number: Double) throws {
    #expect(try decoded(number.yamlText, as: Double.self).value == number)
  }

  @Test func everythingWrongWithAUnitIsReportedAtOnce() throws {
    let text = "{unit: 3, bias: no, x-note: 1}"
    let root = try #require(parse(SourceFile(path: "v", text: text)).root)
    var diagnostics: [Diagnostic] = []
    let arguments = decode(
      unit: TestDense.self, node: root, named: root.span, into: &diagnostics)
    #expect(arguments == nil)
    #expect(found(diagnostics) == ["L0101 «unit»", "L0103 «no»"])
    #expect(diagnostics[0].help == "did you mean `units`?")
    #expect(diagnostics[0].notes == ["allowed keys: `units`, `bias`"])
  }
}
