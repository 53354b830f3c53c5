import Diagnostics
import Formats
import Glibc
import Testing

@testable import Training

struct ReportTests {
  /// A run directory with files of these contents, removed after `body`.
  private func withRun(
    _ files: [String: String], _ body: (RunDirectory) throws -> Void
  ) throws {
    var template = Array("/tmp/lgc-report-XXXXXX".utf8CString)
    let path = String(cString: mkdtemp(&template)!)
    let run = RunDirectory(path: path)
    mkdir(run.samples, 0o700)
    for (name, text) in files { try AtomicFile.write(Array(text.utf8), to: "\(path)/\(name)") }
    defer {
      for name in files.keys { unlink("\(path)/\(name)") }
      unlink(run.report)
      unlink("\(run.samples)/final.png")
      rmdir(run.samples)
      rmdir(path)
    }
    try body(run)
  }

  private static let certificate = """
    {"name": "model", "graph": {"nodes": [
      {"name": "<fc&1>", "shape": [64], "operation": {"type": "dense"}},
      {"name": "relu_1", "shape": [64], "operation": {"type": "elementwise"}}]},
     "bounds": [{"norm": "l2", "operators": [
       {"node": "<fc&1>", "bound": "0x1.8p+0", "evidence": {"type": "gram"}},
       {"node": "relu_1", "bound": "0x1p+0", "evidence": {"type": "constant"}}],
      "product": "0x1.8p+0", "method": "product", "result": "0x1.8p+0"},
      {"norm": "linf", "operators": [], "product": null, "method": "product", "result": null}]}
    """
  private static let evaluation = """
    {"accuracy": 0.9, "certificate": "what it covers", "norms": [{"norm": "l2",
      "curve": {"radii": [0, 0.5, 1], "certified": [0.9, 0.5, 0.1]},
      "radii": [{"radius": 0.5, "raw_radius": 127.5, "certified": 0.5, "attacked": 0.75}]}]}
    """
  private static let metrics = """
    {"step": 10, "epoch": 1, "loss": 2.0, "train_loss": 2.0, "test_loss": 2.5, \
    "train_accuracy": 0.5, "test_accuracy": 0.4, "learning_rate": 0.1, "norms": {"<fc&1>": 1.25}}
    {"step": 20, "epoch": 2, "loss": 1.0, "train_loss": 1.0, "test_loss": null, \
    "train_accuracy": 0.75, "test_accuracy": 0.6, "learning_rate": 0.05, "norms": {"<fc&1>": 1.5}}
    {"step": 30, "ep
    """
  private static let record = """
    {"lgc": "0.1.0", "name": "<script>alert('&\\"')</script>", "start": "2026-11-21T10:32:38.913Z",
     "end": "2026-11-21T10:35:00.741Z", "interrupted": false, "steps": 20, "steps_done": 20,
     "training_seconds": 61.5, "test_accuracy": 0.6, "seed": 0, "engine": "cpu", "threads": 2,
     "targets": [{"claim": "l2 bound ≤ 1", "outcome": "1.5", "met": false}]}
    """

  private static let whole = [
    "run.json": record, "metrics.jsonl": metrics, "bound.json": certificate,
    "eval.json": evaluation, "resolved.yaml": "name: \"<b>\"\n",
  ]

  @Test func aReportIsWellFormedLoadsNothingAndEscapesNames() throws {
    try withRun(Self.whole) { run in
      let html = try Report(run).html
      #expect(wellFormedness(html) == nil)
      for word in ["<script", "http://", "https://", "url(", "@import", "<link", "<iframe"] {
        #expect(!html.contains(word), "\(word)")
      }
      #expect(html.contains("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"))
      #expect(html.contains("&lt;fc&amp;1&gt;") && html.contains("name: &quot;&lt;b&gt;&quot;"))
    }
  }

  @Test func aReportShowsCurvesBoundsTargetsAndCertifiedAccuracy() throws {
    try withRun(Self.whole) { run in
      let html = try Report(run).html
      for title in [
        "Loss", "Accuracy", "Learning rate", "Norms of the layers",
        "Certified accuracy against radius",
      ] {
        #expect(html.contains(">\(title)</text>"), "\(title)")
      }
      #expect(html.contains("estimates during training, not proved"))
      #expect(html.contains("The l2 bound of the stored weights is 1.5."))
      #expect(html.contains("The linf bound of the stored weights is no finite bound."))
      #expect(html.contains("1 target not met") && html.contains("✗ not met"))
      #expect(html.contains("under attack"))
      #expect(html.contains("estimate in training"))
    }
  }

  @Test func aRunThatOnlyBeganHasAReport() throws {
    let record = #"{"name": "a", "start": "2026-11-21T10:32:38.913Z", "steps": 20}"#
    try withRun(["run.json": record]) { run in
      let html = try Report(run).html
      #expect(wellFormedness(html) == nil)
      #expect(html.contains("not finished"))
    }
    let failed = #"{"name": "a", "steps": 20, "failure": "the loss is nan at step 3"}"#
    try withRun(["run.json": failed, "metrics.jsonl": ""]) { run in
      let html = try Report(run).html
      #expect(html.contains("the loss is nan at step 3"))
    }
  }

  @Test func picturesAreInThePage() throws {
    try withRun(["run.json": #"{"name": "a"}"#]) { run in
      let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      try AtomicFile.write(png, to: "\(run.samples)/final.png")
      let html = try Report(run).html
      #expect(html.contains("src=\"data:image/png;base64,iVBORw0KGgo=\""))
      #expect(wellFormedness(html) == nil)
    }
  }

  @Test func aRecordThatIsNoJSONIsAnErrorWithItsPath() throws {
    try withRun(["run.json": "{"]) { run in
      do throws(FormatError) {
        _ = try Report(run)
        Issue.record("accepted")
      } catch {
        #expect(error.path == run.record && error.message.hasPrefix("is not JSON"))
      }
    }
  }

  @Test func theCheckOfMarkupFindsFaults() {
    for html in ["<p>", "<p></b>", "<p a=b></p>", "<p>a & b</p>", "<p a=\"1\" a=\"2\"></p>", "a < b"]
    {
      #expect(wellFormedness(html) != nil, "\(html)")
    }
    #expect(wellFormedness("<!DOCTYPE html><p a=\"1\">b &amp; c<br/></p>") == nil)
  }
}

/// What is wrong with markup that is to be XML but for its doctype: elements that are not closed in
/// order, attributes without quotes or twice, ampersands that begin no reference. nil: nothing.
private func wellFormedness(_ html: String) -> String? {
  var open: [Substring] = []
  var rest = Substring(html)
  if rest.hasPrefix("<!DOCTYPE html>") { rest = rest.dropFirst("<!DOCTYPE html>".count) }
  func checkText(_ text: Substring) -> String? {
    for piece in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst() {
      let known = ["amp;", "lt;", "gt;", "quot;", "#39;"]
      if !known.contains(where: piece.hasPrefix) { return "a bare & before \(piece.prefix(20))" }
    }
    return text.contains(">") ? "a bare > in \(text.prefix(40))" : nil
  }
  while let start = rest.firstIndex(of: "<") {
    let isStyle = open.last == "style"
    if !isStyle, let problem = checkText(rest[..<start]) { return problem }
    guard let end = rest[start...].firstIndex(of: ">") else { return "a tag does not end" }
    var tag = rest[rest.index(after: start)..<end]
    rest = rest[rest.index(after: end)...]
    if tag.first == "/" {
      guard open.last == tag.dropFirst() else { return "</\(tag.dropFirst())> closes \(open)" }
      open.removeLast()
      continue
    }
    let isEmpty = tag.last == "/"
    if isEmpty { tag = tag.dropLast() }
    let name = tag.prefix { $0 != " " }
    guard name.first?.isLetter == true else { return "no name in <\(tag)>" }
    tag = tag.dropFirst(name.count)
    var names: Set<Substring> = []
    while !tag.isEmpty {
      guard tag.first == " ", let equals = tag.firstIndex(of: "=") else { return "<\(name)\(tag)>" }
      let key = tag[..<equals].dropFirst()
      tag = tag[tag.index(after: equals)...]
      guard tag.first == "\"", let close = tag.dropFirst().firstIndex(of: "\"") else {
        return "\(key) of <\(name)> without quotes"
      }
      let value = tag[tag.index(after: tag.startIndex)..<close]
      if let problem = checkText(value) { return problem }
      if !names.insert(key).inserted { return "\(key) twice in <\(name)>" }
      tag = tag[tag.index(after: close)...]
    }
    if !isEmpty { open.append(name) }
  }
  return open.isEmpty ? checkText(rest) : "\(open) not closed"
}
