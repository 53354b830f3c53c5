import Diagnostics
import Testing

@Suite struct JSONTests {
  @Test func objectsKeepTheirOrderAndShortOnesTheirLine() {
    let value: JSONValue = [
      "z": 1, "a": [1, 2.5, nil, true], "text": "say \"hi\"\\\n\u{1}é", "empty": [], "none": [:],
      "inner": ["name": "x", "list": [["k": 1]]], "words": ["a", "b"],
    ]
    #expect(
      value.text == #"""
        {
          "z": 1,
          "a": [1, 2.5, null, true],
          "text": "say \"hi\"\\\n\u0001é",
          "empty": [],
          "none": {},
          "inner": {
            "name": "x",
            "list": [
              {"k": 1}
            ]
          },
          "words": [
            "a",
            "b"
          ]
        }
        """#)
    #expect(
      value.compactText == #"""
        {"z": 1, "a": [1, 2.5, null, true], "text": "say \"hi\"\\\n\u0001é", "empty": [], \#
        "none": {}, "inner": {"name": "x", "list": [{"k": 1}]}, "words": ["a", "b"]}
        """#)
  }

  @Test(arguments: [
    0.1, 1, 1 / 3.0, .leastNonzeroMagnitude, 1.7976931348623157e308, 1e22, 123456789.123456789,
    1.0.nextUp, -0.0,
  ])
  func numbersReadBackAsTheSameDouble(_ number: Double) {
    #expect(Double(JSONValue.double(number).text)?.bitPattern == number.bitPattern)
  }

  @Test func whatJSONCannotSayIsNull() {
    #expect(JSONValue.double(.infinity).text == "null")
    #expect(JSONValue.double(.nan).text == "null")
    #expect(JSONValue(nil as Double?).text == "null")
  }

  @Test func aDiagnosticHasTheKeysOfTheContract() {
    let file = SourceFile(path: "m.yaml", text: "é: 1\nb: two\n")
    let diagnostic = Diagnostic(
      .wrongType, "bad", at: file.span("two"), label: "here",
      labels: [.init(file.span("1"), "there")], notes: ["n"], help: nil)
    #expect(
      JSONRenderer.value([diagnostic]).compactText == #"""
        [{"code": "L0103", "name": "wrong-type", "severity": "error", "message": "bad", \#
        "file": "m.yaml", "line": 2, "column": 4, "end_line": 2, "end_column": 7, \#
        "labels": [{"message": "here", "file": "m.yaml", "line": 2, "column": 4, \#
        "end_line": 2, "end_column": 7}, {"message": "there", "file": "m.yaml", "line": 1, \#
        "column": 4, "end_line": 1, "end_column": 5}], "notes": ["n"], "help": null}]
        """#)
    let placeless = JSONRenderer.value(Diagnostic(.cannotRead, "gone", at: nil)).compactText
    #expect(placeless.contains(#""file": null, "line": null"#))
  }

  @Test func aNumberPrintedAlreadyIsTakenAsItIs() {
    #expect(JSONValue.object([(key: "upper", value: .decimal("1.10"))]).text == #"{"upper": 1.10}"#)
  }
}
