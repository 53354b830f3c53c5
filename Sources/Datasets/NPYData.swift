import Diagnostics
import Formats
import Model
import Tensors

/// Samples in NumPy's arrays, each in a file of its own or all in one `.npz`.
public struct NPYData: Dataset {
  public static let kind = "npy"
  public static let summary =
    "Arrays of NumPy: samples `x` [N, …] with classes `y` [N] or targets [N, …], in .npy or .npz"

  static let file = Argument<String>.optional(
    "file", "An .npz archive; the other keys then name its arrays and not files.")
  static let x = Argument<String>("x", "The training samples, [N, …].")
  static let y = Argument<String>.optional("y", "Their classes, [N] whole numbers from 0 on.")
  static let targets = Argument<String>.optional(
    "targets", "Instead of classes: the numbers that a regression is to find, [N] or [N, …].")
  static let testX = Argument<String>.optional("test_x", "The test samples.")
  static let testY = Argument<String>.optional("test_y", "Their classes.")
  static let testTargets = Argument<String>.optional("test_targets", "Their targets.")
  static let classes = Argument<Int>.optional(
    "classes", "The number of classes; without it, the largest of `y` + 1.",
    in: ArgumentRange(lower: 1, upper: Double(mostClasses)))
  public static var arguments: [any ArgumentDeclaration] {
    [file, x, y, targets, testX, testY, testTargets, classes]
  }
  public static var examples: [Example] {
    [
      .good("npy: {x: train_x.npy, y: train_y.npy}"),
      .good("npy: {file: data.npz, x: x, y: y, test_x: u, test_y: v, classes: 10}"),
      .good("npy: {x: a.npy, targets: b.npy, test_x: c.npy, test_targets: d.npy}"),
      .bad("«npy»: {y: y.npy}", .missingKey),
      .bad("«npy»: {x: x.npy}", .missingKey),
      .bad("npy: {x: x.npy, y: y.npy, targets: «t.npy»}", .conflictingKeys),
      .bad("npy: {x: x.npy, y: y.npy, test_x: «u.npy»}", .missingKey),
      .bad("npy: {x: x.npy, y: y.npy, test_y: «v.npy»}", .missingKey),
      .bad("npy: {x: x.npy, targets: t.npy, classes: «3»}", .conflictingKeys),
    ]
  }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    let hasTargets = arguments[optional: Self.targets] != nil
    guard hasTargets == (arguments[optional: Self.y] == nil) else {
      guard hasTargets else {
        throw ArgumentProblem(
          "neither `y` nor `targets` is given",
          help: "name the array of the classes, `y: …`, or that of numbers, `targets: …`",
          code: .missingKey)
      }
      throw ArgumentProblem(
        "`y` and `targets` both say what is to be found", argument: Self.targets.name,
        help: "keep one of them", code: .conflictingKeys)
    }
    if hasTargets, arguments[optional: Self.classes] != nil {
      throw ArgumentProblem(
        "targets have no classes", argument: Self.classes.name, help: "leave `classes` out",
        code: .conflictingKeys)
    }
    let labels = hasTargets ? Self.testTargets : Self.testY
    let other = hasTargets ? Self.testY : Self.testTargets
    if arguments[optional: other] != nil {
      throw ArgumentProblem(
        "`\(other.name)` is given, but the training samples have `\(hasTargets ? "targets" : "y")`",
        argument: other.name, help: "write `\(labels.name)`", code: .conflictingKeys)
    }
    let given = [Self.testX, labels].filter { arguments[optional: $0] != nil }
    guard given.count == 1 else { return }
    let missing = given[0].name == labels.name ? Self.testX : labels
    throw ArgumentProblem(
      "`\(given[0].name)` is given without `\(missing.name)`", argument: given[0].name,
      help: "give both, or neither to train without a test split", code: .missingKey)
  }

  public func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    let source = try ArraySource(
      archive: arguments[optional: Self.file].map { resolved($0, in: directory) },
      archiveSpan: arguments.span(of: Self.file.name), directory: directory)
    func pair(_ x: Argument<String>, _ y: Argument<String>) -> ArrayPair {
      ArrayPair(
        source: source, x: arguments[x], xSpan: arguments.span(of: x.name), y: arguments[y],
        ySpan: arguments.span(of: y.name))
    }
    let classes = arguments[optional: Self.classes]
    let hasTargets = arguments[optional: Self.targets] != nil
    let hasTest = arguments[optional: Self.testX] != nil
    func samples(_ pair: ArrayPair) throws(DiagnosticError) -> Samples {
      hasTargets ? try pair.regression() : try pair.classification(classes: classes)
    }
    let train = try samples(pair(Self.x, hasTargets ? Self.targets : Self.y))
    let test: Samples? =
      hasTest ? try samples(pair(Self.testX, hasTargets ? Self.testTargets : Self.testY)) : nil
    return try LoadedData(train, test: test, testSpan: arguments.span(of: Self.testX.name))
  }
}

/// Where arrays are: files, or the members of one archive.
struct ArraySource {
  private let archive: ZipArchive?
  private let directory: String

  init(archive: String?, archiveSpan: Span, directory: String) throws(DiagnosticError) {
    self.directory = directory
    if let archive {
      self.archive = try reading(at: archiveSpan) { () throws(FormatError) in
        try ZipArchive(archive)
      }
    } else {
      self.archive = nil
    }
  }

  /// What messages call the array `name`.
  func title(_ name: String) -> String {
    archive.map { "\($0.path): \(name)" } ?? resolved(name, in: directory)
  }

  func array(_ name: String, at span: Span) throws(DiagnosticError) -> NumberArray {
    let title = title(name)
    guard let archive else {
      let bytes = try fileBytes(title, factor: 2, at: span)
      return try reading(at: span) { () throws(FormatError) in try NPY.parse(bytes, path: title) }
    }
    guard let member = archive["\(name).npy"] ?? archive[name] else {
      let names = archive.members.map { member in
        member.name.hasSuffix(".npy") ? String(member.name.dropLast(4)) : member.name
      }
      throw DiagnosticError(
        Diagnostic(
          .dataFormat, "`\(archive.path)` has no array `\(name)`", at: span,
          notes: ["its arrays: " + names.prefix(20).map { "`\($0)`" }.joined(separator: ", ")],
          help: didYouMean(name, among: names)))
    }
    // The archive's bytes, the array's and the numbers made of it.
    try requireMemory(3 * member.size, of: title, at: span)
    return try reading(at: span) { () throws(FormatError) in
      try NPY.parse(archive.content(of: member), path: title)
    }
  }
}

/// The samples and what is known of them, read and checked against each other.
struct ArrayPair {
  let source: ArraySource
  let x: String
  let xSpan: Span
  let y: String
  let ySpan: Span

  func classification(classes: Int?) throws(DiagnosticError) -> Samples {
    var samples = try inputs()
    let array = try labels(of: samples)
    guard array.shape.count == 1 else {
      throw problem(
        .dataShape, "`\(source.title(y))` is \(array.shape), not one number for each sample",
        help: array.type.isFloat ? "numbers to be found stand under `targets`" : nil)
    }
    samples.labels = try classNumbers(array, source.title(y), classes ?? mostClasses, ySpan)
    samples.classCount = classes ?? Int(samples.labels.max() ?? 0) + 1
    return samples
  }

  func regression() throws(DiagnosticError) -> Samples {
    var samples = try inputs()
    let array = try labels(of: samples)
    samples.targets = array.floats()
    samples.targetShape = array.shape.count == 1 ? [1] : Array(array.shape.dropFirst())
    guard !samples.targets.isEmpty else {
      throw problem(.dataFormat, "`\(source.title(y))` holds no numbers (\(array.shape))")
    }
    try checkFinite(
      samples.targets, samples.targetShape.elementCount, source.title(y), ySpan)
    return samples
  }

  private func inputs() throws(DiagnosticError) -> Samples {
    let array = try source.array(x, at: xSpan)
    guard array.shape.count >= 2 else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape, "`\(source.title(x))` is \(array.shape); samples are [N, …]", at: xSpan,
          help: array.shape.count == 1 ? "one number a sample is [N, 1]" : nil))
    }
    let shape = Array(array.shape.dropFirst())
    guard array.count > 0 else {
      throw DiagnosticError(
        Diagnostic(
          .dataFormat, "`\(source.title(x))` holds no samples (\(array.shape))", at: xSpan))
    }
    let storage: Samples.Storage
    if let bytes = array.unsignedBytes {
      storage = .bytes(bytes)
    } else {
      let floats = array.floats()
      try checkFinite(floats, shape.elementCount, source.title(x), xSpan)
      storage = .floats(floats)
    }
    return Samples(
      shape: shape, count: array.shape[0], storage: storage, labels: [], classCount: 0)
  }

  private func labels(of samples: Samples) throws(DiagnosticError) -> NumberArray {
    let array = try source.array(y, at: ySpan)
    guard let count = array.shape.first, count == samples.count else {
      throw problem(
        .dataFormat,
        "`\(source.title(x))` holds \(samples.count) samples, `\(source.title(y))` is "
          + "\(array.shape)")
    }
    return array
  }

  private func problem(
    _ code: DiagnosticCode, _ message: String, help: String? = nil
  ) -> DiagnosticError {
    DiagnosticError(Diagnostic(code, message, at: ySpan, help: help))
  }
}
