import Diagnostics
import Formats
import Lipschitz
import Model

/// What must be true of any bytes given to `lgc check`, and is not of these.
///
/// - There is an experiment or an error.
/// - Every diagnostic's places lie in their texts, its message is one line, and it can be shown:
///   with carets without a character that commands a terminal, as JSON and SARIF that read back,
///   and as one line for GitHub.
/// - The resolved text of an experiment reads back as the same experiment.
/// - No bound is negative or not a number.
///
/// - Parameter directory: where `extends` looks.
public func violations(of bytes: [UInt8], directory: String) -> [String] {
  let file = SourceFile(path: "fuzzed.yaml", bytes: bytes)
  let (experiment, loaded) = loadExperiment(file, catalogs: everyKind, directory: directory)
  var diagnostics = loaded
  var found: [String] = []
  if (experiment == nil) != loaded.contains(where: { $0.severity == .error }) {
    found.append("an experiment with errors, or neither")
  }
  if let experiment {
    found += violations(of: experiment)
    let analysis = analyse(experiment)
    diagnostics += analysis.diagnostics
    for network in analysis.networks {
      for bound in network.layers.flatMap({ Array($0.bounds.values) }) + Array(network.total.values)
      where !(bound.value >= 0) {
        found.append("a bound is \(bound.value)")
      }
    }
  }
  found += diagnostics.flatMap { violations(of: $0) }
  let values = [
    "JSON": JSONRenderer.value(diagnostics), "SARIF": SARIFRenderer.value(diagnostics, version: "1"),
  ]
  for (name, value) in values {
    if (try? JSON(Array(value.text.utf8))) == nil { found.append("the \(name) is not JSON") }
  }
  let annotations = GitHubRenderer.render(diagnostics)
  if annotations.utf8.count(where: { $0 == 0x0A }) != diagnostics.count {
    found.append("an annotation is not one line")
  }
  if !isHarmless(CaretRenderer(usesColor: false).render(diagnostics)) {
    found.append("a message commands the terminal")
  }
  return found
}

private func violations(of diagnostic: Diagnostic) -> [String] {
  var found: [String] = []
  for span in [diagnostic.span].compactMap(\.self) + diagnostic.labels.map(\.span)
  where !(0 <= span.start && span.start <= span.end && span.end <= span.file.bytes.count) {
    found.append("\(diagnostic.code.id) at \(span.start)..<\(span.end)")
  }
  if diagnostic.message.isEmpty || diagnostic.message.utf8.contains(0x0A) {
    found.append("\(diagnostic.code.id) is not one line")
  }
  return found
}

private func violations(of experiment: Experiment) -> [String] {
  let text = experiment.resolvedText
  let (again, diagnostics) = loadExperiment(
    SourceFile(path: "resolved.yaml", text: text), catalogs: everyKind, directory: ".")
  guard let again else {
    return ["the resolved text is refused: \(diagnostics.map(\.message))\n\(text)"]
  }
  return again.resolvedText == text
    ? [] : ["the resolved text changes:\n\(text)\n\(again.resolvedText)"]
}

/// Whether a text without colours has no control characters but line breaks, and no marks that
/// reorder what is shown.
private func isHarmless(_ text: String) -> Bool {
  text.unicodeScalars.allSatisfy {
    switch $0.value {
    case 0x0A: true
    case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: false
    default: true
    }
  }
}
