import CKernels
import Diagnostics
import Formats
import Model

/// Runs `body`; what is wrong with a file becomes a diagnostic at the place that names it.
func reading<Result>(
  at span: Span, _ body: () throws(FormatError) -> Result
) throws(DiagnosticError) -> Result {
  do throws(FormatError) {
    return try body()
  } catch {
    let code: DiagnosticCode = error.cause == .malformed ? .dataFormat : .dataFile
    throw DiagnosticError(Diagnostic(code, "`\(error.path)` \(error.phrase)", at: span))
  }
}

/// Refuses samples that do not fit into memory, before they are allocated.
func requireMemory(_ bytes: Int, of path: String, at span: Span) throws(DiagnosticError) {
  let available = Int(lgc_available_bytes("/proc", "/sys/fs/cgroup"))
  // A system that does not say how much it has is asked for the memory itself.
  guard available >= 0, bytes > available else { return }
  throw DiagnosticError(
    Diagnostic(
      .tooMuchMemory,
      "the samples of `\(path)` need \(bytes) bytes of memory, \(available) are available",
      at: span))
}

/// A whole file, if it and `factor` times as much for what is made of it fit into memory.
func fileBytes(
  _ path: String, factor: Int = 1, at span: Span
) throws(DiagnosticError) -> [UInt8] {
  let file = try reading(at: span) { () throws(FormatError) in try InputFile(path) }
  try requireMemory(file.size * (1 + factor), of: path, at: span)
  return try reading(at: span) { () throws(FormatError) in try file.bytes() }
}

/// The class of each sample, from an array of one number for each; `title` is what messages call it.
func classNumbers(
  _ array: NumberArray, _ title: String, _ classes: Int, _ span: Span
) throws(DiagnosticError) -> [Int32] {
  var labels: [Int32] = []
  labels.reserveCapacity(array.count)
  for (sample, label) in array.integers().enumerated() {
    guard let label, (0..<classes).contains(label) else {
      let what = label.map { "the label \($0)" } ?? "a label that is no whole number"
      throw DiagnosticError(
        Diagnostic(
          .dataLabels,
          "sample \(sample) of `\(title)` has \(what); labels run from 0 to \(classes - 1)",
          at: span))
    }
    labels.append(Int32(label))
  }
  return labels
}

/// A number that is none would turn every weight into one. Samples have `size` numbers each.
func checkFinite(
  _ values: [Float], _ size: Int, _ title: String, _ span: Span
) throws(DiagnosticError) {
  guard let place = values.firstIndex(where: { !$0.isFinite }) else { return }
  throw DiagnosticError(
    Diagnostic(
      .dataFormat,
      "sample \(place / size) of `\(title)` has \(values[place]) at element \(place % size), not "
        + "a finite float32 number",
      at: span))
}

extension LoadedData {
  /// The training samples and, where there are any, test samples of the same shape, with as many
  /// classes as both together have.
  init(
    _ train: Samples, test: Samples?, classNames: [String]? = nil, testSpan: Span
  ) throws(DiagnosticError) {
    guard var test else {
      self.init(train: train, classNames: classNames)
      return
    }
    guard test.shape == train.shape else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape, "test samples are \(test.shape), training samples \(train.shape)",
          at: testSpan))
    }
    guard test.targetShape == train.targetShape else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape,
          "test targets are \(test.targetShape), training targets \(train.targetShape)",
          at: testSpan))
    }
    var train = train
    let count = max(train.classCount, test.classCount)
    train.classCount = count
    test.classCount = count
    self.init(train: train, test: test, classNames: classNames)
  }
}

/// The most classes that numbers in a file may name: a wrong column easily holds larger ones.
let mostClasses = 1_000_000
