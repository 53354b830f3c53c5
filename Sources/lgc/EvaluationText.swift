import Lipschitz
import Rounding
import Training

/// What `lgc eval` says, for people.
struct EvaluationText {
  let evaluation: Evaluation
  let usesColor: Bool

  var text: String {
    var out = bold("\(evaluation.name): \(evaluation.samples) test samples") + "\n\n"
    out += "accuracy  \(percent(evaluation.accuracy))\n"
    for result in evaluation.norms { out += "\n" + section(result) }
    return out + "\n" + Self.note + "\n"
  }

  private static let note = """
    certified: proved of the real-valued function of the stored weights at these test samples: no
    change of the input below the radius gives another class a larger or an equal output.
    attacked: not turned by projected gradient descent in the same ball, an upper estimate.
    """

  private func section(_ result: Evaluation.InNorm) -> String {
    let hasRaw = result.unitFactor != .one
    var header = ["radius"]
    if hasRaw { header.append("raw units") }
    header += ["certified", "attacked"]
    var rows = [header]
    for row in result.rows {
      var cells = [label(row.radius)]
      if hasRaw { cells.append(label(result.rawRadius(row.radius))) }
      cells += [percent(row.certified), row.attacked.map(percent) ?? "-"]
      rows.append(cells)
    }
    let table = aligned(rows, rightAligned: Set(header.indices))
    var out = bold("\(result.report.norm.rawValue)") + "\n"
    out += facts(result).map { "  \($0)\n" }.joined()
    out += "\n  " + bold(table[0]) + "\n" + table.dropFirst().map { "  \($0)\n" }.joined()
    return out
  }

  private func facts(_ result: Evaluation.InNorm) -> [String] {
    let report = result.report
    let place = report.domain.map { " for inputs in \($0.domainText)" } ?? ""
    var rows = [
      ["bound", report.upper.text(significant: 7), "proved\(place), \(report.method.rawValue)"]
    ]
    if let bounds = result.certified.bounds {
      let (least, largest) = bounds.range
      let methods = bounds.methodCounts.map { "\($0.method.rawValue) \($0.count)" }
      rows.append([
        bounds.outputs == 1 ? "output" : "pairs",
        "\(least.text(significant: 5)) to \(largest.text(significant: 5))",
        "proved of differences of outputs: \(methods.joined(separator: ", "))",
      ])
    }
    let average = result.certified.average
    rows.append([
      "mean radius", short(average),
      result.unitFactor == .one ? "certified"
        : "certified; \(short(result.rawRadius(average))) in units of the data file",
    ])
    if result.certified.bounds == nil {
      rows.append([
        "no certificate", "",
        report.domain == nil
          ? "no rounding bound is known for a layer or its weights"
          : "the bound says nothing of changes that leave \(report.domain!.domainText)",
      ])
    }
    return aligned(rows, rightAligned: [])
  }

  private func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// Rounded down, but for the rounding of the product itself.
  private func percent(_ share: Double) -> String { fixed(share * 100 + 1e-9, 2) + " %" }

  /// To the nearest: 36/255 must not read as 0.1411764, nor 36 as 35.99999.
  private func label(_ value: Double) -> String { number(value, digits: 7) }

  private func short(_ value: Double) -> String {
    value.isFinite ? LowerBound(proved: value).text(significant: 5) : "∞"
  }
}
