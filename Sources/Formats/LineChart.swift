import Glibc

/// Curves over one axis, as SVG to stand inside a page.
///
/// Colours and type come from style classes (`LineChart.style`), so that the page decides between
/// light and dark; what belongs to one curve has the class `c0` to `c7`.
public struct LineChart: Sendable {
  public struct Series: Sendable {
    public enum Line: Sendable {
      case straight
      /// The value holds until the next point.
      case steps
      /// Points without a line.
      case none
    }
    public var name: String
    /// In order of x. What is not finite is left out and interrupts the line.
    public var points: [(x: Double, y: Double)]
    public var line: Line
    public var isDashed: Bool
    /// A last value of another nature, drawn as a diamond at the right edge.
    public var end: Double?
    public init(
      _ name: String, _ points: [(x: Double, y: Double)], line: Line = .straight,
      isDashed: Bool = false, end: Double? = nil
    ) {
      self.end = end
      self.name = name
      self.points = points
      self.line = line
      self.isDashed = isDashed
    }
  }
  /// A horizontal line across the plot, with a word at its right end.
  public struct Rule: Sendable {
    public var y: Double
    public var label: String
    public init(_ y: Double, _ label: String) {
      self.y = y
      self.label = label
    }
  }
  public enum Scale: Sendable {
    case linear
    /// Only for positive numbers; others are left out.
    case logarithmic
    /// Shares shown as percentages.
    case percent
  }

  public var title: String
  public var xLabel: String
  public var y: Scale
  public var series: [Series]
  public var rules: [Rule]
  /// Whether the y axis begins at zero where all values are positive.
  public var startsAtZero: Bool
  /// Whether single points are marked where there are few.
  public var hasMarks = true
  public var width = 520.0
  public var height = 280.0

  public init(
    _ title: String, x: String, y: Scale = .linear, startsAtZero: Bool = false,
    _ series: [Series], rules: [Rule] = []
  ) {
    self.title = title
    xLabel = x
    self.y = y
    self.startsAtZero = startsAtZero
    self.series = series
    self.rules = rules
  }

  /// More curves than this are drawn in one muted colour, but for those that end highest.
  static let colours = 8

  /// What the classes look like; the page defines the colours.
  public static let style = """
    .chart { width: 100%; height: auto; display: block; font: 12px/1 var(--sans); }
    .chart text { fill: var(--muted); font-variant-numeric: tabular-nums; }
    .chart .title { fill: var(--ink); font-size: 13.5px; font-weight: 600; }
    .chart .grid { stroke: var(--grid); stroke-width: 1; }
    .chart .axis { stroke: var(--axis); stroke-width: 1; }
    .chart .rule { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 3; opacity: .65; }
    .chart .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
    .chart .dashed { stroke-dasharray: 5 4; }
    .chart .rest { stroke: var(--axis); stroke-width: 1.2; }
    .chart .end { stroke: var(--card); stroke-width: 1.5; }
    .chart .legend { fill: var(--ink); }
    \((0..<colours).map { index in
      ".chart .c\(index) { stroke: var(--c\(index)); } .chart .d\(index) { fill: var(--c\(index)); }"
    }.joined(separator: "\n"))

    """

  private static let left = 58.0
  private static let right = 14.0
  private static let bottom = 42.0
  private static let legendLine = 18.0

  public var svg: Markup {
    let shown = series.map { one in one.points.filter { isDrawable($0) } }
    let legend = legendRows()
    let top = 30 + Double(legend.count) * Self.legendLine + (legend.isEmpty ? 4 : 8)
    let height = self.height + Double(max(0, legend.count - 1)) * Self.legendLine
    let plot = Plot(
      x: xTicks(shown), y: yTicks(shown), isLogarithmic: isLogarithmic, left: Self.left,
      right: width - Self.right, top: top, bottom: height - Self.bottom)
    var out: [Markup] = [
      .element("text", [("class", "title"), ("x", "0"), ("y", "14")], text: title)
    ]
    out += axes(plot, height: height)
    out += rules.map { draw($0, plot) }.flatMap(\.self)
    for index in series.indices.reversed() { out += draw(index, shown[index], plot) }
    for (row, entries) in legend.enumerated() {
      let y = 36 + Double(row) * Self.legendLine
      for entry in entries { out += draw(entry, y: y) }
    }
    return .element(
      "svg",
      [
        ("class", "chart"), ("viewBox", "0 0 \(number(width)) \(number(height))"),
        ("role", "img"), ("aria-label", title),
      ], out)
  }

  private var isLogarithmic: Bool { if case .logarithmic = y { true } else { false } }

  private func isDrawable(_ point: (x: Double, y: Double)) -> Bool {
    point.x.isFinite && point.y.isFinite && point.y.magnitude < 1e300
      && (!isLogarithmic || point.y > 0)
  }

  // MARK: axes

  private func xTicks(_ shown: [[(x: Double, y: Double)]]) -> AxisTicks {
    let values = shown.flatMap { $0.map(\.x) }
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    return .linear(low...high, count: 6, isRounded: false)
  }

  private func yTicks(_ shown: [[(x: Double, y: Double)]]) -> AxisTicks {
    var values = shown.flatMap { $0.map(\.y) }
    values += (rules.map(\.y) + series.compactMap(\.end)).filter { isDrawable((x: 0, y: $0)) }
    let (low, high) = (values.min() ?? (isLogarithmic ? 0.1 : 0), values.max() ?? 1)
    switch y {
    case .logarithmic: return .logarithmic(low...high)
    case .linear:
      return .linear((startsAtZero && low > 0 ? 0 : low)...high, count: 5)
    case .percent:
      return .linear((startsAtZero && low > 0 ? 0 : low)...high, count: 5, isPercent: true)
    }
  }

  private func axes(_ plot: Plot, height: Double) -> [Markup] {
    var out: [Markup] = []
    for mark in plot.y.marks {
      let y = plot.y(mark.value)
      out.append(line("grid", plot.left, y, plot.right, y))
      out.append(label(mark.label, plot.left - 8, y + 4, anchor: "end"))
    }
    out.append(line("axis", plot.left, plot.bottom, plot.right, plot.bottom))
    for mark in plot.x.marks {
      let x = plot.x(mark.value)
      out.append(line("axis", x, plot.bottom, x, plot.bottom + 4))
      // The last label must not run over the edge.
      let isLast = x > plot.right - 14 && mark.label.count > 3
      out.append(label(mark.label, x + (isLast ? 12 : 0), plot.bottom + 18,
        anchor: isLast ? "end" : "middle"))
    }
    out.append(label(xLabel, (plot.left + plot.right) / 2, height - 6, anchor: "middle"))
    return out
  }

  private func draw(_ rule: Rule, _ plot: Plot) -> [Markup] {
    guard isDrawable((x: 0, y: rule.y)) else { return [] }
    let y = plot.y(rule.y)
    let isAtTop = y < plot.top + 14
    return [
      line("rule", plot.left, y, plot.right, y),
      label(rule.label, plot.right - 2, isAtTop ? y + 14 : y - 5, anchor: "end"),
    ]
  }

  // MARK: curves

  private func draw(
    _ index: Int, _ shown: [(x: Double, y: Double)], _ plot: Plot
  ) -> [Markup] {
    let one = series[index]
    let colour = colour(of: index)
    var out: [Markup] = []
    var path = ""
    var isJoined = false
    for point in one.points {
      guard isDrawable(point) else {
        isJoined = false
        continue
      }
      let (x, y) = (plot.x(point.x), plot.y(point.y))
      if isJoined, case .steps = one.line {
        path += "H\(number(x))V\(number(y))"
      } else {
        path += "\(isJoined ? "L" : "M")\(number(x)) \(number(y))"
      }
      isJoined = true
    }
    if case .none = one.line {} else if !path.isEmpty {
      let classes = ["curve", colour.map { "c\($0)" } ?? "rest"] + (one.isDashed ? ["dashed"] : [])
      out.append(
        .element(
          "path", [("class", classes.joined(separator: " ")), ("d", path)],
          [.element("title", text: one.name)]))
    }
    // Few points are seen, each with its numbers; many would be a band.
    var isMarked = hasMarks && shown.count <= 40
    if case .none = one.line { isMarked = true }
    if isMarked, let colour {
      for point in shown {
        out.append(
          .element(
            "circle",
            [
              ("class", "d\(colour)"), ("cx", number(plot.x(point.x))),
              ("cy", number(plot.y(point.y))), ("r", shown.count <= 25 ? "2.6" : "2"),
            ],
            [
              .element(
                "title",
                text: "\(one.name): \(AxisTicks.short(point.y)) at \(xLabel) "
                  + AxisTicks.short(point.x))
            ]))
      }
    }
    if let end = one.end, isDrawable((x: 0, y: end)), let colour {
      let (x, y) = (plot.right, plot.y(end))
      let corners = [(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)]
      out.append(
        .element(
          "path",
          [
            ("class", "end d\(colour)"),
            ("d", "M" + corners.map { "\(number($0.0)) \(number($0.1))" }
              .joined(separator: "L") + "Z"),
          ], [.element("title", text: "\(one.name): \(AxisTicks.short(end))")]))
    }
    return out
  }

  /// nil: muted.
  private func colour(of index: Int) -> Int? {
    if series.count <= Self.colours { return index }
    let order = series.indices.sorted { last(series[$0]) > last(series[$1]) }
    return order.prefix(Self.colours - 1).sorted().firstIndex(of: index)
  }

  private func last(_ series: Series) -> Double {
    series.points.last { isDrawable($0) }?.y ?? -.infinity
  }

  // MARK: legend

  private struct Entry {
    var name: String
    /// nil: muted.
    var colour: Int?
    var isDashed = false
    var isDotted = false
    var x = 0.0
  }

  /// What stands above the plot; nothing where the title says it all.
  private func legendRows() -> [[Entry]] {
    guard series.count > 1 else { return [] }
    var entries = series.indices.compactMap { index in
      colour(of: index).map { colour -> Entry in
        var entry = Entry(name: series[index].name, colour: colour, isDashed: series[index].isDashed)
        if case .none = series[index].line { entry.isDotted = true }
        return entry
      }
    }
    if entries.count < series.count {
      entries.append(Entry(name: "\(series.count - entries.count) others", colour: nil))
    }
    var rows: [[Entry]] = [[]]
    var x = 0.0
    for var entry in entries {
      let size = 30 + 6.6 * Double(entry.name.count)
      if x + size > width && x > 0 {
        rows.append([])
        x = 0
      }
      entry.x = x
      rows[rows.count - 1].append(entry)
      x += size + 12
    }
    return rows
  }

  private func draw(_ entry: Entry, y: Double) -> [Markup] {
    let classes = ["curve", entry.colour.map { "c\($0)" } ?? "rest"]
      + (entry.isDashed ? ["dashed"] : [])
    let mark: Markup = entry.isDotted
      ? .empty(
        "circle",
        [
          ("class", entry.colour.map { "d\($0)" } ?? "rest"), ("cx", number(entry.x + 10)),
          ("cy", number(y - 4)), ("r", "3"),
        ])
      : line(classes.joined(separator: " "), entry.x + 1, y - 4, entry.x + 19, y - 4)
    return [
      mark,
      .element(
        "text", [("class", "legend"), ("x", number(entry.x + 25)), ("y", number(y))],
        text: entry.name),
    ]
  }

  // MARK: elements

  private func line(
    _ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double
  ) -> Markup {
    .empty(
      "line",
      [
        ("class", style), ("x1", number(x1)), ("y1", number(y1)), ("x2", number(x2)),
        ("y2", number(y2)),
      ])
  }

  private func label(_ text: String, _ x: Double, _ y: Double, anchor: String) -> Markup {
    .element(
      "text", [("x", number(x)), ("y", number(y)), ("text-anchor", anchor)], text: text)
  }

  /// A coordinate with at most one decimal.
  private func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0
      ? String(tenths / 10) : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}

/// From numbers to places.
private struct Plot {
  let x: AxisTicks
  let y: AxisTicks
  let isLogarithmic: Bool
  let left, right, top, bottom: Double

  func x(_ value: Double) -> Double {
    let range = x.range
    return left
      + (value - range.lowerBound) / (range.upperBound - range.lowerBound) * (right - left)
  }

  func y(_ value: Double) -> Double {
    let range = y.range
    let share = isLogarithmic
      ? log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
      : (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    return bottom - share * (bottom - top)
  }
}
