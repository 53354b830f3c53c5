import Diagnostics
import Formats
import Model
import Tensors

/// One file of rows, and which of its columns are what.
struct CSVTable {
  let path: String
  /// Where the description names the file.
  let span: Span
  let delimiter: UInt8
  let hasHeader: Bool
  let label: Column?
  let targets: [Column]
  let features: [Column]?
  let shape: Shape?
  /// Where the description names columns, by the argument's name.
  let columnSpan: (String) -> Span

  /// The columns of the first record, as the description wants them.
  private struct Columns {
    var count: Int
    var features: [Int]
    var targets: [Int]
    var label: Int?
  }

  /// The rows of a file.
  private struct Rows {
    var features: [Float] = []
    var targets: [Float] = []
    /// Of each row, the place of its class among `words`.
    var labels: [Int32] = []
    /// The distinct texts of the label column in the order of their first rows, and where those are.
    var words: [(text: String, place: Range<Int>)] = []
    var count = 0
  }

  /// The samples, and the names of their classes; nil: they are numbers.
  ///
  /// - Parameters:
  ///   - classes: the names of the classes in order; nil: what the file has.
  ///   - isComplete: whether `classes` nil says that they are numbers.
  func load(
    classes: [String]?, isComplete: Bool
  ) throws(DiagnosticError) -> (samples: Samples, classes: [String]?) {
    let bytes = try fileBytes(path, factor: 0, at: span)
    var reader = CSVReader(bytes, delimiter: delimiter)
    var fields: [CSVReader.Field] = []
    guard try next(&reader, &fields) else { throw problem("`\(path)` holds no rows") }
    let columns = try columns(fields, reader)
    let shape = shape ?? [columns.features.count]
    guard shape.checkedElementCount == columns.features.count else {
      throw DiagnosticError(
        Diagnostic(
          .dataShape, "\(columns.features.count) features do not make a sample of \(shape)",
          at: columnSpan("shape")))
    }
    var rows = try read(&reader, &fields, columns, byteCount: bytes.count)
    guard rows.count > 0 else { throw problem("`\(path)` holds no rows") }
    var samples = Samples(
      shape: shape, count: rows.count, storage: .floats(rows.features), labels: [], classCount: 0)
    if columns.label == nil {
      samples.targets = rows.targets
      samples.targetShape = [columns.targets.count]
      return (samples, nil)
    }
    let (numbers, names) = try numbers(of: rows.words, classes, isComplete, reader)
    for row in rows.labels.indices { rows.labels[row] = numbers[Int(rows.labels[row])] }
    samples.labels = rows.labels
    samples.classCount = names?.count ?? Int(numbers.max() ?? 0) + 1
    return (samples, names)
  }

  private func read(
    _ reader: inout CSVReader, _ fields: inout [CSVReader.Field], _ columns: Columns,
    byteCount: Int
  ) throws(DiagnosticError) -> Rows {
    // A number takes two bytes of text at least and four of memory.
    let most = byteCount / (2 * columns.count) + 1
    let rowBytes = 4 * (columns.features.count + columns.targets.count + 1)
    try requireMemory(most * rowBytes, of: path, at: span)
    var rows = Rows()
    rows.features.reserveCapacity(min(most, reader.lineCount) * columns.features.count)
    var known: [String: Int32] = [:]
    var hasRow = true
    if hasHeader { hasRow = try next(&reader, &fields) }
    while hasRow {
      guard fields.count == columns.count else {
        throw error(
          reader, fields[0].range.lowerBound..<fields[fields.count - 1].range.upperBound,
          "this row has \(fields.count) columns, the first line has \(columns.count)")
      }
      for column in columns.features {
        rows.features.append(try number(fields[column], reader))
      }
      for column in columns.targets {
        rows.targets.append(try number(fields[column], reader))
      }
      if let label = columns.label {
        let text = reader.text(fields[label])
        if let place = known[text] {
          rows.labels.append(place)
        } else {
          guard !text.allSatisfy(\.isWhitespace) else {
            throw error(reader, fields[label].range, "this row has no label")
          }
          let place = Int32(rows.words.count)
          guard rows.words.count < mostClasses else {
            throw error(reader, fields[label].range, "there are more than \(mostClasses) classes")
          }
          known[text] = place
          rows.words.append((text, fields[label].range))
          rows.labels.append(place)
        }
      }
      rows.count += 1
      hasRow = try next(&reader, &fields)
    }
    return rows
  }

  private func number(
    _ field: CSVReader.Field, _ reader: CSVReader
  ) throws(DiagnosticError) -> Float {
    guard let value = reader.number(field) else {
      let text = reader.text(field)
      throw error(
        reader, field.range,
        text.isEmpty ? "expected a number, found nothing" : "expected a number, found `\(text)`")
    }
    let result = Float(value)
    guard result.isFinite else {
      throw error(reader, field.range, "`\(reader.text(field))` is not a finite float32 number")
    }
    return result
  }

  /// The class of each of the words, and the names of all classes.
  private func numbers(
    of words: [(text: String, place: Range<Int>)], _ classes: [String]?, _ isComplete: Bool,
    _ reader: CSVReader
  ) throws(DiagnosticError) -> (numbers: [Int32], names: [String]?) {
    let numbers = words.map { word in
      Double(word.text.trimmed).flatMap { Int(exactly: $0) }
    }
    let areNumbers = classes == nil && (isComplete || !numbers.contains(nil))
    if areNumbers {
      for (word, number) in zip(words, numbers) {
        guard let number else {
          throw error(
            reader, word.place, "expected the number of a class, found `\(word.text)`",
            .dataLabels)
        }
        guard (0..<mostClasses).contains(number) else {
          throw error(
            reader, word.place, "the label \(number) is not from 0 to \(mostClasses - 1)",
            .dataLabels)
        }
      }
      return (numbers.map { Int32($0!) }, nil)
    }
    // In the order of their bytes, which no locale changes.
    let names =
      classes ?? words.map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
    var result: [Int32] = []
    for word in words {
      guard let place = places[word.text] else {
        throw error(
          reader, word.place, "`\(word.text)` is none of the \(names.count) classes", .dataLabels,
          help: didYouMean(word.text, among: names))
      }
      result.append(place)
    }
    return (result, names)
  }

  // MARK: columns

  private func columns(
    _ first: [CSVReader.Field], _ reader: CSVReader
  ) throws(DiagnosticError) -> Columns {
    let names = hasHeader ? first.map { reader.text($0).trimmed } : []
    func place(_ column: Column, _ key: String) throws(DiagnosticError) -> Int {
      switch column {
      case .index(let index):
        let place = index < 0 ? first.count + index : index
        guard first.indices.contains(place) else {
          throw DiagnosticError(
            Diagnostic(
              .dataShape, "`\(path)` has \(first.count) columns, none with the number \(index)",
              at: columnSpan(key)))
        }
        return place
      case .name(let name):
        let places = names.indices.filter { names[$0] == name }
        guard places.count == 1 else {
          throw DiagnosticError(
            Diagnostic(
              .dataShape,
              places.isEmpty
                ? "`\(path)` has no column `\(name)`"
                : "`\(path)` has \(places.count) columns `\(name)`",
              at: columnSpan(key),
              help: places.isEmpty ? didYouMean(name, among: names) : "write the column's number"))
        }
        return places[0]
      }
    }
    var columns = Columns(count: first.count, features: [], targets: [], label: nil)
    columns.label = try label.map { (column) throws(DiagnosticError) in
      try place(column, "label")
    }
    for target in targets { columns.targets.append(try place(target, "targets")) }
    let taken = Set(columns.targets + [columns.label].compactMap { $0 })
    if let features {
      for feature in features { columns.features.append(try place(feature, "features")) }
      // A label among the features would make every accuracy worthless.
      if let both = columns.features.first(where: taken.contains) {
        throw DiagnosticError(
          Diagnostic(
            .conflictingKeys,
            "column \(both) is among the features and is what is to be found",
            at: columnSpan("features")))
      }
    } else {
      columns.features = first.indices.filter { !taken.contains($0) }
    }
    guard !columns.features.isEmpty else { throw problem("`\(path)` has no column for features") }
    return columns
  }

  // MARK: errors

  private func next(
    _ reader: inout CSVReader, _ fields: inout [CSVReader.Field]
  ) throws(DiagnosticError) -> Bool {
    do throws(CSVReader.Problem) {
      return try reader.next(&fields)
    } catch {
      throw self.error(reader, error.range, error.message)
    }
  }

  private func problem(_ message: String) -> DiagnosticError {
    DiagnosticError(Diagnostic(.dataFormat, message, at: span))
  }

  /// A diagnostic that points into the data file.
  private func error(
    _ reader: CSVReader, _ range: Range<Int>, _ message: String,
    _ code: DiagnosticCode = .dataFormat, help: String? = nil
  ) -> DiagnosticError {
    let file = SourceFile(path: path, bytes: reader.bytes)
    return DiagnosticError(
      Diagnostic(
        code, message,
        at: Span(file: file, start: range.lowerBound, end: range.upperBound), help: help))
  }
}

extension String {
  fileprivate var trimmed: String {
    let blank: Set<Character> = [" ", "\t"]
    return String(
      drop { blank.contains($0) }.reversed().drop { blank.contains($0) }.reversed())
  }
}
