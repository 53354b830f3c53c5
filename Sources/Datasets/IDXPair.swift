import Diagnostics
import Formats
import Glibc
import Model

/// An image file and its label file, read and checked against each other.
struct IDXPair {
  let images: String
  let labels: String
  /// Where the description names them.
  let imagesSpan: Span
  let labelsSpan: Span

  /// The samples; `classes` nil: as many as the largest label says.
  ///
  /// Images are [N, height, width], read as one channel, or [N, channels, height, width], or
  /// [N, features].
  func load(classes: Int?) throws(DiagnosticError) -> Samples {
    let pixels = try read(images, at: imagesSpan)
    let numbers = try read(labels, at: labelsSpan)
    guard pixels.shape.count >= 2 else {
      throw DiagnosticError(rank(images, pixels, expected: "2, 3 or 4", at: imagesSpan))
    }
    guard numbers.shape.count == 1 else {
      throw DiagnosticError(rank(labels, numbers, expected: "1", at: labelsSpan))
    }
    let count = pixels.shape[0]
    guard count == numbers.shape[0] else { throw DiagnosticError(counts(count, numbers.shape[0])) }
    let extents = Array(pixels.shape.dropFirst())
    guard count > 0, !extents.contains(0) else {
      throw DiagnosticError(
        Diagnostic(.dataFormat, "`\(images)` holds no pixels (\(pixels.shape))", at: imagesSpan))
    }
    let storage: Samples.Storage
    if let bytes = pixels.unsignedBytes {
      storage = .bytes(bytes)
    } else {
      let floats = pixels.floats()
      try checkFinite(floats, extents.reduce(1, *), images, imagesSpan)
      storage = .floats(floats)
    }
    let limit = classes ?? mostClasses
    var samples = Samples(
      shape: extents.count == 2 ? [1] + extents : extents, count: count, storage: storage,
      labels: [], classCount: 0)
    samples.labels = try classNumbers(numbers, labels, limit, labelsSpan)
    samples.classCount = classes ?? Int(samples.labels.max() ?? 0) + 1
    return samples
  }

  private func read(_ path: String, at span: Span) throws(DiagnosticError) -> NumberArray {
    try reading(at: span) { () throws(FormatError) in try IDX.read(path) }
  }
}

extension FormatError {
  /// The message so that it can follow the file's name.
  var phrase: String { cause == .malformed ? message : "cannot be read: \(reason)" }
  private var reason: String {
    let parts = message.split(separator: ":", maxSplits: 1)
    return parts.last.map { String($0.drop { $0 == " " }) } ?? message
  }
}

/// `path` seen from the description's folder.
func resolved(_ path: String, in directory: String) -> String {
  path.hasPrefix("/") || directory.isEmpty || directory == "." ? path : "\(directory)/\(path)"
}

/// `name.gz` if it is there, else `name`; nil if neither is.
func existing(_ name: String) -> String? {
  [name + ".gz", name].first { access($0, F_OK) == 0 }
}

// MARK: messages

extension IDXPair {
  fileprivate func rank(
    _ path: String, _ idx: NumberArray, expected: String, at span: Span
  ) -> Diagnostic {
    Diagnostic(
      .dataFormat, "`\(path)` has \(idx.shape.count) axes, not \(expected)", at: span)
  }

  fileprivate func counts(_ images: Int, _ labels: Int) -> Diagnostic {
    Diagnostic(
      .dataFormat,
      "`\(self.images)` holds \(images) images, but `\(self.labels)` holds \(labels) labels",
      at: labelsSpan)
  }
}
