import Testing

@testable import Formats

struct LineChartTests {
  @Test func linearMarksAreRoundNumbersThatCoverTheRange() {
    let ticks = AxisTicks.linear(0.13...0.98, count: 5)
    #expect(ticks.marks.map(\.label) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(ticks.range.lowerBound <= 0.13 && ticks.range.upperBound >= 0.98)
    #expect(AxisTicks.linear(-3...7, count: 5).marks.map(\.label) == ["−4", "−2", "0", "2", "4", "6", "8"])
    #expect(AxisTicks.linear(0.7...1, count: 3, isPercent: true).marks.map(\.label)
      == ["70 %", "80 %", "90 %", "100 %"])
    // A constant has an axis too.
    let constant = AxisTicks.linear(5...5, count: 5)
    #expect(constant.range.contains(5) && constant.marks.count >= 3)
    let zero = AxisTicks.linear(0...0, count: 5)
    #expect(zero.range.contains(0) && zero.marks.count >= 3)
  }

  @Test func logarithmicMarksAreDecadesOrTheirParts() {
    #expect(AxisTicks.logarithmic(0.01...1000).marks.map(\.label)
      == ["0.01", "0.1", "1", "10", "100", "1000"])
    let narrow = AxisTicks.logarithmic(0.5...9).marks.map(\.label)
    #expect(narrow == ["0.5", "1", "2", "5"])
    #expect(AxisTicks.logarithmic(1e-9...1e20).marks.count <= 9)
    #expect(AxisTicks.logarithmic(3...3).marks.contains { $0.value == 3 })
  }

  @Test func numbersReadWell() {
    #expect(AxisTicks.plain(-0.0, digits: 1) == "0.0")
    #expect(AxisTicks.plain(1_234_567, digits: 0) == "1\u{202F}234\u{202F}567")
    #expect(AxisTicks.plain(-12.5, digits: 2) == "−12.50")
    #expect(AxisTicks.short(2e-7) == "2e−7")
    #expect(AxisTicks.short(1500) == "1500")
    #expect(AxisTicks.short(0.12345) == "0.123")
  }

  /// The path of the first curve.
  private func path(_ chart: LineChart) -> Substring? {
    let text = chart.svg.string
    guard let start = text.firstRange(of: "class=\"curve c0\" d=\"") else { return nil }
    return text[start.upperBound...].prefix { $0 != "\"" }
  }

  @Test func whatIsNoNumberInterruptsTheLine() {
    let chart = LineChart(
      "t", x: "step", [.init("a", [(0, 1), (1, 2), (2, .nan), (3, 1), (4, 2)])])
    #expect(path(chart)?.filter { $0 == "M" }.count == 2)
    #expect(path(chart)?.filter { $0 == "L" }.count == 2)
    let logarithmic = LineChart(
      "t", x: "step", y: .logarithmic, [.init("a", [(0, 1), (1, 0), (2, -1), (3, 1)])])
    #expect(path(logarithmic)?.filter { $0 == "M" }.count == 2)
  }

  @Test func stepsHoldTheValueUntilTheNextPoint() {
    let chart = LineChart("t", x: "step", [.init("a", [(0, 0), (1, 1)], line: .steps)])
    #expect(path(chart)?.contains("H") == true && path(chart)?.contains("V") == true)
  }

  @Test func aChartOfNothingIsStillAChart() {
    for scale in [LineChart.Scale.linear, .logarithmic, .percent] {
      let text = LineChart("t", x: "step", y: scale, [.init("a", [])]).svg.string
      #expect(text.hasPrefix("<svg") && text.hasSuffix("</svg>"))
      #expect(!text.contains("nan") && !text.contains("inf"))
    }
  }

  @Test func manyCurvesKeepColoursForThoseThatEndHighest() {
    let series = (0..<20).map { LineChart.Series("layer\($0)", [(0, 1), (1, Double($0))]) }
    let text = LineChart("t", x: "step", series).svg.string
    #expect(text.contains(">layer19</text>") && !text.contains(">layer3</text>"))
    #expect(text.contains("13 others"))
  }

  @Test func base64IsThatOfTheStandard() {
    // RFC 4648, §10.
    let cases = [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]
    for (text, code) in cases { #expect(Base64.encode(Array(text.utf8)) == code) }
    #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+")
  }
}
