import Diagnostics

/// Parses one YAML document.
///
/// `root` is nil where the tree cannot be trusted (a syntax error, an unknown alias, a limit, an
/// empty document); then `diagnostics` says why. Errors that leave the rest of the tree as written
/// (a duplicate key, an unsupported tag) come with a root, so that later stages can report theirs
/// too.
public func parse(_ file: SourceFile) -> (root: Node?, diagnostics: [Diagnostic]) {
  parse(file, limits: .standard)
}

func parse(_ file: SourceFile, limits: Limits) -> (root: Node?, diagnostics: [Diagnostic]) {
  if file.bytes.count > limits.bytes {
    return (nil, [.tooLarge(file, limit: limits.bytes)])
  }
  let text: TextMap
  switch TextMap.check(file.bytes) {
  case .success(let map): text = map
  case .failure(let invalid):
    return (nil, [.invalidUTF8(Span(file: file, start: invalid.start, end: invalid.end))])
  }

  return file.bytes.withUnsafeBufferPointer { bytes in
    parse(file, bytes, text, limits: limits)
  }
}

private func parse(
  _ file: SourceFile, _ bytes: UnsafeBufferPointer<UInt8>, _ text: TextMap, limits: Limits
) -> (root: Node?, diagnostics: [Diagnostic]) {
  var builder = TreeBuilder(file: file, limits: limits)
  var syntaxErrors: [Diagnostic] = []
  var start = text.textStart
  // A syntax error ends libyaml's parser. The text after it is read for more of them from the next
  // line that looks like a top-level key.
  while syntaxErrors.count < 10 {
    let stream = EventStream(file: file, bytes: bytes, text: text, from: start)
    do throws(SyntaxError) {
      while let event = try stream.next(), builder.take(event) {}
      break
    } catch {
      let diagnostic = error.diagnostic
      syntaxErrors.append(diagnostic)
      guard let next = nextTopLevelKey(bytes, from: max(error.resumption, start + 1)) else {
        break
      }
      start = next
      builder.restart()
    }
  }
  builder.finish(hasSyntaxErrors: !syntaxErrors.isEmpty)
  let all = (syntaxErrors + builder.diagnostics).sorted {
    ($0.span?.start ?? 0) < ($1.span?.start ?? 0)
  }
  return (syntaxErrors.isEmpty ? builder.root : nil, all)
}

/// The offset of the first line at or after `offset` (> 0) that begins with `word:`.
private func nextTopLevelKey(_ bytes: UnsafeBufferPointer<UInt8>, from offset: Int) -> Int? {
  func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
  var index = min(offset, bytes.count)
  while index < bytes.count {
    while index < bytes.count, bytes[index - 1] != UInt8(ascii: "\n") { index += 1 }
    let line = index
    var end = line
    while end < bytes.count, isWord(bytes[end]) { end += 1 }
    guard end > line, end < bytes.count, bytes[end] == UInt8(ascii: ":"),
      bytes[line] != UInt8(ascii: "-")
    else {
      index += 1
      continue
    }
    if end + 1 == bytes.count || [0x0A, 0x0D, 0x20].contains(bytes[end + 1]) { return line }
    index += 1
  }
  return nil
}

extension Diagnostic {
  fileprivate static func tooLarge(_ file: SourceFile, limit: Int) -> Diagnostic {
    Diagnostic(
      .tooLarge, "the description is larger than \(limit >> 20) MiB",
      at: Span(file: file, start: limit, end: limit + 1),
      help: "move data out of the description and give its path")
  }

  fileprivate static func invalidUTF8(_ span: Span) -> Diagnostic {
    let byte = String(span.file.bytes[span.start], radix: 16, uppercase: true)
    let isUTF16 = span.start == 0 && span.file.bytes[0] >= 0xFE
    return Diagnostic(
      .invalidUTF8,
      isUTF16
        ? "the text is UTF-16, not UTF-8"
        : "the byte 0x\(byte.count == 1 ? "0" : "")\(byte) is not UTF-8", at: span,
      help: "save the file as UTF-8")
  }
}
