import Diagnostics
import Formats
import Rounding

/// `report.html`: what a run directory holds, on one page without scripts that loads nothing.
///
/// Made from the files alone, so that it can be written again at any time (`lgc report`), as after
/// `lgc eval`.
public struct Report {
  let files: ReportFiles

  public init(_ directory: RunDirectory) throws(FormatError) {
    files = try ReportFiles(directory)
  }

  /// Reads the directory and writes its report.
  public static func write(_ directory: RunDirectory) throws(FormatError) {
    let html = try Report(directory).html
    try AtomicFile.write(Array(html.utf8), to: directory.report)
  }

  public var html: String {
    var page = Markup()
    page.append(header)
    page.append(keyFigures)
    page.append(section("Targets", targets))
    page.append(section("Training", charts))
    page.append(section("Samples", samples))
    page.append(section("Proved Lipschitz bounds", bounds))
    page.append(section("Certified accuracy", certifiedAccuracy))
    page.append(section("How the run was made", [runTable, description].compactMap(\.self)))
    page.append(
      .element(
        "footer", [],
        [
          .element(
            "p", [],
            text: "In this report bound means proved, estimate means measured and not proved. A "
              + "bound is about the real-valued function that the stored weights define at "
              + "inference, per unit of model input; the rounding of floating-point inference is "
              + "not in it.")
        ]))
    return ReportStyle.page(title: name, body: page)
  }

  private func section(_ title: String, _ content: [Markup]) -> Markup {
    content.isEmpty
      ? Markup() : .element("section", [], [.element("h2", [], text: title)] + content)
  }

  var name: String { files.record["name"]?.string ?? files.path }

  // MARK: head

  private var header: Markup {
    let record = files.record
    let (word, kind) = status
    var facts: [String] = []
    if let start = record["start"]?.string { facts.append(Self.moment(start)) }
    if let seconds = record["training_seconds"]?.double {
      facts.append("\(Progress.clock(seconds)) of training")
    }
    if let engine = record["engine"]?.string, let threads = record["threads"]?.integer {
      facts.append("engine \(engine), \(threads) thread\(threads == 1 ? "" : "s")")
    }
    var content: [Markup] = [
      .element(
        "h1", [], [Markup(text: name), " ", .element("span", [("class", kind)], text: word)]),
      .element("p", [("class", "facts")], text: facts.joined(separator: " · ")),
    ]
    if let failure = record["failure"]?.string {
      content.append(.element("p", [("class", "failure")], text: failure))
    }
    return .element("header", [], content)
  }

  private var status: (String, String) {
    let record = files.record
    if record["failure"] != nil { return ("failed", "badge bad") }
    if record["interrupted"]?.bool == true { return ("interrupted", "badge warn") }
    if record["end"] == nil { return ("not finished", "badge warn") }
    let missed = verdicts.filter { $0 == false }.count
    return missed > 0
      ? ("\(missed) target\(missed == 1 ? "" : "s") not met", "badge bad")
      : ("finished", "badge good")
  }

  private var verdicts: [Bool?] {
    files.record["targets"]?.array?.map { $0["met"]?.bool } ?? []
  }

  /// `2026-11-21 10:32 UTC` of `2026-11-21T10:32:38.913Z`
  private static func moment(_ stamp: String) -> String {
    guard stamp.count >= 16 else { return stamp }
    return stamp.prefix(10) + " " + stamp.dropFirst(11).prefix(5) + " UTC"
  }

  /// The numbers that a reader looks for first.
  private var keyFigures: Markup {
    let record = files.record
    var figures: [(value: String, label: String)] = []
    if let accuracy = record["test_accuracy"]?.double {
      figures.append((fixed(accuracy * 100, 2) + " %", "test accuracy of the stored weights"))
    }
    for proof in proofs.prefix(3) {
      figures.append((proof.result.shown(8), "proved \(proof.norm) bound\(of(proof))"))
    }
    if let covered = record["modes_covered"]?.integer, let modes = record["modes"]?.integer {
      figures.append(("\(covered) of \(modes)", "modes reached"))
    }
    if let quality = record["high_quality"]?.double {
      figures.append((fixed(quality * 100, 1) + " %", "samples of high quality"))
    }
    if let distance = record["wasserstein"]?.double {
      figures.append((decimal(distance, 4), "W1, generated against real (estimate)"))
    }
    if let steps = record["steps_done"]?.integer, let all = record["steps"]?.integer {
      figures.append((steps == all ? "\(steps)" : "\(steps) of \(all)", "steps"))
    }
    if figures.isEmpty { return Markup() }
    return .element(
      "div", [("class", "figures")],
      figures.map { figure in
        .element(
          "div", [],
          [.element("b", [], text: figure.value), .element("span", [], text: figure.label)])
      })
  }

  private func of(_ proof: Proof) -> String {
    proof.network == "model" ? "" : " of the \(proof.network)"
  }
}

extension UpperBound {
  /// Rounded up; `no finite bound` where there is none.
  func shown(_ digits: Int) -> String { isFinite ? text(significant: digits) : "no finite bound" }
}
