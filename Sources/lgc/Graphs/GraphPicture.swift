import Formats

/// The network as SVG: layers below each other, branches side by side, what skips layers drawn round
/// them on the left.
///
/// A layer stands one row below the lowest layer it reads, in the column of the first; a branch that
/// starts where another went on has the next free column.
struct GraphPicture {
  private let graph: DrawnGraph
  private var rows: [Int] = []
  private var columns: [Int] = []
  /// What goes round other layers: from, to, and the lane it has there.
  private var skips: [(from: Int?, to: Int, lane: Int)] = []

  private static let box = (width: 300.0, height: 46.0)
  private static let gap = (x: 40.0, y: 22.0)
  private static let lane = 16.0
  private static let top = 64.0

  init(_ graph: DrawnGraph) {
    self.graph = graph
    place()
    route()
  }

  // MARK: layout

  private mutating func place() {
    for node in graph.nodes {
      let row = 1 + (node.inputs.map { $0.map { rows[$0] } ?? 0 }.max() ?? 0)
      var column = node.inputs.map { $0.map { columns[$0] } ?? 0 }.min() ?? 0
      // Another layer stands there already, or between the first layer it reads and here.
      let source = node.inputs.first.flatMap { $0 }.map { rows[$0] } ?? 0
      let isMerge = node.inputs.count > 1
      while rows.indices.contains(where: {
        columns[$0] == column && (isMerge ? rows[$0] == row : rows[$0] > source && rows[$0] <= row)
      }) {
        column += 1
      }
      rows.append(row)
      columns.append(column)
    }
  }

  /// Straight where nothing stands between; else in a lane, longer ones further out.
  private mutating func route() {
    var long: [(from: Int?, to: Int)] = []
    for (number, node) in graph.nodes.enumerated() {
      for source in node.inputs where isBlocked(source, number) { long.append((source, number)) }
    }
    long.sort { span($0).count < span($1).count }
    var lanes: [[Range<Int>]] = []
    for edge in long {
      let range = span(edge)
      let free = lanes.firstIndex { $0.allSatisfy { !$0.overlaps(range) } } ?? lanes.count
      if free == lanes.count { lanes.append([]) }
      lanes[free].append(range)
      skips.append((edge.from, edge.to, free))
    }
  }

  private func span(_ edge: (from: Int?, to: Int)) -> Range<Int> {
    (edge.from.map { rows[$0] } ?? 0)..<rows[edge.to]
  }

  /// Whether a layer stands in the target's column between the two.
  private func isBlocked(_ source: Int?, _ target: Int) -> Bool {
    let first = source.map { rows[$0] } ?? 0
    return rows.indices.contains {
      rows[$0] > first && rows[$0] < rows[target]
        && columns[$0] == min(columns[target], source.map { columns[$0] } ?? 0)
    } && (source.map { columns[$0] } ?? 0) == columns[target]
  }

  // MARK: drawing

  private var left: Double {
    let lanes = skips.map(\.lane).max().map { $0 + 1 } ?? 0
    return 24 + (lanes > 0 ? Double(lanes) * Self.lane + 12 : 0)
  }

  private func x(_ value: Int?) -> Double {
    left + Double(value.map { columns[$0] } ?? 0) * (Self.box.width + Self.gap.x)
  }

  private func y(_ value: Int?) -> Double {
    Self.top + Double(value.map { rows[$0] } ?? 0) * (Self.box.height + Self.gap.y)
  }

  private var bottom: Double {
    Self.top + Double((rows.max() ?? 0) + 1) * (Self.box.height + Self.gap.y)
  }

  var svg: String {
    let width = max(
      left + Double((columns.max() ?? 0) + 1) * (Self.box.width + Self.gap.x) - Self.gap.x + 24,
      48 + 8.5 * Double(graph.title.count))
    let height = bottom + 44
    var parts: [Markup] = [
      .element("style", [], [Markup(trusted: Self.style)]),
      .empty(
        "rect", [("class", "page"), ("width", number(width)), ("height", number(height))]),
      text("title", graph.title, 24, 30),
      text("quiet", "Lipschitz bounds in \(graph.norm)", 24, 48),
    ]
    for (number, node) in graph.nodes.enumerated() {
      for source in node.inputs where !isBlocked(source, number) {
        parts.append(edge(source, number))
      }
    }
    parts += skips.map(skip)
    let end = Double(Self.box.height + Self.gap.y)
    let last = x(graph.output) + Self.box.width / 2
    parts.append(
      line(last, y(graph.output) + Self.box.height, last, max(bottom, y(graph.output) + end)))
    parts += terminal("input", graph.input, y: y(nil))
    for number in graph.nodes.indices { parts += box(number) }
    parts.append(
      text(
        "total", "network: \(graph.total)", last, max(bottom, y(graph.output) + end) + 20,
        anchor: "middle"))
    return Markup.element(
      "svg",
      [
        ("xmlns", "http://www.w3.org/2000/svg"), ("width", number(width)),
        ("height", number(height)), ("viewBox", "0 0 \(number(width)) \(number(height))"),
      ], parts).string + "\n"
  }

  private func terminal(_ name: String, _ shape: String, y: Double) -> [Markup] {
    let middle = y + Self.box.height / 2 + 4
    return [
      .empty(
        "rect",
        [
          ("class", "terminal"), ("x", number(left)), ("y", number(y)),
          ("width", number(Self.box.width)), ("height", number(Self.box.height)),
          ("rx", number(Self.box.height / 2)),
        ]),
      text("name", name, left + 22, middle),
      text("quiet", shape, left + Self.box.width - 22, middle, anchor: "end"),
    ]
  }

  private func box(_ number: Int) -> [Markup] {
    let node = graph.nodes[number]
    let (x, y) = (x(number), y(number))
    let style = !node.isBounded ? "box open" : node.hasWeights ? "box weights" : "box"
    // Names of other programs' layers can be long.
    let room = 34 - node.bound.count
    let name = node.name.count > room ? "…" + node.name.suffix(room - 1) : node.name
    let detail = node.formula ?? node.kind
    return [
      .empty(
        "rect",
        [
          ("class", style), ("x", self.number(x)), ("y", self.number(y)),
          ("width", self.number(Self.box.width)), ("height", self.number(Self.box.height)),
          ("rx", "7"),
        ]),
      text("name", name, x + 13, y + 19),
      text("quiet", detail, x + 13, y + 36),
      text(
        node.isBounded ? "bound" : "bound none", node.bound, x + Self.box.width - 13, y + 19,
        anchor: "end"),
      text("quiet", node.shape, x + Self.box.width - 13, y + 36, anchor: "end"),
    ]
  }

  private func edge(_ source: Int?, _ target: Int) -> Markup {
    let (x1, y1) = (x(source) + Self.box.width / 2, y(source) + Self.box.height)
    let (x2, y2) = (x(target) + Self.box.width / 2, y(target))
    if x1 == x2 { return line(x1, y1, x2, y2) }
    // Down in the column that is further right, across beside the other.
    let (right, turn) = (max(x1, x2), Self.gap.y)
    let path = x2 > x1
      ? "M\(number(x1)) \(number(y1))C\(number(x1)) \(number(y1 + turn)) \(number(right)) "
        + "\(number(y1)) \(number(right)) \(number(y1 + turn))V\(number(y2))"
      : "M\(number(x1)) \(number(y1))V\(number(y2 - turn))C\(number(x1)) \(number(y2)) "
        + "\(number(x2)) \(number(y2 - turn)) \(number(x2)) \(number(y2))"
    return .empty("path", [("class", "edge"), ("d", path)])
  }

  private func skip(_ skip: (from: Int?, to: Int, lane: Int)) -> Markup {
    let x1 = x(skip.from)
    let y1 = y(skip.from) + Self.box.height * 0.72
    let (x2, y2) = (x(skip.to), y(skip.to) + Self.box.height * 0.28)
    let x = left - 14 - Double(skip.lane) * Self.lane
    let path = "M\(number(x1)) \(number(y1))H\(number(x + 8))Q\(number(x)) \(number(y1)) "
      + "\(number(x)) \(number(y1 + 8))V\(number(y2 - 8))Q\(number(x)) \(number(y2)) "
      + "\(number(x + 8)) \(number(y2))H\(number(x2 - 1))"
    return .empty("path", [("class", "edge skip"), ("d", path)])
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Markup {
    .empty(
      "path",
      [("class", "edge"), ("d", "M\(number(x1)) \(number(y1))L\(number(x2)) \(number(y2))")])
  }

  private func text(
    _ style: String, _ text: String, _ x: Double, _ y: Double, anchor: String = "start"
  ) -> Markup {
    .element(
      "text",
      [("class", style), ("x", number(x)), ("y", number(y)), ("text-anchor", anchor)], text: text)
  }

  private func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(abs(tenths) % 10)"
  }

  private static let style = """
    text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1c2024; }
    .page { fill: #ffffff; }
    .title { font-size: 17px; font-weight: 600; }
    .name { font-weight: 600; } .total { font-weight: 600; font-size: 14px; }
    .quiet { fill: #687078; font-size: 12px; }
    .bound { fill: #18794e; font-weight: 600; } .none { fill: #c4262e; }
    .box { fill: #f6f7f8; stroke: #d3d7db; } .weights { fill: #eaf2fd; stroke: #9dbfe8; }
    .open { fill: #fdeeee; stroke: #e5a3a6; } .terminal { fill: none; stroke: #a9afb6; }
    .edge { fill: none; stroke: #8b939b; stroke-width: 1.4; }
    .skip { stroke: #d9590b; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8eaec; } .page { fill: #131516; } .quiet { fill: #9aa1a9; }
      .bound { fill: #4cc38a; } .none { fill: #ff7b7f; }
      .box { fill: #1e2224; stroke: #3a4046; } .weights { fill: #172a42; stroke: #34608f; }
      .open { fill: #3a1b1d; stroke: #7f3a3d; } .edge { stroke: #6c747c; }
      .skip { stroke: #ff9b5a; }
    }
    """
}
