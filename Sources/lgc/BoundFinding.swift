import Diagnostics
import Lipschitz
import Model
import Rounding

/// What `lgc bound` says of one network in one norm.
struct BoundFinding {
  let report: BoundReport
  /// The steepest slope found; nil where none was looked for or found.
  let slope: LowerBound?
  /// How much a unit of the data file moves the model's input at most; nil without data.
  let unitFactor: UpperBound?
  let targets: [Verdict]

  var perRawUnit: UpperBound? { unitFactor.map { $0 * report.upper } }

  /// A Lipschitz target in the norm of a report.
  struct Verdict {
    let target: Target
    let limit: Double
    let upper: UpperBound
    let norm: Norm
    var isMet: Bool { upper.value <= limit }

    init?(_ target: Target, _ report: BoundReport) {
      guard case .lipschitz(_, let norm, let limit?) = target.claim, norm == report.norm else {
        return nil
      }
      self.target = target
      self.limit = limit
      self.norm = norm
      upper = report.upper
    }

    var diagnostic: Diagnostic? {
      isMet ? nil : Diagnostic(
        .targetNotMet, "target not met: the proved \(norm.rawValue) bound is "
          + "\(upper.text(significant: 8)), not ≤ \(limit)", at: target.span)
    }
  }

  // MARK: text

  func text(title: String, _ usesColor: Bool) -> String {
    func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    var rows = [["layer", "kind", "upper", "lower", "method"]]
    for layer in report.layers {
      rows.append([
        layer.name, layer.kind, layer.bound.upper.text(significant: 7),
        layer.bound.lower?.text(significant: 7) ?? "", layer.bound.method.rawValue,
      ])
    }
    let table = aligned(rows, rightAligned: [2, 3])
    var out = bold("\(title): Lipschitz bound in \(report.norm.rawValue)") + "\n\n"
    out += bold(table[0]) + "\n" + table.dropFirst().joined(separator: "\n") + "\n"
    if !report.residualBlocks.isEmpty {
      let blocks = report.residualBlocks.map { block in
        ["block \(block.name)", "\(block.mode.rawValue), weight \(block.weight)",
         block.whole.text(significant: 7), "", "with f of \(block.body.text(significant: 7))"]
      }
      out += "\n" + aligned(blocks, rightAligned: [2]).joined(separator: "\n") + "\n"
    }
    return out + "\n" + aligned(summary, rightAligned: [1]).joined(separator: "\n") + "\n"
  }

  private var summary: [[String]] {
    let place = report.domain.map { " for inputs in \($0.domainText)" } ?? ""
    var rows = [
      ["bound", report.upper.text(significant: 7), "proved\(place), \(report.method.rawValue)"]
    ]
    // Where one method is all there is, the first row says it.
    for other in report.methods where report.methods.count > 1 {
      rows.append([
        "  \(other.method.rawValue)", other.upper.text(significant: 7),
        "proved\(place), \(Self.meaning(other.method)), \(Self.milliseconds(other.seconds))",
      ])
    }
    if unitFactor == .unknown {
      rows.append(["bound per raw unit", "", "a run knows it: its data were measured"])
    } else if let perRawUnit, unitFactor != .one {
      rows.append([
        "bound per raw unit", perRawUnit.text(significant: 7), "proved\(place), per unit of the data file",
      ])
    }
    if let slope {
      rows.append(["steepest slope", slope.text(significant: 7), "occurs between two inputs"])
      if slope.value > 0, report.upper.isFinite {
        let ratio = (report.upper / slope).text(significant: 5)
        rows.append(["bound / slope", ratio, "estimate of tightness; 1 is exact"])
      }
    }
    for verdict in targets {
      rows.append([
        "target", "≤ \(verdict.limit)", verdict.isMet ? "met: proved\(place)" : "not met",
      ])
    }
    return rows
  }

  private static func meaning(_ method: BoundReport.Method) -> String {
    switch method {
    case .product: "layer by layer"
    case .absoluteValues: "through |W|"
    case .fused: "batch normalisation in the layer before"
    case .fast: "multipliers in closed form"
    case .joint: "multipliers by search"
    }
  }

  private static func milliseconds(_ seconds: Double) -> String {
    let text = seconds < 0.01 ? "\((seconds * 10_000).rounded() / 10)" : "\(Int(seconds * 1000))"
    return text + " ms"
  }

  // MARK: JSON

  /// The keys and meanings are a contract that other programs rely on.
  func json(seconds: Double) -> JSONValue {
    .object([
      (key: "lgc", value: .string(LGC.version)),
      (key: "norm", value: .string(report.norm.rawValue)),
      (key: "upper", value: .decimal(report.upper.json)),
      (key: "domain", value: report.domain?.json ?? .null),
      (key: "lower", value: .decimal((slope ?? .zero).json)),
      (key: "product", value: .decimal(report.product.json)),
      (key: "method", value: .string(report.method.rawValue)),
      (key: "methods", value: .array(report.methods.map { method in
        .object([
          (key: "method", value: .string(method.method.rawValue)),
          (key: "upper", value: .decimal(method.upper.json)),
          (key: "seconds", value: .double(method.seconds)),
        ])
      })),
      (key: "per_raw_unit", value: .decimal(perRawUnit?.json ?? "null")),
      (key: "layers", value: .array(report.layers.map(Self.layer))),
      (key: "residual_blocks", value: .array(report.residualBlocks.map(Self.block))),
      (key: "seconds", value: .double(seconds)),
    ])
  }

  private static func layer(_ layer: BoundReport.LayerBound) -> JSONValue {
    .object([
      (key: "name", value: .string(layer.name)),
      (key: "kind", value: .string(layer.kind)),
      (key: "upper", value: .decimal(layer.bound.upper.json)),
      (key: "lower", value: .decimal(layer.bound.lower?.json ?? "null")),
      (key: "method", value: .string(layer.bound.method.rawValue)),
    ])
  }

  private static func block(_ block: BoundReport.ResidualBound) -> JSONValue {
    .object([
      (key: "name", value: .string(block.name)),
      (key: "mode", value: .string(block.mode.rawValue)),
      (key: "weight", value: .double(block.weight)),
      (key: "body", value: .decimal(block.body.json)),
      (key: "upper", value: .decimal(block.whole.json)),
    ])
  }
}
