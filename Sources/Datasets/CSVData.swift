import Diagnostics
import Formats
import Model
import YAML

/// Samples in the rows of text files.
public struct CSVData: Dataset {
  public static let kind = "csv"
  public static let summary =
    "Rows of comma-separated values (RFC 4180): features, and a class or target numbers"

  static let path = Argument<String>("path", "The training file.")
  static let testPath = Argument<String>.optional(
    "test_path", "The test file, with the same columns.")
  static let label = Argument<Column>.optional(
    "label", "The column of the class: its name, or its number from 0 on, −1 being the last.")
  static let targets = Argument<OneOrMany<Column>>.optional(
    "targets", "The columns of the numbers that a regression is to find.")
  static let features = Argument<[Column]>.optional(
    "features", "The columns of a sample; else all that are neither label nor target.")
  static let shape = Argument<[Int]>.optional(
    "shape", "The extents of a sample; else [number of features].", in: .atLeastOne)
  static let classes = Argument<[String]>.optional(
    "classes", "The names of the classes in their order; else whole numbers from 0 on, or the "
      + "names in the training file, sorted.")
  static let header = Argument<Bool>(
    "header", "Whether the first line names the columns.", default: true)
  static let delimiter = Argument<String>(
    "delimiter", "The character between two columns.", default: ",")
  public static var arguments: [any ArgumentDeclaration] {
    [path, testPath, label, targets, features, shape, classes, header, delimiter]
  }
  public static var examples: [Example] {
    [
      .good("csv: {path: iris.csv, label: species}"),
      .good("csv: {path: a.csv, test_path: b.csv, header: false, label: -1, features: [0, 2]}"),
      .good("csv: {path: a.tsv, delimiter: \"\\t\", targets: [price, rent]}"),
      .good("csv: {path: a.csv, label: 0, classes: [cat, dog], shape: [1, 28, 28]}"),
      .bad("«csv»: {label: 0}", .missingKey),
      .bad("«csv»: {path: a.csv}", .missingKey),
      .bad("csv: {path: a.csv, label: x, targets: «y»}", .conflictingKeys),
      .bad("csv: {path: a.csv, label: «species», header: false}", .conflictingKeys),
      .bad("csv: {path: a.csv, label: x, delimiter: «ab»}", .outOfRange),
      .bad("csv: {path: a.csv, label: x, classes: «[a, a]»}", .outOfRange),
      .bad("csv: {path: a.csv, label: «{}»}", .wrongType),
    ]
  }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    let delimiter = Array(arguments[Self.delimiter].utf8)
    guard delimiter.count == 1, !Array("\"\n\r".utf8).contains(delimiter[0]) else {
      throw ArgumentProblem(
        "the delimiter is one ASCII character, not a quote or a line break",
        argument: Self.delimiter.name)
    }
    let label = arguments[optional: Self.label]
    let targets = arguments[optional: Self.targets]?.values ?? []
    if label != nil, !targets.isEmpty {
      throw ArgumentProblem(
        "`label` and `targets` both say what is to be found", argument: Self.targets.name,
        help: "keep one of them", code: .conflictingKeys)
    }
    if label == nil, targets.isEmpty {
      throw ArgumentProblem(
        "neither `label` nor `targets` is given",
        help: "name the column of the class, `label: …`, or those of numbers, `targets: […]`",
        code: .missingKey)
    }
    if let names = arguments[optional: Self.classes], Set(names).count < names.count {
      throw ArgumentProblem("a class is named twice", argument: Self.classes.name)
    }
    if arguments[Self.header] { return }
    let groups = [
      (Self.label.name, label.map { [$0] } ?? []), (Self.targets.name, targets),
      (Self.features.name, arguments[optional: Self.features] ?? []),
    ]
    for (argument, columns) in groups {
      for case .name(let name) in columns {
        throw ArgumentProblem(
          "`\(name)` names a column, but `header: false` says that columns have no names",
          argument: argument, help: "write the column's number, from 0 on",
          code: .conflictingKeys)
      }
    }
  }

  public func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    func table(_ path: String, _ key: String) -> CSVTable {
      CSVTable(
        path: resolved(path, in: directory), span: arguments.span(of: key),
        delimiter: arguments[Self.delimiter].utf8.first!, hasHeader: arguments[Self.header],
        label: arguments[optional: Self.label],
        targets: arguments[optional: Self.targets]?.values ?? [],
        features: arguments[optional: Self.features], shape: arguments[optional: Self.shape],
        columnSpan: { arguments.span(of: $0) })
    }
    let (train, names) = try table(arguments[Self.path], Self.path.name)
      .load(classes: arguments[optional: Self.classes], isComplete: false)
    let testPath = arguments[optional: Self.testPath]
    let test = try testPath.map { (path) throws(DiagnosticError) in
      try table(path, Self.testPath.name).load(classes: names, isComplete: true).samples
    }
    return try LoadedData(
      train, test: test, classNames: names, testSpan: arguments.span(of: Self.testPath.name))
  }
}

/// A column as a description names it.
enum Column: ArgumentValue, Hashable {
  case name(String)
  /// From 0 on; negative: from the last, −1, backwards.
  case index(Int)

  static func decode(
    _ node: Node, range: ArgumentRange?, into diagnostics: inout [Diagnostic]
  ) -> Column? {
    if let number = node.int { return .index(number) }
    guard let name = node.string else {
      diagnostics.append(
        Diagnostic(
          .wrongType, "expected \(expectation(range: range)), found \(node.kindDescription)",
          at: node.span))
      return nil
    }
    return .name(name)
  }

  static func expectation(range: ArgumentRange?) -> String {
    "the name of a column or its number, from 0 on"
  }
  var yamlText: String {
    switch self {
    case .name(let name): name.yamlText
    case .index(let index): index.yamlText
    }
  }
}
